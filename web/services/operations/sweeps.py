"""Changes of many photos at once: each photo by the use case of one, a slice at a time, and how far they have come."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from ml_service.errors import InvalidRequest, NotFound
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.jobs import IN_FLIGHT, sweep_job
from web.domain.studies.photos import PhotoFilter
from web.domain.studies.sweeps import Sweep, SweepAction
from web.ports.parts import Parts
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.operations.erasure import WORD, erase_input
from web.services.studies.intake import take_down
from web.services.studies.photos import checked_stratum, hold_out, set_stratum

AT_ONCE = 20  # photos between two notes of how far it has come
SLICE = 200  # photos until other work has its turn
AT_HAND = 40  # photos that are changed while who asked waits
MOST_IDS = 500


def sweep(
    parts: Parts,
    admin: Actor,
    study_id: str,
    action: SweepAction,
    *,
    ids: Iterable[str] = (),
    wanted: PhotoFilter | None = None,
    argument: str = "",
) -> Sweep:
    """Change photos by their ids, or all that a filter matches now; a few at once, many by a job."""
    chosen = () if wanted else tuple(sorted(set(ids)))
    if wanted is None and not 0 < len(chosen) <= MOST_IDS:
        raise InvalidRequest(f"Choose 1 to {MOST_IDS} photos, or all that match the filter.")
    argument = _argument(action, argument)
    now = parts.clock.now()
    with parts.store.begin() as tx:
        study = rights.found(tx.studies, admin, "steer", "study", study_id)
        if len(tx.inputs.all(id=chosen, study_id=study.id)) < len(chosen):
            raise NotFound("One of these photos is not in this study; load the page again. Nothing was changed.")
        until = new_id() if wanted else chosen[-1]
        total = tx.of_reports.photo_count(study.id, wanted, admin.time_zone) if wanted else len(chosen)
        query = {**wanted.query(), "zone": admin.time_zone} if wanted else {}
        begun = Sweep(new_id(), study.id, action, now, argument, chosen, query, until, total=total)
        begun = tx.sweeps.add(replace(begun, asked_by=admin.user_id or None))
        at_hand = total <= AT_HAND  # the job is for the case that whoever does it now is killed
        tx.of_jobs.add_once([sweep_job(begun.id, study.id, now, IN_FLIGHT if at_hand else timedelta(0))])
    return run(parts, begun.id) if at_hand else begun


def _argument(action: SweepAction, argument: str) -> str:
    if action == "stratum":
        return checked_stratum(argument)
    if action == "erase" and argument.strip().lower() != WORD:
        raise InvalidRequest(f"Nothing was erased: type “{WORD}” to confirm.")
    return WORD if action == "erase" else ""


def run(parts: Parts, sweep_id: str) -> Sweep:
    """Do the next slice of a change, and ask for the one after it; what is done already is passed over."""
    with parts.store.read() as tx:
        swept = tx.sweeps.get(sweep_id)
        actor = _actor(tx, swept)
    for _ in range(SLICE // AT_ONCE):
        if swept.finished_at is not None:
            return swept
        swept = _step(parts, actor, swept)
    with parts.store.begin() as tx:
        tx.of_jobs.add_once([sweep_job(swept.id, swept.study_id, parts.clock.now())])
    return swept


def _actor(tx: Transaction, swept: Sweep) -> Actor:
    project = tx.studies.get(swept.study_id).project_id
    return Actor(swept.asked_by or "", "", project, "admin")


def _step(parts: Parts, actor: Actor, swept: Sweep) -> Sweep:
    """Change the next few photos and note how far that was; whoever did so meanwhile has the newer note."""
    with parts.store.read() as tx:
        some = _next(tx, swept)
    for input_id in some:
        _do(parts, actor, swept, input_id)
    is_over = len(some) < AT_ONCE
    with parts.store.begin() as tx:
        now = tx.sweeps.get(swept.id)
        if now.after >= (some[-1] if some else now.after) and not is_over:
            return now
        done = now.done + sum(input_id > now.after for input_id in some)
        finished = parts.clock.now() if is_over else None
        return tx.sweeps.replace(replace(now, done=done, after=some[-1] if some else now.after, finished_at=finished))


def _next(tx: Transaction, swept: Sweep) -> tuple[str, ...]:
    if swept.ids:
        return tuple(one for one in swept.ids if one > swept.after)[:AT_ONCE]
    wanted, zone = PhotoFilter.read(swept.wanted), swept.wanted.get("zone", "UTC")
    return tx.of_reports.photo_ids(swept.study_id, wanted, swept.until, swept.after, AT_ONCE, zone)


def _do(parts: Parts, actor: Actor, swept: Sweep, input_id: str) -> None:
    with parts.store.read() as tx:
        source = tx.inputs.find(id=input_id, study_id=swept.study_id)
    if source is None:
        raise NotFound(f"There is no input {input_id} in this study.")
    if swept.action == "take_down":
        take_down(parts, actor, input_id)
    elif swept.action == "erase":
        erase_input(parts, actor, input_id, swept.argument)
    elif swept.action == "stratum":
        set_stratum(parts, actor, input_id, swept.argument)
    else:
        hold_out(parts, actor, input_id, held=swept.action == "hold_out")
