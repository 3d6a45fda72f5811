"""How far raters agree: Krippendorff's alpha, the intraclass correlation, and raters with themselves."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from web.domain.scores import OpinionScores


def alpha(items: Sequence[str], raters: Sequence[str], stars: Sequence[float]) -> float | None:
    """Return Krippendorff's ordinal alpha: 1 - observed ÷ expected disagreement; by custom .80 is good, .667 usable.

    Items of one rater tell nothing of agreement and are left out; of a rater's repeats the last counts. None where all
    that is left is equal.
    """
    by_item: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for item, rater, star in zip(items, raters, stars, strict=True):
        by_item[item][rater] = star
    shared = [list(given.values()) for given in by_item.values() if len(given) > 1]
    values = sorted({star for given in shared for star in given})
    if len(values) < 2:
        return None
    place = {value: at for at, value in enumerate(values)}
    counts = np.zeros((len(shared), len(values)))
    for row, given in enumerate(shared):
        for star in given:
            counts[row, place[star]] += 1
    pairs = counts / (counts.sum(1, keepdims=True) - 1)
    met = counts.T @ pairs  # what a rating makes of itself lies on the diagonal, at distance 0
    total = counts.sum(0)
    reached = np.cumsum(total) - total / 2
    distance = (reached[:, None] - reached[None, :]) ** 2
    return float(1 - (total.sum() - 1) * (met * distance).sum() / (np.outer(total, total) * distance).sum())


def icc(found: OpinionScores) -> float | None:
    """Return the intraclass correlation: the share of a rating's variance that is the item's; None without ratings."""
    whole = found.spread**2 + found.bias_spread**2 + found.noise**2
    return found.spread**2 / whole if whole else None


def reliability(found: OpinionScores, ratings: int) -> float | None:
    """Return how reliable the mean of so many ratings of an item is once levels are taken out; None without ratings."""
    whole = found.spread**2 + found.noise**2 / ratings
    return found.spread**2 / whole if whole else None


def repeat_sd(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return the standard deviation of a rating about its rater's mean, from (first, repeated) stars; None of few."""
    if len(pairs) < 2:
        return None
    first, again = np.array(pairs, dtype=float).T
    return float(np.sqrt(((first - again) ** 2).mean() / 2))


def self_consistency(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return the share of hidden repeats that a rater gave within one star of the first time; None without repeats."""
    return float(np.mean([abs(first - again) <= 1 for first, again in pairs])) if pairs else None
