"""What a rater's ratings say of their care: signs, flags where two signs agree or one is overwhelming, and drift.

Hardly a sign alone accuses anyone: pictures can be alike, a careful rater can be quick, a strict one can be alone. But
stars that have next to nothing to do with what others agree on need no second sign: who clicks with care for checks and
time shows no other. Someone who uses half of the scale is neither noisy nor flat here, for what counts is whether stars
follow the pictures; whose stars do is not accused of the manner in which they are given.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from scipy.special import bdtrc

from web.domain.rating.figures import Drift, Flag

LEAST = 20  # ratings: about fewer nothing is said
FLAT = 0.15  # variance of stars below which P.910 calls a session flat
UNLIKELY = 0.0001  # how improbable equal stars have to be, by how the others share out theirs
RELATED = 0.35  # of the others' usual correlation with what is expected: less is not rating the same pictures
CLEAR = 1.64  # standard errors by which a correlation has to be below the usual one: 1 in 20 by chance
SURE = 3.0  # standard errors from which on that needs no second sign: 1 in 700 by chance
TELLING = 0.35  # usual correlation from which on that is so: the others agree on the pictures
FOLLOWS = 0.7  # of the usual correlation: enough not to be accused of a manner alone
MANNERS = frozenset({"same_stars", "long_run", "too_quick"})
FAR = 2.5  # times the others' usual variance about what is expected: noisy raters of good will stay below
QUICK = 0.5  # of the others' median time on a picture
SLIP, AGAIN = 0.05, 0.05  # how often the careful miss a gold item, and rate a repeat by more than a star otherwise
CHANCE = 0.005  # how improbable so many misses have to be for one who is careful
TOLD_APART = 0.5  # correlation with known answers from which on misses are a matter of level and scale
MISSED = 0.4  # share of checks missed that is not enough: the noisy, and who avoid the ends of the scale, miss some
SLACK, ALARM = 0.5, 10.0  # of the cumulative sum, in standard deviations: it errs once in some 30,000 ratings


@dataclass(frozen=True)
class Signals:
    """What is known of one rater's work in a study, in the order it was done.

    `expected` is what the others let one expect of each rating (`OpinionScores.expected`); items whose answer is known
    are not among them. `dwell_ms` is how long each picture was looked at (0 is unknown); `golds` and `repeats` count
    the answers given, `gold_misses` and `repeat_misses` those more than a star off, `gold_correlation` how far answers
    follow the right ones. What is usual is told of the others: their correlation with what was expected of them and
    their variance about it, their median dwell, and how they share out the stars.
    """

    rater: str
    stars: tuple[float, ...]
    expected: tuple[float, ...]
    dwell_ms: tuple[int, ...] = ()
    golds: int = 0
    gold_misses: int = 0
    repeats: int = 0
    repeat_misses: int = 0
    gold_correlation: float | None = None
    usual_correlation: float | None = None
    usual_scatter: float | None = None
    usual_dwell_ms: float | None = None
    usual_shares: tuple[float, float, float, float, float] = (0.2, 0.2, 0.2, 0.2, 0.2)


def flags(signals: Signals) -> tuple[Flag, ...]:
    """Return the signs of careless rating where at least two agree or one is overwhelming, else none."""
    found = signs(signals)
    if _overwhelming(signals, found):
        return found
    if _follows(signals) and all(flag.name in MANNERS for flag in found):
        return ()
    return found if len(found) > 1 else ()


def _overwhelming(signals: Signals, found: Sequence[Flag]) -> bool:
    """Tell whether stars have so clearly nothing to do with the pictures that no second sign is wanted."""
    usual = signals.usual_correlation or 0.0
    return usual >= TELLING and _apart(signals) > SURE and any(flag.name == "unrelated" for flag in found)


def _follows(signals: Signals) -> bool:
    """Tell whether stars go with what others see nearly as far as is usual."""
    usual = signals.usual_correlation or 0.0
    return usual > 0 and _related(signals) > FOLLOWS * usual


def signs(signals: Signals) -> tuple[Flag, ...]:
    """Return every sign of careless rating, each of which alone proves nothing."""
    if len(signals.stars) < LEAST:
        return ()
    found = (look(signals) for look in (_same_stars, _long_run, _unrelated, _scattered, _too_quick, _checks_missed))
    return tuple(flag for flag in found if flag is not None)


def correlation(stars: Sequence[float], expected: Sequence[float]) -> float | None:
    """Return how closely stars follow what is expected, -1 to 1; None where all stars are equal or too few."""
    if len(stars) < 3 or np.ptp(stars) == 0 or np.ptp(expected) == 0:
        return None
    return float(np.corrcoef(stars, expected)[0, 1])


def scatter(stars: Sequence[float], expected: Sequence[float]) -> float | None:
    """Return the variance of stars about what is expected by a rater's own level and scale; None of too few."""
    if len(stars) < 3:
        return None
    related = correlation(stars, expected) or 0.0
    return float(np.var(stars, ddof=2)) * (1 - related * related)


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
    value, (star, count) = float(np.var(signals.stars)), Counter(signals.stars).most_common(1)[0]
    chance = float(bdtrc(count - 1, len(signals.stars), _share(signals, star)))
    words = "Gives almost everything the same stars."
    return Flag(signals.rater, "same_stars", words, value, FLAT) if value < FLAT and chance < UNLIKELY else None


