"""Which points to rate next, and which one is best, given a belief and all that is out already."""

from dataclasses import dataclass

import numpy as np

from ml_service.optimizer.additive import Array
from ml_service.optimizer.rating_gp import RatingGP, View
from ml_service.optimizer.space import SearchSpace, distinct
from ml_service.wire.contract import Interval

CURIOSITY = 2.5  # standard deviations added to the mean of a point when choosing what to rate
CAUTION = 0.3  # standard deviations taken off it when recommending
RANDOM, TRIED, CENTRES, EACH = 500, 150, 25, 10  # points of a pool: drawn, tried last, neighbours of the best
CLIMBS = 5  # rounds of local search for the best point
Z95 = 1.96
NARROW = 0.5  # how much smaller the steps are in each


@dataclass(frozen=True)
class Choice:
    """A point to be rated, with the belief about its rating when it was chosen."""

    row: Array
    mean: float
    sd: float


def upper_bounds(
    belief: RatingGP,
    space: SearchSpace,
    pending: Array,
    taken: Array,
    count: int,
    random: np.random.Generator,
    curiosity: float = 1,
) -> list[Choice]:
    """Choose up to `count` points of the highest mean + CURIOSITY sd, each knowing of the ones before it.

    Pending points and chosen ones count as already observed at their mean: the covariance shrinks, the mean stays
    (Desautels, Krause and Burdick 2014). Taken points are left out; there are fewer than `count` only where the space
    has no more. `pending` and `taken` are rows of the unit cube; `curiosity` multiplies CURIOSITY.
    """
    view = pool(belief, space, random)
    rows, (mean, sd) = view.points, belief.at(view)
    known = _Known(belief, view, sd * sd)
    for row in distinct(pending):
        known.observe(row[None])
    free = np.logical_not(_among(rows, taken))
    chosen: list[Choice] = []
    for _ in range(min(count, int(free.sum()))):
        spread = np.sqrt(np.clip(known.variance, 0, None))
        best = int(np.argmax(np.where(free, mean + curiosity * CURIOSITY * spread, -np.inf)))
        chosen.append(Choice(rows[best], float(mean[best]), float(spread[best])))
        free[best] = False
        if len(chosen) < count:
            known.observe(rows[best : best + 1])
    return chosen


class _Known:
    """The variance left at rows once points have been observed, one rated output each, by rank-one steps."""

    def __init__(self, belief: RatingGP, view: View, variance: Array) -> None:
        self.belief, self.view, self.variance = belief, view, variance.copy()
        self.noise = belief.hyper.noise + belief.hyper.effects["output"]
        self.points, self.steps = np.empty((0, view.points.shape[1])), np.empty((0, len(view.points)))
        self.own = np.empty((0, 0))

    def observe(self, point: Array) -> None:
        """Take a 1 × D point as observed."""
        shared = self.belief.across(np.vstack([point, self.points]), point)[:, 0]
        weights = np.linalg.solve(self.own, shared[1:]) if len(self.own) else np.empty(0)
        left = np.sqrt(shared[0] + self.noise - weights @ weights)
        step = (self.belief.between(self.belief.view(point), self.view)[0] - weights @ self.steps) / left
        self.own = np.block([[self.own, np.zeros((len(self.own), 1))], [weights[None], np.array([[left]])]])
        self.points, self.steps = np.vstack([self.points, point]), np.vstack([self.steps, step])
        self.variance -= step * step


def pool(belief: RatingGP, space: SearchSpace, random: np.random.Generator) -> View:
    """Return the points to choose among: all of a small space, else random ones, tried ones, neighbours of the best."""
    listed = space.every()
    if listed is not None:
        return belief.view(listed)
    default = space.unit([space.default])
    tried = space.snap(belief.ratings.points[-TRIED:])
    drawn = belief.view(distinct(np.vstack([default, tried, space.random(random, RANDOM)])))
    best = np.argsort(-belief.at(drawn)[0], kind="stable")[:CENTRES]
    near = space.near(random, drawn.points[best], EACH)
    return drawn.beside(belief.view(distinct(np.vstack([drawn.points, near]))[len(drawn.points) :]))


def recommend(belief: RatingGP, space: SearchSpace, random: np.random.Generator) -> Array:
    """Return the row of the highest mean - 0.3 sd, by search around the best in ever smaller steps; 1 × D."""
    view = pool(belief, space, random)
    for climb in range(CLIMBS):
        leaders = _leaders(belief, view)
        view = belief.view(distinct(np.vstack([leaders, space.near(random, leaders, EACH, NARROW**climb)])))
    return _leaders(belief, view)[:1]


def _leaders(belief: RatingGP, view: View) -> Array:
    mean, sd = belief.at(view)
    return np.asarray(view.points[np.argsort(-(mean - CAUTION * sd), kind="stable")[:CENTRES]])


def interval(mean: float, spread: float, *, on_scale: bool = True) -> Interval:
    """Return the 95 % interval of a normal belief; a rating's lies on the scale of 1 to 5 stars."""
    return (Interval.of_rating if on_scale else Interval.around)(mean, Z95 * spread)


def _among(rows: Array, taken: Array) -> Array:
    """Tell which rows are taken ones."""
    if not len(taken):
        return np.zeros(len(rows), dtype=bool)
    return np.asarray(np.abs(rows[:, None] - taken[None]).max(axis=2).min(axis=1) < 1e-9)
