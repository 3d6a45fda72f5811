"""Means of many ratings, from sums: with intervals, with raters brought to one level, and a trend that forgets.

Ratings are whole stars: however alike they are, each leaves open at least the variance of an even error of half a star
(`ROUNDING`), so equal ratings have an interval too, as wide at three stars as at five. One alone says nothing of how
ratings spread: its interval is the whole scale.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from ml_service.wire.contract import ROUNDING, Interval
from web.domain.rating.figures import TrendStep

K = TypeVar("K")
FEWEST = 1.1  # ratings, effective ones: fewer say nothing of how ratings spread
SPAN = 50  # ratings: how far back the smoothed mean looks (the usual span of an exponential mean)


@dataclass(frozen=True)
class Sums:
    """What is kept of many scores: how many, their sum, the sum of their squares."""

    count: int
    total: float
    squares: float

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.count + other.count, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        """Return the mean score."""
        return self.total / self.count

    def shifted(self, by: float) -> "Sums":
        """Return the sums of the scores with a number added to each."""
        squares = self.squares + 2 * by * self.total + self.count * by * by
        return Sums(self.count, self.total + by * self.count, squares)

    @property
    def variance(self) -> float:
        """Return the sample variance (n - 1), 0 for a single score."""
        spread = max(self.squares - self.total * self.total / self.count, 0.0)
        return spread / (self.count - 1) if self.count > 1 else 0.0


NOTHING = Sums(0, 0.0, 0.0)


def level_raters(groups: Iterable[tuple[K, str, Sums]]) -> dict[K, Sums]:
    """Return the sums per group once each rater's scores are moved to the mean of all.

    A group is a key, a rater and the sums of what that rater gave it. A harsh rater who happened to see one version
    more often than another then no longer makes it look worse.
    """
    rows = list(groups)
    by_rater: defaultdict[str, Sums] = defaultdict(lambda: NOTHING)
    for _, rater, sums in rows:
        by_rater[rater] += sums
    overall = sum(by_rater.values(), NOTHING)
    levelled: defaultdict[K, Sums] = defaultdict(lambda: NOTHING)
    for key, rater, sums in rows:
        levelled[key] += sums.shifted(overall.mean - by_rater[rater].mean)
    return dict(levelled)


def mean_interval(sums: Sums) -> Interval:
    """Return the mean with its 95 % interval by Student's t, cut to the scale of 1 to 5.

    Scores count as independent, so the interval is somewhat narrow where few inputs were rated often.
    """
    return _interval(sums.mean, sums.variance, sums.count)


def smooth(steps: Sequence[tuple[datetime, Sums]]) -> tuple[TrendStep, ...]:
    """Return each step's mean and the exponentially weighted mean up to it, with a 95 % band.

    Each rating that follows makes the weight of an earlier one smaller by 2 / (SPAN + 1). The band is the interval of
    the weighted mean by Student's t, from the weighted variance and the effective number of ratings (Kish 1965).
    """
    keep = 1 - 2 / (SPAN + 1)
    weight = weight_squared = total = squares = 0.0
    trend = []
    for at, sums in steps:
        fade = keep**sums.count
        weight, weight_squared = weight * fade + sums.count, weight_squared * fade * fade + sums.count
        total, squares = total * fade + sums.total, squares * fade + sums.squares
        mean = total / weight
        effective = weight * weight / weight_squared
        spread = max(squares / weight - mean * mean, 0.0)
        variance = spread * effective / (effective - 1) if effective > 1 else 0.0
        trend.append(TrendStep(at, sums.count, sums.mean, _interval(mean, variance, effective)))
    return tuple(trend)


def _interval(mean: float, variance: float, ratings: float) -> Interval:
    """Return the 95 % interval of a mean by Student's t, from the sample variance and how many ratings it is of."""
    from scipy.special import stdtrit  # loaded where a mean is asked for, and by no start

    if ratings < FEWEST:
        return Interval.of_rating(mean, math.inf)
    half = float(stdtrit(ratings - 1, 0.975)) * math.sqrt(max(variance, ROUNDING) / ratings)
    return Interval.of_rating(mean, half)
