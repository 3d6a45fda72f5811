"""What a belief has learnt, in the words of the contract: best point, convergence, curves, raters, variances."""

from collections import defaultdict
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
from ml_service.effects import Effects
from ml_service.rating_gp import RatingGP, sd
from ml_service.space import Array, SearchSpace, snap

CURVE = 21  # values of a number's curve
SAMPLES = 400  # functions drawn from the belief
NEAR = 0.1  # stars: so close to the optimum counts as there


class Findings:
    """What can be said of one belief about its best point and its parameters."""

    def __init__(self, belief: RatingGP, random: np.random.Generator) -> None:
        self.belief, self.random = belief, random
        self.best = recommend(belief, random)
        self.points = belief.space.distinct([self.best, *pool(belief, random)])
        mean, covariance = belief.posterior(self.points)
        self.drawn = self._draw(mean, covariance)

    def _draw(self, mean: Array, covariance: Array) -> Array:
        return self.random.multivariate_normal(mean, covariance, SAMPLES, check_valid="ignore", method="eigh")

    def recommended(self, generator: str) -> Best:
        """Return the best point with the intervals of its rating and of its gain over the default."""
        mean, c = self.belief.posterior([self.best, self.belief.space.default])
        gain_sd = float(np.sqrt(max(c[0, 0] + c[1, 1] - 2 * c[0, 1], 0)))
        gain = interval(float(mean[0] - mean[1]), gain_sd, on_scale=False)
        rating = interval(float(mean[0]), float(sd(c)[0]))
        return Best(generator=generator, point=self.best, rating=rating, gain=gain)

    def convergence(self) -> Convergence:
        """Return what the best of all points is expected to have over the recommended one, over drawn functions."""
        left = self.drawn.max(axis=1) - self.drawn[:, 0]
        return Convergence(gain_left=float(left.mean()), probability_near_best=float(np.mean(left <= NEAR)))

    def parameters(self) -> dict[str, ParameterReport]:
        """Return the curve of each parameter through the best point, its importance, and how settled it is."""
        curves = {name: self._curve(name) for name in self.belief.space.parameters}
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
        values = _values(self.belief.space, name, self.best[name])
        mean, covariance = self.belief.posterior([self.best | {name: value} for value in values])
        rows = zip(values, mean, sd(covariance), strict=True)
        return tuple(CurvePoint(value=value, rating=interval(float(m), float(s))) for value, m, s in rows)

    def _settled(self) -> dict[str, float]:
        """Compare where the best of drawn functions lies, now and before any rating, among the same points."""
        unit = self.belief.space.unit(self.points)
        before = self._draw(np.zeros(len(self.points)), self.belief.prior(self.points))
        now, then = (unit[drawn.argmax(axis=1)] for drawn in (self.drawn, before))
        return {
            name: _settled(now[:, column], then[:, column], bool(self.belief.space.is_category[column]))
            for column, name in enumerate(self.belief.space.free)
        }


def raters(effects: Effects) -> tuple[RaterEffect, ...]:
    """Return how much higher than the others each rater scores."""
    return tuple(
        RaterEffect(rater=name, ratings=one.ratings, effect=interval(one.mean, one.sd, on_scale=False))
        for name, one in sorted(effects.raters.items())
    )


def variance(belief: RatingGP, seen: Sequence[Observation]) -> VarianceParts:
    """Return where the variance of the ratings comes from.

    Noise is how ratings of one output differ; what else differs between outputs of one setting is luck. Where no
    output has two ratings the two cannot be told apart, and all of it is called noise.
    """
    fitted = belief.mean([o.point for o in seen])
    ratings = np.array([belief.effects.corrected(o) for o in seen])
    rest = float(np.mean((ratings - fitted) ** 2))
    noise = _within([o.output for o in seen], ratings)
    noise = rest if noise is None else min(noise, rest)
    rater = np.mean([belief.effects.raters[o.rater].mean ** 2 for o in seen])
    item = np.mean([belief.effects.items[o.item].mean ** 2 for o in seen])
    return VarianceParts(
        setting=float(np.var(fitted)), rater=float(rater), item=float(item), luck=rest - noise, noise=noise
    )


def _within(outputs: Sequence[str], ratings: Array) -> float | None:
    """Return the variance of ratings of the same output, pooled; None where no output has two."""
    groups: defaultdict[str, list[float]] = defaultdict(list)
    for output, rating in zip(outputs, ratings, strict=True):
        groups[output].append(float(rating))
    freedom = len(ratings) - len(groups)
    squares = sum(float(np.var(group)) * len(group) for group in groups.values())
    return squares / freedom if freedom else None


def _values(space: SearchSpace, name: str, at: Value) -> list[Value]:
    """List the values of a curve: each choice, or evenly spaced numbers; the best point's value is among them."""
    parameter = space.parameters[name]
    if isinstance(parameter, CategoryParameter):
        return list(parameter.choices)
    if name not in space.free:
        return [at]
    base = space.unit([space.default] * CURVE)
    base[:, list(space.free).index(name)] = np.linspace(0, 1, CURVE)
    return sorted({at, *(snap(parameter, point[name]) for point in space.points(base))}, key=float)


def _settled(now: Array, then: Array, is_category: bool) -> float:
    before, after = _scatter(then, is_category), _scatter(now, is_category)
    return float(np.clip(1 - after / before, 0, 1)) if before > 0 else 1.0


def _scatter(places: Array, is_category: bool) -> float:
    """Return the standard deviation of places; of choices, the root of the chance that two of them differ."""
    if not is_category:
        return float(places.std())
    shares = np.unique(places, return_counts=True)[1] / len(places)
    return float(np.sqrt(1 - shares @ shares))