def _long_run(signals: Signals) -> Flag | None:
    runs = [(star, len(list(run))) for star, run in groupby(signals.stars)]
    value = min(len(signals.stars) * _share(signals, star) ** length for star, length in runs)
    words = "Gives the same stars many times in a row, where others vary."
    return Flag(signals.rater, "long_run", words, value, UNLIKELY) if value < UNLIKELY else None


def _share(signals: Signals, star: float) -> float:
    """Return how often the others give that many stars: where all is good, giving only 5 is no sign."""
    return min(max(signals.usual_shares[round(min(max(star, 1), 5)) - 1], 0.05), 0.95)


def _unrelated(signals: Signals) -> Flag | None:
    if signals.usual_correlation is None:
        return None
    value, limit = _related(signals), RELATED * signals.usual_correlation
    words = "Gives stars that have little to do with what others see in the same pictures."
    found = value < limit and _apart(signals) > CLEAR
    return Flag(signals.rater, "unrelated", words, value, limit) if found else None


def _related(signals: Signals) -> float:
    return correlation(signals.stars, signals.expected) or 0.0


def _apart(signals: Signals) -> float:
    """Return how many standard errors a rater's correlation is below the others' usual one."""
    below = _fisher(signals.usual_correlation or 0.0) - _fisher(_related(signals))
    return below * math.sqrt(max(len(signals.stars) - 3, 0))


def _scattered(signals: Signals) -> Flag | None:
    own = scatter(signals.stars, signals.expected)
    if not signals.usual_scatter or own is None:
        return None
    value = own / signals.usual_scatter
    words = "Strays from what others see in the same pictures much further than they do."
    return Flag(signals.rater, "scattered", words, value, FAR) if value > FAR else None


def _fisher(value: float) -> float:
    """Return a correlation on the scale on which its standard error is 1 / √(n - 3)."""
    return math.atanh(min(max(value, -0.999), 0.999))


def _too_quick(signals: Signals) -> Flag | None:
    looked = [ms for ms in signals.dwell_ms if ms > 0]
    if not looked or signals.usual_dwell_ms is None:
        return None
    value, limit = float(np.median(looked)), QUICK * signals.usual_dwell_ms
    words = "Looks at a picture for less than half as long as others do."
    return Flag(signals.rater, "too_quick", words, value, limit) if value < limit else None


def _checks_missed(signals: Signals) -> Flag | None:
    checks, misses = signals.golds + signals.repeats, signals.gold_misses + signals.repeat_misses
    if misses < 2 or misses / checks <= MISSED or (signals.gold_correlation or 0.0) > TOLD_APART:
        return None
    usual = (SLIP * signals.golds + AGAIN * signals.repeats) / checks
    if bdtrc(misses - 1, checks, usual) >= CHANCE:
        return None
    words = f"Misses {misses} of {checks} checks by more than a star: known answers, and pictures that came again."
    return Flag(signals.rater, "checks_missed", words, misses / checks, MISSED)
