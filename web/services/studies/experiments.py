"""Experiments of a study: which study a rater works on, and what is dropped unseen."""

from collections.abc import Iterable
from datetime import datetime

from web.domain.access import Actor
from web.domain.studies.experiment import LIVE
from web.domain.studies.study import Study
from web.rows.rating import RatingRows
from web.rows.studies import StudyRows
from web.services.accounts import rights


def study_to_rate(tx: StudyRows, rater: Actor, study_id: str | None = None) -> Study | None:
    """Return the study a rater works on: the one asked for, else the newest running one, else the newest other."""
    if study_id is not None:
        return rights.found(tx.studies, rater, "rate", "study", study_id)
    return tx.of_studies.to_rate(rater.project_id)


def drop_unheld(tx: RatingRows, experiment_ids: Iterable[str], now: datetime) -> tuple[str, ...]:
    """Drop those of some experiments that are still to be rated and that nobody has ever held; return their ids."""
    locked = tx.of_experiments.lock(experiment_ids)
    held = {lease.experiment_id for lease in tx.leases.all(experiment_id=tuple(locked))}
    unheld = tuple(one.id for one in locked.values() if one.state in LIVE and one.id not in held)
    tx.of_experiments.move(unheld, "dropped", now)
    return unheld
