"""What a belief has learnt, in the words of the contract: best point, convergence, curves, raters, variances."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ml_service.acquisition import interval, pool, recommend
from ml_service.contract import (
    Best,
    CategoryParameter,
    Convergence,
    CurvePoint,
    Observation,
    ParameterReport,
    RaterEffect,
    Value,
    VarianceParts,
)
from ml_service.rating_gp import RatingGP
from ml_service.space import Array, SearchSpace, distinct

CURVE = 21  # values of a number's curve
SAMPLES = 400  # functions drawn from the belief
DRAWN = 400  # points that they are drawn at
NEAR = 0.1  # stars: so close to the optimum counts as there


class Findings:
    """What can be said of one belief about its best point and its parameters."""

    def __init__(self, belief: RatingGP, space: SearchSpace, random: np.random.Generator) -> None:
        self.belief, self.space, self.random = belief, space, random
        self.row = recommend(belief, space, random)
        self.best = space.points(self.row)[0]
        rows = distinct(np.vstack([self.row, pool(belief, space, random)]))
        kept = np.argsort(-belief.mean(rows[1:]), kind="stable")[: DRAWN // 2]
        self.rows = distinct(np.vstack([self.row, rows[1:][kept], rows[1:DRAWN]]))
        self.drawn = self._draw(*belief.posterior(self.rows))

    def _draw(self, mean: Array, covariance: Array) -> Array:
        return self.random.multivariate_normal(mean, covariance, SAMPLES, check_valid="ignore", method="eigh")

    def recommended(self, generator: str) -> Best:
        """Return the best point with the intervals of its rating and of its gain over the default."""
        mean, c = self.belief.posterior(np.vstack([self.row, self.space.unit([self.space.default])]))
        gain_sd = float(np.sqrt(max(c[0, 0] + c[1, 1] - 2 * c[0, 1], 0)))
        gain = interval(float(mean[0] - mean[1]), gain_sd, on_scale=False)
        rating = interval(float(mean[0]), float(np.sqrt(max(c[0, 0], 0))))
        return Best(generator=generator, point=self.best, rating=rating, gain=gain)

    def convergence(self) -> Convergence:
        """Return what the best of all points is expected to have over the recommended one, over drawn functions."""
        left = self.drawn.max(axis=1) - self.drawn[:, 0]
        return Convergence(gain_left=float(left.mean()), probability_near_best=float(np.mean(left <= NEAR)))

    def parameters(self) -> dict[str, ParameterReport]:
        """Return the curve of each parameter through the best point, its importance, and how settled it is."""
        curves = {name: self._curve(name) for name in self.space.parameters}
        variances = {name: float(np.var([at.rating.mean for at in curve])) for name, curve in curves.items()}
        total = sum(variances.values())
        settled = self._settled()
        return {
            name: ParameterReport(
                curve=curve,
                importance=min(variances[name] / total, 1) if total > 0 else 0,
                settled=settled.get(name, 1),
            )
            for name, curve in curves.items()
        }

    def _curve(self, name: str) -> tuple[CurvePoint, ...]:
        values = _values(self.space, name, self.best[name])
        mean, sd = self.belief.marginal(self.space.unit([self.best | {name: value} for value in values]))
        rows = zip(values, mean, sd, strict=True)
        return tuple(CurvePoint(value=value, rating=interval(float(m), float(s))) for value, m, s in rows)

    def _settled(self) -> dict[str, float]:
        """Compare where the best of drawn functions lies, now and before any rating, among the same points."""
        before = self._draw(np.zeros(len(self.rows)), self.belief.covariance(self.rows, self.rows))
        now, then = (self.rows[drawn.argmax(axis=1)] for drawn in (self.drawn, before))
        return {
            name: _settled(now[:, column], then[:, column], bool(self.space.is_category[column]))
            for column, name in enumerate(self.space.free)
        }

    def variance(self) -> VarianceParts:
        """Return where the variance of a rating comes from."""
        hyper = self.belief.hyper
        return VarianceParts(
            setting=float(np.var(self.belief.mean(self.belief.ratings.points[self.belief.ratings.point]))),
            rater=hyper.rater,
            item=hyper.effects["item"],
            luck=hyper.effects["output"],
            noise=float(np.mean(hyper.noises[self.belief.ratings.rater])),
        )


def raters(belief: RatingGP, seen: Sequence[Observation]) -> tuple[RaterEffect, ...]:
    """Return how much higher than the others each rater scores."""
    counts = sorted(Counter(one.rater for one in seen).items())
    return tuple(
        RaterEffect(rater=name, ratings=count, effect=interval(one.mean, one.sd, on_scale=False))
        for (name, count), one in zip(counts, belief.rater_effects(), strict=True)
    )


def _values(space: SearchSpace, name: str, at: Value) -> list[Value]:
    """List the values of a curve: each choice, or evenly spaced numbers; the best point's value is among them."""
    parameter, axis = space.parameters[name], space.free.get(name)
    if isinstance(parameter, CategoryParameter):
        return list(parameter.choices)
    if axis is None:
        return [at]
    return sorted({at, *(axis.value(place) for place in np.linspace(0, 1, CURVE))}, key=float)


def _settled(now: Array, then: Array, is_category: bool) -> float:
    before, after = _scatter(then, is_category), _scatter(now, is_category)
    return float(np.clip(1 - after / before, 0, 1)) if before > 0 else 1.0


def _scatter(places: Array, is_category: bool) -> float:
    """Return the standard deviation of places; of choices, the root of the chance that two of them differ."""
    if not is_category:
        return float(places.std())
    shares = np.unique(places, return_counts=True)[1] / len(places)
    return float(np.sqrt(1 - shares @ shares))
