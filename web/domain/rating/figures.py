"""What the numbers say of raters and items: scores, levels, flags, agreement, and the nightly check of order."""

import math
import statistics
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from ml_service.wire.contract import Interval

MANY = 10  # checks, from which on their share tells of nobody's single answer
BAND = 1.96  # standard errors on either side that hold 95 % of a normal
Sign = Literal["same_stars", "long_run", "unrelated", "scattered", "too_quick", "checks_missed"]


@dataclass(frozen=True)
class Score:
    """What a panel of such raters would give an item on average, with the bounds that hold it with 95 %."""

    item: str
    mean: float
    low: float
    high: float
    ratings: int


@dataclass(frozen=True)
class Judge:
    """How a rater rates: stars above others (`bias`), stars moved where others move one (`scale`), and own noise."""

    rater: str
    bias: Interval
    scale: Interval
    noise: float
    ratings: int


@dataclass(frozen=True)
class Flag:
    """One sign of careless rating: its name, what it says in words, the value found and the limit it passed."""

    rater: str
    name: Sign
    words: str
    value: float
    limit: float


@dataclass(frozen=True)
class Drift:
    """A rater's level moved: since which of their ratings, and by how many stars."""

    since: int
    by: float


@dataclass(frozen=True)
class Share:
    """How many of some things were right."""

    right: int
    of: int

    @property
    def roughly(self) -> float | None:
        """Return the share to the nearest tenth, so that no single one can be told from it; None while they are few."""
        return round(self.right / self.of, 1) if self.of >= MANY else None

    @property
    def interval(self) -> Interval:
        """Return the share with its 95 % interval (Wilson); without any, all is possible."""
        if not self.of:
            return Interval(mean=0.5, low=0.0, high=1.0)
        share, square = self.right / self.of, BAND * BAND / self.of
        middle = (share + square / 2) / (1 + square)
        half = BAND * math.sqrt(share * (1 - share) / self.of + square / self.of / 4) / (1 + square)
        return Interval(mean=share, low=max(middle - half, 0.0), high=min(middle + half, 1.0))


@dataclass(frozen=True)
class Level:
    """How far above the others a rater was around one rating, smoothed, with a 95 % band; stars."""

    at: datetime
    ratings: int
    above: Interval


@dataclass(frozen=True)
class Agreement:
    """How far raters agree: alpha and the intraclass correlation with 95 % intervals, and how sure scores are.

    `reliable` is the reliability of an item's score by as many ratings as items have on average. All are None while no
    ratings tell of them: where nobody scored the same items, or all scored all alike.
    """

    alpha: Interval | None = None
    icc: Interval | None = None
    per_item: float = 0.0
    reliable: float | None = None


@dataclass(frozen=True)
class AgreementStep:
    """The agreement of all ratings up to a moment."""

    at: datetime
    ratings: int
    alpha: Interval
    icc: Interval


@dataclass(frozen=True)
class Contender:
    """An item by its score, and how likely it is the best of all."""

    score: Score
    best: float


@dataclass(frozen=True)
class RaterFigures:
    """What a rater is like: level, use of the scale and noise against the others, checks, times, and how that moved.

    `judge` is None where no rating counts, `noise` where fewer than two do, `seconds` are those that each picture was
    looked at. `flags` and `drift` go by what was rated since the rater was last calibrated anew.
    """

    rater: str
    ratings: int
    judge: Judge | None
    noise: Interval | None
    checks: Share
    repeats: Share
    scores: dict[int, int]
    seconds: tuple[float, ...]
    levels: tuple[Level, ...]
    flags: tuple[Flag, ...]
    drift: Drift | None
    first_at: datetime
    last_at: datetime

    @cached_property
    def median_seconds(self) -> float:
        """Return the time that half of the rater's ratings took at most."""
        return statistics.median(self.seconds) if self.seconds else 0.0


@dataclass(frozen=True)
class Turned:
    """Two items whose order by the opinion scores is certain, and the other way round by the ordinal check."""

    better: str
    worse: str


@dataclass(frozen=True)
class OrdinalCheck:
    """How a study's order of items by opinion scores stands where stars are an order only, and as of when.

    `rank` is the rank correlation of both orders, None of fewer than three items; `changed` of the `top` best items are
    others by the check, as happens among near equals; `turned` pairs have an order that the scores call certain, and
    the check reverses.
    """

    study_id: str
    made_at: datetime
    ratings: int
    items: int
    rank: float | None
    top: int
    changed: int
    turned: int


@dataclass(frozen=True)
class TrendStep:
    """The ratings of one minute, hour or day, and the smoothed mean up to its end."""

    at: datetime
    ratings: int
    mean: float
    smooth: Interval
