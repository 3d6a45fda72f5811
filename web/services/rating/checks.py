"""Checks of raters as they rate: calibration items while a calibration is due, gold items that wear out."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from web.domain.jobs import check_job, check_key
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.gold import EXPOSURES, Gold
from web.domain.rating.lease import Asker, Lease, Seat
from web.domain.rating.rating import Tally
from web.domain.studies.experiment import Experiment
from web.domain.studies.study import Study
from web.rows.rating import RatingRows
from web.rows.transaction import Transaction
from web.services.rating import turns


def give(tx: Transaction, study: Study, seat: Seat, asker: Asker, tab: str, count: int) -> tuple[Lease, ...]:
    """Lease a rater what comes next: calibration items while one is due, and then what the queue has."""
    if seat.enrolment is not None and seat.calibration_since is not None:
        fresh, waits = _calibrate(tx, study, seat.enrolment, asker, tab, count)
        if waits:
            return fresh
    fresh, lacks_gold = turns.hand_out(tx, study, asker, tab, count)
    if lacks_gold:
        tx.of_jobs.add_once([check_job(study.id, asker.now)])
    return fresh


def _calibrate(
    tx: Transaction, study: Study, enrolment: Enrolment, asker: Asker, tab: str, count: int
) -> tuple[tuple[Lease, ...], bool]:
    """Lease calibration items; tell whether the rater has to wait for these, or for others that are being made."""
    due = max(filter(None, (enrolment.calibration_since, enrolment.read_at)))
    done = tx.of_enrolments.calibrated(study.id, asker.rater_id, enrolment.calibration_since or due)
    held = tx.of_enrolments.calibrating(study.id, asker.rater_id, asker.now)
    fresh = turns.calibrate(tx, asker, tab, min(count, max(study.calibration - done - held, 0)))
    if fresh or (held and done < study.calibration):
        return fresh, True
    if done < study.calibration and _are_coming(tx, study, due, asker.now):
        return (), True
    tx.enrolments.replace(replace(enrolment, trained_at=asker.now))
    return (), False


def _are_coming(tx: Transaction, study: Study, due: datetime, now: datetime) -> bool:
    """Tell whether calibration items are being made; ask for them, once, where nobody did since they were due."""
    if tx.experiments.all(study_id=study.id, kind="calibration", state=("planned", "generating")):
        return True
    asked = tx.jobs.all(key=check_key(study.id))
    if any(job.state in ("waiting", "claimed") for job in asked):
        return True
    if any(job.created_at >= due for job in asked):
        return False  # what could be made was made: a rater is never kept waiting for more
    tx.of_jobs.add_once([check_job(study.id, now, timedelta(0))])
    return True


def right_answers(tx: RatingRows, experiments: Iterable[Experiment]) -> dict[str, Gold]:
    """Return what is right for the calibration items among some experiments, by experiment."""
    ids = tuple(one.id for one in experiments if one.kind == "calibration")
    return {gold.experiment_id: gold for gold in tx.golds.all(experiment_id=ids)} if ids else {}


def is_complete(experiment: Experiment, options: Sequence[Tally], wanted: int) -> bool:
    """Tell whether an experiment asks for no more ratings."""
    if experiment.kind in ("gold", "calibration"):
        return experiment.state == "closed"  # shown until it is retired
    if experiment.kind == "ab":  # halves by two raters are no pair, and bias of one rater would not cancel out
        return len(frozenset.intersection(*(option.rated_by for option in options))) >= wanted if options else False
    enough = 1 if experiment.kind == "repeat" else wanted
    return all(len(option.rated_by) >= enough for option in options)


def is_worn(experiment: Experiment, options: Sequence[Tally]) -> bool:
    """Tell whether so many raters have met a gold item that word of it may get around."""
    return experiment.kind == "gold" and any(
        len(option.rated_by | option.skipped_by) >= EXPOSURES for option in options
    )


def retire(tx: RatingRows, golds: Sequence[Gold], now: datetime) -> None:
    """Show some gold or calibration items no more; their answers stay."""
    locked = tx.of_experiments.lock([gold.experiment_id for gold in golds])
    tx.of_experiments.move([one.id for one in locked.values() if one.state == "ready"], "closed", now)
    for gold in golds:
        if gold.retired_at is None:
            tx.golds.replace(replace(gold, retired_at=now))
