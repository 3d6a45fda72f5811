"""What is live and cannot be used is rolled back at once: versions whose renders fail, and rows no file can be made of.

A render fails where a generator refuses what it is asked for. One that is away has refused nothing: its jobs wait. Only
what was promoted is rolled back, and one step back: what fails then too does not fail by the fault of one version.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ml_service.errors import Conflict, InvalidRequest
from web.domain.access import Actor
from web.domain.prompts.prompt import Pointer, PromptVersion
from web.domain.studies.experiment import SAMPLES, Option
from web.ports.parts import Parts
from web.rows.prompts import PromptHistoryRows, PromptRows
from web.rows.studies import StudyRows
from web.services.abtests.abtests import content, quarantined
from web.services.prompts import pointers, promotion
from web.services.prompts.publication import file_of

RECENT, MOST_FAILED = 20, 4  # renders of a version that are looked at, and a fifth of them
LOOKED_AT = 100  # its newest options, among which those are that count
log = logging.getLogger("palate.safeguard")


@dataclass(frozen=True)
class _WayBack:
    """What is live since which move, and the version that was live before and may be live again."""

    project_id: str
    pointer: Pointer
    live: PromptVersion
    before: PromptVersion


def watch_renders(parts: Parts, experiment_id: str) -> None:
    """Roll back what is live where renders of an experiment failed and, with them, a fifth of its last twenty."""
    with parts.store.read() as tx:
        failed = tx.options.all(experiment_id=experiment_id, state="failed")
        way = _way_back(tx, tx.studies.get(failed[0].study_id).prompt_key) if failed else None
        if way is None or way.live.id not in {option.version for option in failed}:
            return
        recent = _recent(tx, way.live, way.pointer.moved_at)
        if not _is_failing(recent) or _is_failing(_recent(tx, way.before, None)):
            return
    refused = [option for option in recent if option.state == "failed"]
    said = (refused[0].error or "")[:300]
    _roll_back(parts, way, f"{len(refused)} of its last {len(recent)} renders failed: {said}")


def watch_rows(parts: Parts, keys: Iterable[str]) -> None:
    """Roll back what is live of some prompts where its row is damaged: no file can be made of it any more."""
    with parts.store.read() as tx:
        found = [_damaged(tx, key) for key in keys]
    for way, fault in (one for one in found if one is not None):
        _roll_back(parts, way, f"It cannot be published any more: {fault}")


def _damaged(tx: PromptHistoryRows, prompt_key: str) -> tuple[_WayBack, str] | None:
    pointer = pointers.find(tx, prompt_key)
    fault = _fault(tx, tx.versions.get(pointer.version_id)) if pointer else ""
    way = _way_back(tx, prompt_key) if fault else None
    return (way, fault) if way is not None and not _fault(tx, way.before) else None


def _fault(tx: PromptRows, version: PromptVersion) -> str:
    try:
        file_of(tx, version)
    except InvalidRequest as error:
        return str(error)
    return ""


def _way_back(tx: PromptHistoryRows, prompt_key: str) -> _WayBack | None:
    """Return how what was promoted last is rolled back; None where that was done, or where nothing is left to go to."""
    pointer = pointers.find(tx, prompt_key)
    moves = promotion.moves_of(tx, pointer) if pointer else []
    if pointer is None or not moves or moves[0].action not in (promotion.PUBLISHED, promotion.PROMOTED):
        return None
    live, shunned = tx.versions.get(pointer.version_id), quarantined(tx, prompt_key)
    for move in moves:
        before = tx.versions.find(prompt_key=prompt_key, name=move.details["from"])
        usable = before is not None and before.status == "released" and before.id != live.id
        if before is not None and usable and content(before) not in shunned:
            return _WayBack(tx.prompts.get(prompt_key).project_id, pointer, live, before)
    return None


def _recent(tx: StudyRows, version: PromptVersion, since: datetime | None) -> Sequence[Option]:
    """Return the last renders of a version, newest first; nothing where too few failed for a full look."""
    failed = tx.options.all(version=version.id, state="failed")
    if len(failed) < MOST_FAILED:
        return ()
    made = (*failed, *tx.options.all(version=version.id, state=("ready", "spare")))
    newest = sorted(made, key=lambda option: option.id, reverse=True)[:LOOKED_AT]
    found = {one.id: one for one in tx.experiments.all(id=tuple({option.experiment_id for option in newest}))}
    counted = {one.id for one in found.values() if one.kind in SAMPLES and (since is None or one.created_at >= since)}
    return [option for option in newest if option.experiment_id in counted][:RECENT]


def _is_failing(recent: Sequence[Option]) -> bool:
    """Tell whether renders fail too often, and with several photos: one photo may be at fault by itself."""
    failed = [option.input_id for option in recent if option.state == "failed"]
    photos = min(MOST_FAILED, len({option.input_id for option in recent}))
    return len(failed) >= MOST_FAILED and len(set(failed)) >= photos


def _roll_back(parts: Parts, way: _WayBack, why: str) -> None:
    actor, key = Actor.itself(way.project_id), way.pointer.prompt_key
    told = {"prompt": key, "version": way.live.name, "why": why}
    try:
        promotion.roll_back(parts, actor, key, way.pointer.revision, version_id=way.before.id, note=why)
    except Conflict as error:  # somebody was first, or a file needs an admin
        log.warning("a version was not rolled back", extra={**told, "error": str(error)})
        return
    log.warning("a version was rolled back at once", extra=told)
