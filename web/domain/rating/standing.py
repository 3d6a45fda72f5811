"""How the raters of a study stand, for admins and for themselves, and the items that they scored."""

from dataclasses import dataclass, replace
from datetime import datetime

from ml_service.wire.contract import Interval
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.figures import Agreement, AgreementStep, OrdinalCheck, RaterFigures, Score
from web.domain.rating.rating import Exclusion

# What is told of a sign to whom it is about, where its own words would tell which pictures were checks.
SAID = {"checks_missed": "Misses more of the checks and repeats than others do."}


@dataclass(frozen=True)
class RaterReport:
    """One rater of a study: who they are, what they are like where they have rated, and how they stand in it."""

    rater_id: str
    rater: str
    active: bool
    skips: int
    figures: RaterFigures | None
    enrolment: Enrolment | None
    exclusion: Exclusion | None


@dataclass(frozen=True)
class ScoredItem:
    """An item by its opinion score: the input that it was made of, how, and how likely it is the best of all."""

    score: Score
    best: float
    experiment_id: str
    input_id: str
    input: str
    generator: str
    version: str


@dataclass(frozen=True)
class RatersReport:
    """The raters of a study, the most active first, how far they agree, and all items they scored, the best first."""

    study_id: str
    study: str
    raters: tuple[RaterReport, ...]
    agreement: Agreement
    over_time: tuple[AgreementStep, ...]
    order: OrdinalCheck | None
    items: tuple[ScoredItem, ...]
    change: str


@dataclass(frozen=True)
class OwnStanding:
    """How a rater stands beside the others: in words and shares that tell neither who they are nor what was a check.

    `checks` and `repeats` are shares to the nearest tenth, None while they are few; `paused` and `excluded` are the
    reasons given, "" where that is not so; `message` is what an admin wrote and the rater has not read yet.
    """

    level: Interval | None = None
    seconds: float | None = None
    checks: float | None = None
    repeats: float | None = None
    signs: tuple[str, ...] = ()
    paused: str = ""
    excluded: str = ""
    appeal: str = ""
    appealed_at: datetime | None = None
    answered: str = ""
    answered_at: datetime | None = None
    message: str = ""
    message_at: datetime | None = None

    @classmethod
    def of(cls, one: RaterReport | None) -> "OwnStanding":
        """Return what a rater may see of what admins see of them."""
        if one is None:
            return cls()
        figures, place = one.figures, one.enrolment
        told = cls(excluded=one.exclusion.reason if one.exclusion else "")
        if figures is not None:
            told = replace(
                told,
                level=figures.judge.bias if figures.judge else None,
                seconds=figures.median_seconds if figures.seconds else None,
                checks=figures.checks.roughly,
                repeats=figures.repeats.roughly,
                signs=tuple(SAID.get(flag.name, flag.words) for flag in figures.flags),
            )
        if place is not None:
            told = replace(
                told,
                paused=place.pause_reason if place.paused_at else "",
                appeal=place.appeal,
                appealed_at=place.appealed_at,
                answered=place.answered,
                answered_at=place.answered_at,
                message=place.unread,
                message_at=place.message_at,
            )
        return told
