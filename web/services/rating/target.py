"""How much a rater has done: today, of how many that are their daily target, and ever."""

from dataclasses import dataclass
from datetime import datetime

from web.domain.access import Actor
from web.domain.studies.study import Study
from web.rows.rating import RatingRows


@dataclass(frozen=True)
class Progress:
    """How many scores a rater has given: today, of how many, and ever."""

    today: int
    target: int
    total: int


def progress(tx: RatingRows, rater: Actor, study: Study | None, since: datetime) -> Progress:
    """Return how far a rater has come in a study since their day began; nothing where there is no study."""
    return counted(tx, rater, study.id, study.daily_target, since) if study else Progress(0, 0, 0)


def counted(tx: RatingRows, rater: Actor, study_id: str, target: int, since: datetime) -> Progress:
    """Count what a rater has scored in a study, against a target that is known already."""
    today, total = tx.of_ratings.count_by(rater.user_id, study_id, since)
    return Progress(today, target, total)
