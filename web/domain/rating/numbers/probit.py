"""The nightly check of the opinion scores: stars as an order, not as numbers (ordinal probit).

Each rater sees q + b + ε, ε ~ N(0, s²), and gives k stars or fewer where that lies below the threshold t_k. Averages
of stars can turn an order around where thresholds lie unevenly (Liddell and Kruschke 2018); this model cannot. It is
fitted by its largest posterior, from where the opinion scores are, with the spreads that they found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtr
from scipy.stats import rankdata

from web.domain.rating.figures import BAND, OrdinalCheck, Score, Turned
from web.domain.rating.numbers.conduct import correlation
from web.domain.rating.numbers.panel import columns, fit
from web.domain.rating.numbers.scores import OpinionScores
from web.domain.rating.work import Given

TOP = 10  # items, or half of them where they are fewer, whose being the best is compared
EVEN = np.array([1.5, 2.5, 3.5, 4.5])  # thresholds of one who rounds
# Prior standard deviations: of a threshold about the even one, of a rater's log noise about that by the scores. Little
# is left to the latter, for few ratings tell a rater's noise from what they do not share with others.
LOOSE, LIKE = 0.5, 0.05
ROUNDS = 200
TINY = 1e-10
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Placed:
    """Ratings by place: the item, rater and whole stars (from 0) of each; how many there are; prior spreads."""

    item: Ints
    rater: Ints
    star: Ints
    items: int
    raters: int
    found: OpinionScores

    def parts(self, values: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the items, the raters' levels, their log noises, and the thresholds in a vector of all."""
        ends = np.cumsum([self.items, self.raters, self.raters])
        quality, level, noise, gaps = np.split(values, ends)
        return quality, level, noise, gaps


def ordinal_scores(
    items: Sequence[str], raters: Sequence[str], stars: Sequence[float], found: OpinionScores
) -> tuple[Score, ...]:
    """Return what the ordinal model expects of each item in stars, in the order of the opinion scores found before.

    The bounds hold the item's quality with 95 % where the rest is known as fitted, so they are a little narrow.
    """
    if not found.scores:
        return ()
    item_place = {score.item: at for at, score in enumerate(found.scores)}
    rater_place = {judge.rater: at for at, judge in enumerate(found.judges)}
    placed = Placed(
        item=np.array([item_place[item] for item in items], dtype=np.intp),
        rater=np.array([rater_place[rater] for rater in raters], dtype=np.intp),
        star=np.clip(np.rint(stars), 1, 5).astype(np.intp) - 1,
        items=len(item_place),
        raters=len(rater_place),
        found=found,
    )
    fitted = minimize(_loss, _start(placed), args=(placed,), jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS}).x
    quality, level, noise, _ = placed.parts(fitted)
    reach = BAND / np.sqrt(_precision(fitted, placed))
    spread = np.sqrt(np.exp(2 * noise.mean()) + level.var())

    def expected(latent: Floats) -> list[float]:
        return [float(1 + stars) for stars in ndtr((latent[:, None] - _thresholds(fitted, placed)) / spread).sum(1)]

    bounds = zip(expected(quality), expected(quality - reach), expected(quality + reach), strict=True)
    return tuple(
        Score(score.item, mean, low, high, score.ratings)
        for score, (mean, low, high) in zip(found.scores, bounds, strict=True)
    )


