"""Opinion scores: what many would say of each item, learnt from raters who differ in level, scale and care.

A rating is u = μ + b + a·δ + ε: the item is δ better than the mean μ of all items, the rater is b stars milder than
others, moves a stars where others move one, and errs by ε ~ N(0, σ²). Everything that belongs to an item or a rater is
drawn from a population, δ ~ N(0, τ²), b ~ N(0, s_b²), a ~ N(1, s_a²), σ² ~ inverse gamma, so little data moves little:
two ratings make nobody infallible. A rater whose scale is flat (a ≈ 0: one who clicks anything, or always the same)
counts for nothing, one who uses half of the scale counts as what they are.

Ratings are whole stars, so σ² is never less than the variance of an even error of half a star, 1/12 (Sheppard 1898):
equal ratings make nobody exact. Scales go by that of whoever moves most with the items, where that is less than others
move: that nobody does says that items are alike, and not that all are blind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import stdtrit

from ml_service.wire.contract import HIGHEST, LOWEST, ROUNDING, Interval
from web.domain.rating.figures import Judge, Score

ROUNDS = 20  # of expectation and maximization: more change nothing that a panel of sixty raters could show
OWN = 6.0  # a: the noise of a rater is held towards that of all as strongly as 2a ratings would hold it
BLIND = 0.1  # of the scale of whoever moves most: so much at least is put down to items that are alike, in one round
PRIOR = 5.0  # items or raters' worth of belief in the spreads that are common among panels
COMMON_SPREAD, COMMON_BIAS, COMMON_SCALE, COMMON_NOISE = 0.5, 0.2, 0.1, 0.5  # variances
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class OpinionScores:
    """The scores of the items, what was learnt of the raters, and the standard deviations among them.

    `spread` is that of the items, `bias_spread` that of the raters' levels, `noise` that of one rating about both.
    `expected` tells for each rating, in the order given, what the others let one expect of that rater there, on the
    scale of all: their own level and scale are taken out, and so is the rating itself.
    """

    scores: tuple[Score, ...] = ()
    judges: tuple[Judge, ...] = ()
    mean: float = 3.0
    spread: float = 0.0
    bias_spread: float = 0.0
    noise: float = 0.0
    expected: tuple[float, ...] = ()


@dataclass(frozen=True)
class Rated:
    """Ratings as arrays: the item, the rater and the stars of each, and how many items and raters there are."""

    item: Ints
    rater: Ints
    stars: Floats
    items: int
    raters: int

    def by_item(self, values: Floats) -> Floats:
        """Return the sum over each item's ratings."""
        return np.bincount(self.item, values, self.items).astype(float)

    def by_rater(self, values: Floats) -> Floats:
        """Return the sum over each rater's ratings."""
        return np.bincount(self.rater, values, self.raters).astype(float)


@dataclass(frozen=True)
class Population:
    """What is known of the raters (level, scale, noise variance) and how items and raters spread (variances)."""

    mean: float
    bias: Floats
    scale: Floats
    scale_variance: Floats
    noise: Floats
    spread: float
    bias_spread: float
    scale_spread: float

    def weights(self, rated: Rated) -> Floats:
        """Return the precision of each rating."""
        return np.asarray(1 / self.noise[rated.rater])


def opinion_scores(
    items: Sequence[str], raters: Sequence[str], stars: Sequence[float], *, repeat_sd: float | None = None
) -> OpinionScores:
    """Return the opinion scores of items from ratings: the item, the rater and the stars of each.

    A rater's repeats of an item count as one rating, their mean. `repeat_sd` is the standard deviation of a rating
    about the rater's own mean for that item, from hidden repeats: a typical rater is not believed more exact than that.
    """
    if not stars:
        return OpinionScores()
    item_names, item = numbered(items)
    rater_names, rater = numbered(raters)
    rated, which = _without_repeats(item, rater, np.array(stars, dtype=float), len(item_names), len(rater_names))
    known = _learn(rated, max((repeat_sd or 0.0) ** 2, ROUNDING))
    score, error, level, level_error = _posterior(rated, known)
    reach = float(stdtrit(rated.raters + PRIOR, 0.975))
    counts = np.bincount(item, minlength=rated.items)
    return OpinionScores(
        scores=tuple(
            _score(name, Interval.of_rating(mean, half), count)
            for name, mean, half, count in zip(
                item_names, score.tolist(), (reach * error).tolist(), counts.tolist(), strict=True
            )
        ),
        judges=_judges(rater_names, np.bincount(rater, minlength=rated.raters), known, level, level_error, reach),
        mean=float(np.clip(known.mean, LOWEST, HIGHEST)),
        spread=float(np.sqrt(known.spread)),
        bias_spread=float(np.sqrt(known.bias_spread)),
        noise=float(np.sqrt(np.average(known.noise, weights=rated.by_rater(np.ones_like(rated.stars))))),
        expected=tuple(_from_others(rated, known, level)[which].tolist()),
    )


def _score(item: str, told: Interval, ratings: int) -> Score:
    return Score(item, told.mean, told.low, told.high, ratings)


def numbered(names: Sequence[str]) -> tuple[list[str], Ints]:
    """Return the different names, and the place among them of each name."""
    place = {name: at for at, name in enumerate(dict.fromkeys(names))}
    return list(place), np.array([place[name] for name in names], dtype=np.intp)


