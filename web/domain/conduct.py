"""What a rater's ratings say of their care: signs, flags where two signs agree, and drift.

No sign alone accuses anyone: pictures can be alike, a careful rater can be quick, a strict one can be alone. Someone
who uses half of the scale is neither noisy nor flat here, for what counts is whether stars follow the pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np

Sign = Literal["same_stars", "long_run", "unrelated", "too_quick", "gold_missed", "repeats_differ"]

LEAST = 20  # ratings: about fewer nothing is said
FLAT = 0.15  # variance of stars below which P.910 calls a session flat
UNLIKELY = 0.001  # how improbable a run of equal stars has to be
RELATED = 0.5  # of the others' usual correlation with what is expected: less is not rating the same pictures
QUICK = 0.5  # of the others' median time on a picture
GOLD = 0.2  # share of answers on gold items that may be wrong
REPEATS = 0.4  # share of hidden repeats that may differ by more than a star
LEAST_CHECKS = 3  # misses of gold items or repeats that differ: fewer can be chance
SLACK, ALARM = 0.5, 6.0  # of the cumulative sum, in standard deviations: a shift of one is found in some 12 ratings


@dataclass(frozen=True)
class Signals:
    """What is known of one rater's work in a study, in the order it was done.

    `expected` is what the others let one expect of each rating (`OpinionScores.expected`), `dwell_ms` how long each
    picture was looked at (0 is unknown); `golds` and `repeats` count the answers given, `gold_misses` and
    `repeat_misses` those more than a star off. What is usual is told of the others: their correlation with what was
    expected of them, their median dwell, and how they share out the stars.
    """

    rater: str
    stars: tuple[float, ...]
    expected: tuple[float, ...]
    dwell_ms: tuple[int, ...] = ()
    golds: int = 0
    gold_misses: int = 0
    repeats: int = 0
    repeat_misses: int = 0
    usual_correlation: float | None = None
    usual_dwell_ms: float | None = None
    usual_shares: tuple[float, float, float, float, float] = (0.2, 0.2, 0.2, 0.2, 0.2)


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


def flags(signals: Signals) -> tuple[Flag, ...]:
    """Return the signs of careless rating where at least two agree, else none."""
    found = signs(signals)
    return found if len(found) > 1 else ()


def signs(signals: Signals) -> tuple[Flag, ...]:
    """Return every sign of careless rating, each of which alone proves nothing."""
    if len(signals.stars) < LEAST:
        return ()
    found = (look(signals) for look in (_same_stars, _long_run, _unrelated, _too_quick, _gold_missed, _repeats_differ))
    return tuple(flag for flag in found if flag is not None)


def correlation(stars: Sequence[float], expected: Sequence[float]) -> float | None:
    """Return how closely stars follow what is expected, -1 to 1; None where all stars are equal or too few."""
    if len(stars) < 3 or np.ptp(stars) == 0 or np.ptp(expected) == 0:
        return None
    return float(np.corrcoef(stars, expected)[0, 1])


def drift(residuals: Sequence[float], noise: float) -> Drift | None:
    """Return where a rater's level moved, by a two-sided cumulative sum of residuals; None while it holds.

    `residuals` are stars less what was expected of this rater, in order; `noise` is their usual standard deviation.
    """
    for sign in (1.0, -1.0):
        total, since = 0.0, 0
        for at, residual in enumerate(residuals):
            total = max(0.0, total + sign * residual / noise - SLACK)
            if total == 0:
                since = at + 1
            elif total > ALARM:
                return Drift(since, float(np.mean(residuals[since : at + 1])))
    return None


def _same_stars(signals: Signals) -> Flag | None:
    value = float(np.var(signals.stars))
    words = "Gives almost everything the same stars."
    return Flag(signals.rater, "same_stars", words, value, FLAT) if value < FLAT else None


def _long_run(signals: Signals) -> Flag | None:
    """Weigh the longest run of each score by how often the others give that score: where all is good, 5 is no sign."""
    value = 1.0
    for star, run in groupby(signals.stars):
        share = min(max(signals.usual_shares[round(min(max(star, 1), 5)) - 1], 0.05), 0.95)
        value = min(value, len(signals.stars) * share ** len(list(run)))
    words = "Gives the same stars many times in a row, where others vary."
    return Flag(signals.rater, "long_run", words, value, UNLIKELY) if value < UNLIKELY else None


def _unrelated(signals: Signals) -> Flag | None:
    if signals.usual_correlation is None:
        return None
    value = correlation(signals.stars, signals.expected) or 0.0
    limit = RELATED * signals.usual_correlation
    words = "Gives stars that have little to do with what others see in the same pictures."
    return Flag(signals.rater, "unrelated", words, value, limit) if value < limit else None


def _too_quick(signals: Signals) -> Flag | None:
    looked = [ms for ms in signals.dwell_ms if ms > 0]
    if not looked or signals.usual_dwell_ms is None:
        return None
    value, limit = float(np.median(looked)), QUICK * signals.usual_dwell_ms
    words = "Looks at a picture for less than half as long as others do."
    return Flag(signals.rater, "too_quick", words, value, limit) if value < limit else None


def _gold_missed(signals: Signals) -> Flag | None:
    words = "Misses items whose answer is known by more than a star."
    return _missed(signals.rater, "gold_missed", words, signals.gold_misses, signals.golds, GOLD)


def _repeats_differ(signals: Signals) -> Flag | None:
    words = "Rates the same picture differently when it comes again."
    return _missed(signals.rater, "repeats_differ", words, signals.repeat_misses, signals.repeats, REPEATS)


def _missed(rater: str, name: Sign, words: str, misses: int, answers: int, limit: float) -> Flag | None:
    if misses < LEAST_CHECKS:
        return None
    value = misses / answers
    return Flag(rater, name, words, value, limit) if value > limit else None