def check_order(study_id: str, given: Sequence[Given], now: datetime) -> OrdinalCheck | None:
    """Return how the order of a study's items stands by the ordinal check; None where nothing was scored."""
    fitted, found = fit(given)
    if not fitted:
        return None
    checked = ordinal_scores(*columns(fitted), found)
    mean, again = ([one.mean for one in scores] for scores in (found.scores, checked))
    top = min(TOP, (len(mean) + 1) // 2)
    return OrdinalCheck(
        study_id=study_id,
        made_at=now,
        ratings=len(fitted),
        items=len(mean),
        rank=correlation(rankdata(mean).tolist(), rankdata(again).tolist()),
        top=top,
        changed=len(_best(mean, top) - _best(again, top)),
        turned=len(turned(found.scores, checked)),
    )


def _best(means: Sequence[float], count: int) -> set[int]:
    return set(np.argsort(-np.array(means), kind="stable")[:count].tolist())


def turned(found: Sequence[Score], ordinal: Sequence[Score]) -> tuple[Turned, ...]:
    """Return the pairs that the opinion scores order for certain (their intervals are apart) and the check reverses."""
    high, by_check = (np.array(values) for values in ([one.high for one in found], [one.mean for one in ordinal]))
    return tuple(
        Turned(better.item, found[worse].item)
        for better, again in zip(found, by_check, strict=True)
        for worse in np.flatnonzero((high < better.low) & (by_check > again)).tolist()
    )


def _start(placed: Placed) -> Floats:
    found = placed.found
    return np.concatenate(
        [
            [score.mean for score in found.scores],
            [judge.bias.mean for judge in found.judges],
            np.log([judge.noise for judge in found.judges]),
            np.append(EVEN[0], np.log(np.diff(EVEN))),
        ]
    )


def _thresholds(values: Floats, placed: Placed) -> Floats:
    """Return the thresholds, which the vector holds as the first one and the logarithms of the gaps."""
    gaps = placed.parts(values)[3]
    return np.asarray(gaps[0] + np.append(0.0, np.cumsum(np.exp(gaps[1:]))))


def _edges(values: Floats, placed: Placed) -> tuple[Floats, Floats, Floats]:
    """Return where the thresholds below and above each rating lie in standard deviations, and that deviation."""
    quality, level, noise, _ = placed.parts(values)
    bounds = np.concatenate([[-np.inf], _thresholds(values, placed), [np.inf]])
    seen, sd = quality[placed.item] + level[placed.rater], np.exp(noise)[placed.rater]
    return (bounds[placed.star] - seen) / sd, (bounds[placed.star + 1] - seen) / sd, sd


def _density(edge: Floats) -> Floats:
    return np.asarray(np.exp(-(edge**2) / 2) / np.sqrt(2 * np.pi))


def _loss(values: Floats, placed: Placed) -> tuple[float, Floats]:
    """Return minus the logarithm of the posterior, and its gradient."""
    gaps = placed.parts(values)[3]
    low, high, sd = _edges(values, placed)
    chance = np.maximum(ndtr(high) - ndtr(low), TINY)
    at_low, at_high = _density(low) / chance, _density(high) / chance
    by_seen = (at_high - at_low) / sd
    by_noise = _times(at_high, high) - _times(at_low, low)
    by_bound = np.bincount(placed.star, -at_high / sd, 5)[:4] + np.bincount(placed.star, at_low / sd, 5)[1:]
    prior, slope = _prior(values, placed)
    tail = np.cumsum(by_bound[::-1])[::-1]
    return float(prior - np.log(chance).sum()), slope + np.concatenate(
        [
            np.bincount(placed.item, by_seen, placed.items),
            np.bincount(placed.rater, by_seen, placed.raters),
            np.bincount(placed.rater, by_noise, placed.raters),
            np.append(tail[0], tail[1:] * np.exp(gaps[1:])),
        ]
    )


def _prior(values: Floats, placed: Placed) -> tuple[float, Floats]:
    """Return minus the logarithm of the prior, and its gradient."""
    found, (quality, level, noise, gaps) = placed.found, placed.parts(values)
    off = (_thresholds(values, placed) - EVEN) / LOOSE
    tail = np.cumsum((off / LOOSE)[::-1])[::-1]
    parts = [
        (quality - found.mean) / found.spread,
        level / found.bias_spread,
        (noise - np.log([judge.noise for judge in found.judges])) / LIKE,
    ]
    slopes = [parts[0] / found.spread, parts[1] / found.bias_spread, parts[2] / LIKE]
    loss = sum(float((part**2).sum()) for part in (*parts, off)) / 2
    return loss, np.concatenate([*slopes, np.append(tail[0], tail[1:] * np.exp(gaps[1:]))])


def _times(density: Floats, edge: Floats) -> Floats:
    """Return the product, 0 where the edge is infinite."""
    return np.asarray(density * np.where(np.isinf(edge), 0.0, edge))


def _precision(values: Floats, placed: Placed) -> Floats:
    """Return the curvature of the posterior along each item's quality."""
    low, high, sd = _edges(values, placed)
    chance = np.maximum(ndtr(high) - ndtr(low), TINY)
    first = (_density(high) - _density(low)) / chance
    second = (_times(_density(high), high) - _times(_density(low), low)) / chance
    bend = np.bincount(placed.item, (first**2 + second) / sd**2, placed.items)
    return np.asarray(bend + 1 / placed.found.spread**2, dtype=np.float64)