def _without_repeats(item: Ints, rater: Ints, stars: Floats, items: int, raters: int) -> tuple[Rated, Ints]:
    """Return each rater's mean for each item, and which of those each rating went into."""
    pairs, which = np.unique(item * raters + rater, return_inverse=True)
    mean = np.bincount(which, stars) / np.bincount(which)
    return Rated(pairs // raters, pairs % raters, mean, items, raters), which


def _learn(rated: Rated, least_noise: float) -> Population:
    """Return what expectation-maximization makes of the raters and of the spreads."""
    known = Population(
        mean=float(rated.stars.mean()),
        bias=np.zeros(rated.raters),
        scale=np.ones(rated.raters),
        scale_variance=np.zeros(rated.raters),
        noise=np.full(rated.raters, max(COMMON_NOISE, least_noise)),
        spread=COMMON_SPREAD,
        bias_spread=COMMON_BIAS,
        scale_spread=COMMON_SCALE,
    )
    for _ in range(ROUNDS):
        known = _round(rated, known, least_noise)
    return known


def _round(rated: Rated, known: Population, least_noise: float) -> Population:
    """Return what is known after the items were placed once by it, and the raters once by the items."""
    weight, slope, own = known.weights(rated), known.scale[rated.rater], known.bias[rated.rater]
    variance = 1 / (rated.by_item(weight * slope**2) + 1 / known.spread)
    better = variance * rated.by_item(weight * slope * (rated.stars - known.mean - own))
    there, square = better[rated.item], (better**2 + variance)[rated.item]
    left = rated.stars - slope * there
    mean = float(np.average(left - own, weights=weight))
    count = rated.by_rater(np.ones_like(rated.stars))
    bias_variance = 1 / (count / known.noise + 1 / known.bias_spread)
    bias = bias_variance / known.noise * rated.by_rater(left - mean)
    off = rated.stars - mean - bias[rated.rater]
    scale_variance = 1 / (rated.by_rater(square) / known.noise + 1 / known.scale_spread)
    scale = scale_variance * (rated.by_rater(there * off) / known.noise + 1 / known.scale_spread)
    slope = scale[rated.rater]
    residual = (
        (off - slope * there) ** 2
        + slope**2 * variance[rated.item]
        + bias_variance[rated.rater]
        + scale_variance[rated.rater] * square
    )
    typical = max(_held(residual, COMMON_NOISE), least_noise)
    noise = (2 * OWN * typical + rated.by_rater(residual)) / (2 * OWN + count)
    widest = float(np.clip(scale.max(), BLIND, 1.0))
    return Population(
        mean=mean,
        bias=bias,
        scale=scale / widest,
        scale_variance=scale_variance,
        noise=np.maximum(noise, ROUNDING),
        spread=_held(better**2 + variance, COMMON_SPREAD) * widest**2,
        bias_spread=_held(bias**2 + bias_variance, COMMON_BIAS),
        scale_spread=_held((scale / widest - 1) ** 2 + scale_variance, COMMON_SCALE),
    )


def _held(squares: Floats, common: float) -> float:
    """Return the mean of squares, held towards what is common."""
    return float((squares.sum() + PRIOR * common) / (squares.size + PRIOR))


def _posterior(rated: Rated, known: Population) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the items' scores and the raters' levels with their standard errors, given scales and variances.

    Items are eliminated from the joint normal equations, which leaves as many as there are raters, and the mean.
    """
    weight, slope = known.weights(rated), known.scale[rated.rater]
    precision = rated.by_item(weight * slope**2) + 1 / known.spread
    pull = rated.by_item(weight * slope)
    cells = (
        np.append(weight * slope, pull),
        (
            np.append(rated.item, np.arange(rated.items)),
            np.append(rated.rater + 1, np.zeros(rated.items, dtype=np.intp)),
        ),
    )
    met: Any = sparse.csr_matrix(cells, shape=(rated.items, rated.raters + 1))
    share = sparse.diags(1 / precision) @ met
    total = rated.by_rater(weight)
    system = np.diag(np.append(total.sum(), total + 1 / known.bias_spread)) - (met.T @ share).toarray()
    system[0, 1:] += total
    system[1:, 0] += total
    covariance = np.linalg.inv(system)
    seen = rated.by_item(weight * slope * rated.stars)
    right = np.append((weight * rated.stars).sum(), rated.by_rater(weight * rated.stars)) - share.T @ seen
    effects = covariance @ right
    score = effects[0] + (seen - met @ effects) / precision
    spilled = share @ covariance
    variance = 1 / precision + share.multiply(spilled).sum(1).A1 + covariance[0, 0] - 2 * spilled[:, 0]
    return score, np.sqrt(variance), effects[1:], np.sqrt(np.diag(covariance)[1:])


def _from_others(rated: Rated, known: Population, level: Floats) -> Floats:
    """Return what each rating's item is worth by the other raters."""
    slope, off = known.scale[rated.rater], rated.stars - known.mean - level[rated.rater]
    weight = known.weights(rated) * slope
    precision = rated.by_item(weight * slope)[rated.item] - weight * slope + 1 / known.spread
    return np.asarray(known.mean + (rated.by_item(weight * off)[rated.item] - weight * off) / precision)


def _judges(
    names: Sequence[str], counts: Ints, known: Population, level: Floats, error: Floats, reach: float
) -> tuple[Judge, ...]:
    scale_error = np.sqrt(known.scale_variance)
    return tuple(
        Judge(
            rater=name,
            bias=Interval.around(level[i], reach * error[i]),
            scale=Interval.around(known.scale[i], reach * scale_error[i]),
            noise=float(np.sqrt(known.noise[i])),
            ratings=int(counts[i]),
        )
        for i, name in enumerate(names)
    )
