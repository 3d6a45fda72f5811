"""How far raters agree: Krippendorff's alpha, the intraclass correlation, and raters with themselves."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from ml_service.wire.contract import Interval
from web.domain.rating.numbers.scores import OpinionScores

STARS = np.arange(1.0, 6.0)
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


def shared(item: Ints, rater: Ints, stars: Floats) -> Floats:
    """Return how often each item that several raters have scored got each of the five stars, one row for each item.

    Ratings are in order, items and raters by number. Items of one rater tell nothing of agreement and are left out; of
    a rater's repeats the last counts.
    """
    if not stars.size:
        return np.zeros((0, STARS.size))
    pair = item * (rater.max() + 1) + rater
    last = stars.size - 1 - np.unique(pair[::-1], return_index=True)[1]
    given = np.clip(np.rint(stars[last]), 1, STARS.size).astype(np.intp) - 1
    counts = np.bincount(item[last] * STARS.size + given, minlength=(item.max() + 1) * STARS.size)
    by_item = counts.reshape(-1, STARS.size)
    return np.asarray(by_item[by_item.sum(1) > 1], dtype=np.float64)


def alpha(counts: Floats) -> Interval | None:
    """Return Krippendorff's ordinal alpha: 1 - observed ÷ expected disagreement; by custom .80 is good, .667 usable.

    `counts` is what is `shared`; None where all of it is equal.
    """
    return _interval(_alphas, counts, least=-1.0)


def _alphas(counts: Floats) -> Floats:
    """Return the alpha of all items, and then those of all but one."""
    pairs = counts[:, :, None] * counts[:, None, :] / (counts.sum(1) - 1)[:, None, None]
    total, met = _each_left_out(counts), _each_left_out(pairs)  # a rating meets itself on the diagonal, at distance 0
    reached = np.cumsum(total, axis=1) - total / 2
    distance = (reached[:, :, None] - reached[:, None, :]) ** 2
    observed = (total.sum(1) - 1) * (met * distance).sum((1, 2))
    return np.asarray(1 - _ratio(observed, (total[:, :, None] * total[:, None, :] * distance).sum((1, 2))))


def icc(counts: Floats) -> Interval | None:
    """Return the intraclass correlation: the share of a rating's variance that is the item's (one-way, by moments).

    `counts` is what is `shared`; None where all of it is equal, or of one item.
    """
    return _interval(_correlations, counts, least=0.0)


def _correlations(counts: Floats) -> Floats:
    """Return the correlation of all items, and then those of all but one."""
    each, total = counts.sum(1), counts @ STARS
    sums = np.column_stack([np.ones_like(each), each, each**2, total, total**2 / each, counts @ STARS**2])
    items, ratings, squared, stars, between, squares = _each_left_out(sums).T
    apart = _ratio(between - _ratio(stars**2, ratings), items - 1)
    within = _ratio(squares - between, ratings - items)
    usual = _ratio(ratings - _ratio(squared, ratings), items - 1)  # ratings of an item
    return _ratio(apart - within, apart + (usual - 1) * within)


def _each_left_out(by_item: Floats) -> Floats:
    """Return the sum over all items, and then the sums over all but one, for each."""
    whole = by_item.sum(0, keepdims=True)
    return np.concatenate([whole, whole - by_item])


def _ratio(over: Floats, under: Floats) -> Floats:
    """Return the ratio, not a number where it has none."""
    return np.divide(over, under, out=np.full_like(over, np.nan), where=under > 1e-9)


def _interval(measure: Callable[[Floats], Floats], counts: Floats, least: float) -> Interval | None:
    """Return the value of all items with its 95 % interval by the jackknife over items; None where it has none.

    Items that are all alike do not make it certain: the interval holds what one more item would make of it on which two
    raters are a star apart, the least that whole stars can be.
    """
    found = measure(counts)
    if np.isnan(found[0]):
        return None
    whole, left = float(np.clip(found[0], least, 1.0)), found[1:][~np.isnan(found[1:])]
    if left.size < 2:
        return Interval(mean=whole, low=least, high=1.0)
    error = np.sqrt((left.size - 1) * left.var())
    apart = abs(float(measure(np.vstack([counts, _star_apart(counts)]))[0]) - whole)
    half = max(float(stdtrit(left.size - 1, 0.975) * error), apart)
    return Interval(mean=whole, low=max(whole - half, least), high=min(whole + half, 1.0))


def _star_apart(counts: Floats) -> Floats:
    """Return an item on which two raters are a star apart, where most ratings are."""
    total = counts.sum(0)
    lower = int(np.argmax(total[:-1] + total[1:]))
    return np.isin(np.arange(STARS.size), (lower, lower + 1)).astype(float)


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
