"""Whether raters like these would like a version better, and not only those who happened to judge it.

Each rater has a liking of a version of their own, which more pairs do not average out, only more raters do. So the
mean over raters is weighed by how well each is known, and divided by its standard error across raters. What is
believed of their likings beforehand counts as a number of raters: one panel is too small to tell how far they differ.
The limits keep false promotions in twenty or fewer of tests looked at after every pair, as `benchmarks.abtest` prints.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from web.domain.abtests.evidence import SPREAD_BELIEF, USUAL_SPREAD

FEWEST = 4  # raters from whom on others like them are spoken of
ENOUGH = 8  # raters from whom on that holds as well as the evidence does
TASTE = 0.35  # standard deviation in stars of a rater's own liking of a version (benchmarks.raters)
BELIEF = 20  # raters that this is worth
AGAIN = 3.0  # how many times the luck of pairs counts, since one looks after each of them
COMMON = 0.2  # share of it that all raters of a pair have in common
CHANCE, OF_FEW = 0.99, 0.84  # of passing by likings alone, times the threshold; and what it grows by, over the raters


@dataclass(frozen=True)
class Liking:
    """A challenger's gain over its standard error across raters, and the limit from which on it is not their luck.

    Both are 0 where fewer than `FEWEST` raters judged: then nothing is said of others.
    """

    across: float = 0.0
    needed: float = 0.0


def liking(pairs: Sequence[Mapping[str, float]], threshold: float = 20.0) -> Liking:
    """Return what pairs say of raters like those who judged them, from each rater's difference in stars."""
    said: dict[str, list[float]] = defaultdict(list)
    for pair in pairs:
        for rater, stars in pair.items():
            said[rater].append(stars)
    if len(said) < FEWEST:
        return Liking()
    counts = np.array([len(stars) for stars in said.values()], dtype=float)
    means = np.array([math.fsum(stars) / len(stars) for stars in said.values()])
    apart = sum((one - math.fsum(stars) / len(stars)) ** 2 for stars in said.values() for one in stars)
    each = counts.sum() / sum(bool(pair) for pair in pairs)
    noise = (apart + SPREAD_BELIEF * USUAL_SPREAD**2) / (counts.sum() - len(said) + SPREAD_BELIEF)
    weights = 1 / (TASTE**2 + AGAIN * noise * (1 + COMMON * (each - 1)) / counts)
    mean = (weights * means).sum() / weights.sum()
    differ = ((means - mean) ** 2 / (TASTE**2 + noise / counts)).sum()
    freedom = len(said) - 1 + BELIEF
    across = mean * math.sqrt(weights.sum() * freedom / (differ + BELIEF))
    return Liking(float(across), needed(len(said), threshold))


def needed(raters: int, threshold: float = 20.0) -> float:
    """Return the limit for a number of raters: a quantile of Student's t."""
    chance = (CHANCE + OF_FEW / raters) / threshold
    return t_quantile(1 - chance, raters - 1 + BELIEF)


def t_quantile(share: float, freedom: float) -> float:
    """Return the quantile of Student's t by its expansion about the normal one (Abramowitz and Stegun 26.7.5)."""
    x = NormalDist().inv_cdf(share)
    terms = (
        x,
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160,
    )
    return sum(term / freedom**power for power, term in enumerate(terms))
