"""Experiments of a study: which study a rater works on, and what is dropped unseen."""

from collections.abc import Iterable
from datetime import datetime

from ml_service.errors import NotFound
from web.domain.access import Actor
from web.domain.studies.assigning import Mine, lined_up
from web.domain.studies.experiment import LIVE
from web.domain.studies.study import Study
from web.rows.rating import RatingRows
from web.rows.studies import StudyRows
from web.services.accounts import rights


def studies_to_rate(tx: StudyRows, rater: Actor, study_id: str | None = None) -> tuple[Mine, ...]:
    """Return the running studies that a rater is assigned to, in their order, or only the one asked for.

    One that is not theirs is not found, unless they are an admin, who may rate any.
    """
    mine = lined_up(tx.of_studies.mine(rater.project_id, rater.user_id, study_id or ""))
    if study_id is None:
        return mine
    asked = tuple(one for one in mine if one.study.id == study_id)
    if not asked:
        study = rights.found(tx.studies, rater, "rate", "study", study_id)
        if rater.role != "admin":
            raise NotFound(f"There is no study {study_id} for you to rate; open Train for those that are yours.")
        asked = (Mine(study, "person", 1, 1, study.created_at),)
    return asked


def study_to_rate(tx: StudyRows, rater: Actor, study_id: str | None = None) -> Study | None:
    """Return the study a rater works on: the one asked for, else the one they chose, else the first of theirs."""
    mine = studies_to_rate(tx, rater, study_id)
    chosen = next((one for one in mine if one.chosen), next(iter(mine), None))
    return chosen.study if chosen else tx.of_studies.resting(rater.project_id, rater.user_id)


def study_to_see(tx: StudyRows, actor: Actor, study_id: str | None = None) -> Study | None:
    """Return the study whose numbers somebody sees: one asked for, else the running one they rate.

    Where there is none, admins see the newest, and raters what they are assigned to or once rated.
    """
    if study_id is not None:
        found = rights.found(tx.studies, actor, "rate", "study", study_id)
        if actor.role != "admin" and found.id not in {one.id for one in studies_to_see(tx, actor)}:
            raise NotFound(f"There is no study {study_id} that you rate or rated.")
        return found
    mine = studies_to_rate(tx, actor)
    on = next((one for one in mine if one.chosen), next(iter(mine), None))
    if on is not None:
        return on.study
    if actor.role == "admin":
        return tx.of_studies.newest(actor.project_id)
    resting = tx.of_studies.resting(actor.project_id, actor.user_id)
    return resting or next(reversed(studies_to_see(tx, actor)), None)


def studies_to_see(tx: StudyRows, actor: Actor) -> tuple[Study, ...]:
    """Return the studies whose numbers somebody may see: admins all, raters those that they rate or once rated."""
    if actor.role == "admin":
        return tx.studies.all(project_id=actor.project_id)
    return tx.of_studies.seen_by(actor.project_id, actor.user_id)


def drop_unheld(tx: RatingRows, experiment_ids: Iterable[str], now: datetime) -> tuple[str, ...]:
    """Drop those of some experiments that are still to be rated and that nobody has ever held; return their ids."""
    locked = tx.of_experiments.lock(experiment_ids)
    held = {lease.experiment_id for lease in tx.leases.all(experiment_id=tuple(locked))}
    unheld = tuple(one.id for one in locked.values() if one.state in LIVE and one.id not in held)
    tx.of_experiments.move(unheld, "dropped", now)
    return unheld
