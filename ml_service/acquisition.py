"""Which points to rate next, and which one is best, given a belief and all that is out already."""

from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np

from ml_service.contract import Interval, Point, Proposal
from ml_service.rating_gp import RatingGP, sd
from ml_service.space import Array, Key

CURIOSITY = 2.5  # standard deviations added to the mean of a point when choosing what to rate
CAUTION = 0.3  # standard deviations taken off it when recommending
RANDOM, TRIED, CENTRES, EACH = 500, 150, 25, 10  # points of a pool: drawn, tried last, neighbours of the best
CLIMBS = 3  # rounds of local search for the best point
Z95 = 1.96


def upper_bounds(
    belief: RatingGP,
    pending: Sequence[Point],
    taken: Collection[Key],
    count: int,
    generator: str,
    random: np.random.Generator,
) -> list[Proposal]:
    """Choose up to `count` points of the highest mean + 2.5 sd, each knowing of the ones before it.

    Pending points and chosen ones count as already observed at their mean, so the covariance shrinks and the mean
    stays. Points whose key is taken are left out; there are fewer than `count` only where the space has no more.
    """
    points = pool(belief, random)
    mean, covariance = belief.posterior([*points, *pending])
    covariance = _observed(covariance, list(range(len(points), len(mean))), belief.noise)
    mean, covariance = mean[: len(points)], covariance[: len(points), : len(points)]
    open_ones = np.array([belief.space.key(point) not in taken for point in points])
    prior = sd(belief.prior(points[:1]))[0]
    chosen: list[Proposal] = []
    for _ in range(min(count, int(open_ones.sum()))):
        spread = sd(covariance)
        best = int(np.argmax(np.where(open_ones, mean + CURIOSITY * spread, -np.inf)))
        expected = interval(float(mean[best]), float(spread[best]))
        why: Literal["explore", "refine"] = "explore" if spread[best] > prior / 2 else "refine"
        chosen.append(Proposal(generator=generator, point=points[best], why=why, expected=expected))
        covariance = _observed(covariance, [best], belief.noise)
        open_ones[best] = False
    return chosen


def pool(belief: RatingGP, random: np.random.Generator) -> list[Point]:
    """Return the points to choose among: all of a small space, else random ones, tried ones, neighbours of the best."""
    space = belief.space
    listed = space.every()
    if listed is not None:
        return listed
    drawn = [space.default, *belief.outputs[-TRIED:], *space.random(random, RANDOM)]
    best = np.argsort(-belief.mean(drawn), kind="stable")[:CENTRES]
    return space.distinct([*drawn, *space.near(random, [drawn[i] for i in best], EACH)])


def recommend(belief: RatingGP, random: np.random.Generator) -> Point:
    """Return the point of the highest mean − 0.3 sd, found by search around the best so far; never the best rating."""
    points = leaders = pool(belief, random)
    for _ in range(CLIMBS):
        mean, covariance = belief.posterior(points)
        order = np.argsort(-(mean - CAUTION * sd(covariance)), kind="stable")
        leaders = [points[i] for i in order[:CENTRES]]
        points = belief.space.distinct([*leaders, *belief.space.near(random, leaders, EACH)])
    return leaders[0]


def interval(mean: float, spread: float, *, on_scale: bool = True) -> Interval:
    """Return the 95 % interval of a normal belief; a rating's is cut to the scale of 1 to 5 stars."""
    cut = (1.0, 5.0) if on_scale else (-np.inf, np.inf)
    mean, low, high = (float(np.clip(v, *cut)) for v in (mean, mean - Z95 * spread, mean + Z95 * spread))
    return Interval(mean=mean, low=low, high=high)


def _observed(covariance: Array, rows: Sequence[int], noise: float) -> Array:
    """Return the covariance left once the given rows have been observed, one rated output each."""
    if not rows:
        return covariance
    across = covariance[:, rows]
    inner = covariance[np.ix_(rows, rows)] + noise * np.eye(len(rows))
    return np.asarray(covariance - across @ np.linalg.solve(inner, across.T))
