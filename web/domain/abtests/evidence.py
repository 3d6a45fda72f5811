"""Evidence that one version is better than another, which may be looked at after every pair without harm.

A pair is a bet against the claim that the challenger is no better. With x the pair's difference over the largest one
that there can be, wealth is multiplied by 1 + λx, which is never negative and, while the claim holds, does not grow on
average; so by Ville's inequality it ever reaches 20 with a probability of at most 1/20, whenever one looks and whatever
the differences are distributed like. All that is asked is that a pair's mean difference is not above the claim's,
given the pairs before it (Waudby-Smith and Ramdas 2024, “Estimating means of bounded random variables by betting”).

Wealth is split in two: most is bet at a rate that suits half a star or more, a fifth at one that suits less. How these
compare with others is printed by `benchmarks.abtest`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST = 4.0  # stars between a 1 and a 5
RATES = (0.5, 0.95)
PARTS = (0.2, 0.8)
STEP = 0.01  # stars between the claims among which a bound is looked for
MOST = 690.0  # logarithm of the greatest evidence told: a number that can still be written down
USUAL_SPREAD = 1.1  # standard deviation of a pair's difference in stars, one rater each
SPREAD_BELIEF = 10  # pairs that it is worth where others are known
Floats = NDArray[np.float64]


def evidence(differences: Sequence[float], claim: float = 0.0) -> float:
    """Return the evidence that differences in stars are above a claim on average; 1 where there are none."""
    return course(differences, claim)[-1] if differences else 1.0


def course(differences: Sequence[float], claim: float = 0.0) -> tuple[float, ...]:
    """Return the evidence that differences are above a claim after each pair."""
    found = _log_wealth(differences, np.array([claim]))[0, 1:]
    return tuple(np.exp(np.minimum(found, MOST)).tolist())


def bounds(differences: Sequence[float], threshold: float = 20.0) -> tuple[tuple[float, float], ...]:
    """Return after each pair the mean differences that are not refuted: below the lower bound, or above the upper.

    Each bound fails with a probability of at most 1/threshold, at any time; bounds only ever close in. The lower one
    is zero or more from the pair on with which the evidence first reaches the threshold.
    """
    claims = np.linspace(-LARGEST, LARGEST, round(2 * LARGEST / STEP) + 1)
    low = _reached(_log_wealth(differences, claims), threshold).sum(axis=0)
    high = _reached(_log_wealth([-one for one in differences], claims), threshold).sum(axis=0)
    lowest = [claims[count - 1] if count else -LARGEST for count in low[1:]]
    highest = [-claims[count - 1] if count else LARGEST for count in high[1:]]
    return tuple((round(float(a), 2), round(float(b), 2)) for a, b in zip(lowest, highest, strict=True))


@dataclass(frozen=True)
class Spreading:
    """Pairs of one challenger: how many, the sum of their differences, and that of the squares."""

    pairs: int
    total: float
    squares: float


def spread(found: Iterable[Spreading]) -> float:
    """Return the standard deviation of a pair's difference about its challenger's mean; the usual one is believed."""
    known = [one for one in found if one.pairs]
    apart = sum(one.squares - one.total**2 / one.pairs for one in known)
    freedom = sum(one.pairs - 1 for one in known)
    return math.sqrt((max(apart, 0.0) + SPREAD_BELIEF * USUAL_SPREAD**2) / (freedom + SPREAD_BELIEF))


def as_stars(shares: Sequence[float]) -> tuple[float, ...]:
    """Return differences of shares, between -1 and 1, on the scale on which differences are bet on."""
    return tuple(LARGEST * share for share in shares)


def signs(differences: Sequence[float]) -> tuple[float, ...]:
    """Return only which of the two was liked better, as a check that takes stars for no more than an order."""
    return tuple(LARGEST * math.copysign(1.0, one) if one else 0.0 for one in differences)


def pairs_expected(effect: float, threshold: float = 20.0, spread: float = USUAL_SPREAD) -> float:
    """Return about how many pairs a true effect in stars takes to reach a threshold; infinite where it never does.

    Wealth grows by E log(1 + λx) ≈ λ E x − λ² E x² / 2 a pair.
    """
    mean, square = effect / LARGEST, (spread**2 + effect**2) / LARGEST**2
    growths = [rate * mean - rate**2 * square / 2 for rate in RATES]
    return min(
        (math.log(threshold / part) / growth for part, growth in zip(PARTS, growths, strict=True) if growth > 0),
        default=math.inf,
    )


def _log_wealth(differences: Sequence[float], claims: Floats) -> Floats:
    """Return the logarithm of wealth as claims × (pairs + 1), before the first pair and after each."""
    given = np.asarray(differences, dtype=float)
    if given.size and not (np.isfinite(given).all() and np.abs(given).max() <= LARGEST):
        raise ValueError(f"A difference is not between -{LARGEST:g} and {LARGEST:g} stars.")
    x = (given - claims[:, None]) / (LARGEST + np.maximum(claims[:, None], -LARGEST + STEP))
    parts = [np.log(part) + _grown(rate * x) for rate, part in zip(RATES, PARTS, strict=True)]
    wealth: Floats = np.logaddexp.reduce(parts)
    return wealth


def _grown(bets: Floats) -> Floats:
    return np.pad(np.cumsum(np.log1p(bets), axis=1), ((0, 0), (1, 0)))


def _reached(log_wealth: Floats, threshold: float) -> NDArray[np.bool_]:
    """Tell which claims were refuted so far; those below a refuted one are refuted too."""
    return np.maximum.accumulate(log_wealth, axis=1) >= math.log(threshold)
