"""Diagnoses of a study: the newest that still holds, and what each expected."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import JSON, Connection, select, type_coerce

from ml_service.wire.contract import Interval
from web.adapters.database.tables import diagnoses
from web.domain.reports.report import BestStep
from web.domain.studies.study import Learnt

BEST_STEPS = 300


def newest(connection: Connection, study_id: str, scored: int) -> Learnt | None:
    """Return the newest diagnosis that knows no more than stands: an undone rating brings the one before it back."""
    used = type_coerce(diagnoses.c.diagnosis, JSON)["ratings_used"].as_integer()
    query = select(diagnoses).where(diagnoses.c.study_id == study_id, used <= scored)
    row = connection.execute(query.order_by(diagnoses.c.made_at.desc(), diagnoses.c.id.desc()).limit(1)).mappings()
    found = row.first()
    return None if found is None else Learnt(**found)


def best_steps(connection: Connection, study_id: str, scored: int) -> tuple[BestStep, ...]:
    """Return what each diagnosis expected of the best point, the newest where several used as many ratings."""
    document = type_coerce(diagnoses.c.diagnosis, JSON)
    rating, left = document["best"]["rating"], document["convergence"]
    numbers = (*(rating[key] for key in ("mean", "low", "high")), left["gain_left"], left["probability_near_best"])
    used = document["ratings_used"].as_integer()
    query = (
        select(used, *(number.as_float() for number in numbers))
        .where(diagnoses.c.study_id == study_id, used <= scored)
        .order_by(diagnoses.c.made_at.desc())
        .limit(BEST_STEPS)
    )
    return _by_ratings(connection.execute(query).all())


def _by_ratings(newest_first: Iterable[Sequence[Any]]) -> tuple[BestStep, ...]:
    steps = {
        used: BestStep(used, Interval(mean=mean, low=low, high=high), left, near)
        for used, mean, low, high, left, near in reversed(list(newest_first))
        if mean is not None
    }
    return tuple(step for _, step in sorted(steps.items()))
