"""Versions before they are released: what becomes of what was learnt, and under which name it is published."""

from dataclasses import replace
from datetime import datetime

from ml_service.errors import Conflict
from ml_service.wire.contract import Best
from web.domain.prompts.prompt import PromptVersion, as_file, next_name, step
from web.domain.studies.study import Study
from web.rows.prompts import PromptRows
from web.rows.studies import StudyRows
from web.services.prompts.publication import parent_names


def best_child(
    tx: StudyRows, study: Study, live: PromptVersion, learnt_id: str | None, version_id: str, now: datetime
) -> PromptVersion:
    """Return the live version with the best settings of a study over its own parameters, as a candidate.

    They are the newest, or those of the diagnosis that somebody has looked at.
    """
    best, ratings = _learnt(tx, study, learnt_id)
    own = live.parameter_defaults.get(best.generator, {}) | best.point
    defaults = live.parameter_defaults | {best.generator: own}
    if defaults == live.parameter_defaults:
        raise Conflict(f"The best settings of {study.name} are live already, as {live.name}.")
    gain = f"gain {best.gain.mean:+.2f} ({best.gain.low:.2f} to {best.gain.high:.2f})"
    return replace(
        live,
        id=version_id,
        number=0,  # it gets its number where it is kept
        name=None,
        created_at=now.replace(microsecond=0),
        created_by="optimizer",
        parameter_defaults=defaults,
        parents=(live.id,),
        changelog=f"The best settings of {study.name} after {ratings} ratings: {gain} over the defaults.",
        sha256="",
        status="candidate",
        revision=0,
    )


def released(tx: PromptRows, candidate: PromptVersion) -> PromptVersion:
    """Return a candidate as it is released: with its name, which follows from its parent, and its file's hash.

    One that cannot be rendered with its own defaults is refused: production could not use it.
    """
    for generator in candidate.components:
        candidate.rendered(generator)
    taken = [line.name for line in tx.of_prompts.lines(candidate.prompt_key) if line.name is not None]
    parents = parent_names(tx, candidate)
    parent = tx.versions.get(candidate.parents[0]) if candidate.parents else None
    name = next_name(parents[0], step(parent, candidate), taken) if parent else next_name(None, "major", taken)
    named = replace(candidate, name=name, status="released")
    return replace(named, sha256=as_file(named, parents).sha256)


def _learnt(tx: StudyRows, study: Study, learnt_id: str | None) -> tuple[Best, int]:
    if learnt_id is None:
        learnt = tx.of_studies.newest_diagnosis(study.id)
    else:
        learnt = tx.diagnoses.find(id=learnt_id, study_id=study.id)
        if learnt is None:
            raise Conflict("The settings that you looked at are not kept any more; look at the newest and repeat.")
    if learnt is None or learnt.diagnosis.best is None:
        raise Conflict(f"{study.name} has learnt no best settings yet; they come with its first ratings.")
    return learnt.diagnosis.best, learnt.diagnosis.ratings_used
