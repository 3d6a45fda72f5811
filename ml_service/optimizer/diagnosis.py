"""What a belief has learnt, in the words of the contract: best point, convergence, curves, effects, variances.

Nothing is told surer than whole stars allow: n ratings leave open at least the n-th part of `ROUNDING`, however alike
they are. What only the priors say is left out: shares of what was not varied, and of ratings that are all alike.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ml_service.optimizer.acquisition import interval, pool, recommend
from ml_service.optimizer.importance import Importance, importance
from ml_service.optimizer.known import Known
from ml_service.optimizer.rating_gp import Effect, RatingGP
from ml_service.optimizer.space import Array, SearchSpace, distinct
from ml_service.wire.contract import (
    ROUNDING,
    Best,
    CategoryParameter,
    Convergence,
    CurvePoint,
    Diagnosis,
    GroupEffect,
    Interval,
    PairReport,
    ParameterReport,
    Point,
    RaterEffect,
    Value,
    VarianceParts,
)

CURVE = 21  # values of a number's curve
SAMPLES = 400  # functions drawn from the belief
DRAWN = 400  # points that they are drawn at
NEAR = 0.1  # stars: so close to the optimum counts as there
OWN = 0.25  # of what looks like the luck of a point's outputs may be the point's own: nothing that its neighbours show


def learnt(known: Known, random: np.random.Generator) -> Diagnosis:
    """Return what ratings tell of a generator; how many there are is left to be said."""
    belief = RatingGP(known.ratings())
    findings = Findings(belief, known, random)
    shares = importance(belief, known.space, random)
    return Diagnosis(
        best=findings.recommended(),
        convergence=findings.convergence(),
        parameters=findings.parameters(shares),
        pairs=tuple(PairReport(parameters=pair, importance=share) for pair, share in shares.pairs.items()),
        raters=_raters(belief, known),
        versions=_groups(belief, known, "version"),
        generators=_groups(belief, known, "generator"),
        variance=findings.variance(),
        ratings_used=0,
        history="",
    )


class Findings:
    """What can be said of one belief about its best point and its parameters."""

    def __init__(self, belief: RatingGP, known: Known, random: np.random.Generator) -> None:
        self.belief, self.known, self.space, self.random = belief, known, known.space, random
        self.row = recommend(belief, self.space, random)
        self.best = known.points(self.row)[0]
        rows = distinct(np.vstack([self.row, pool(belief, self.space, random).points]))
        kept = np.argsort(-belief.mean(rows[1:]), kind="stable")[: DRAWN // 2]
        self.rows = distinct(np.vstack([self.row, rows[1:][kept], rows[1:DRAWN]]))
        self.drawn = self._draw(*belief.posterior(self.rows))
        self.least = ROUNDING / len(belief.ratings.stars)

    def _draw(self, mean: Array, covariance: Array) -> Array:
        return self.random.multivariate_normal(mean, covariance, SAMPLES, check_valid="ignore", method="eigh")

    def recommended(self) -> Best:
        """Return the best point with the intervals of its rating and of its gain over the default."""
        mean, c = self.belief.posterior(np.vstack([self.row, self.space.unit([self.space.default])]))
        own = self._own([self.best, self.space.default])
        apart = c[0, 0] + c[1, 1] - 2 * c[0, 1] + (own.sum() if self.best != self.space.default else 0)
        gain_sd, sd = np.sqrt(np.maximum([apart, c[0, 0] + own[0]], self.least)).tolist()
        gain_sd = gain_sd if self.best != self.space.default else 0.0
        return Best(
            generator=self.known.generator,
            point=self.best,
            rating=interval(float(mean[0]), sd),
            gain=interval(float(mean[0] - mean[1]), gain_sd, on_scale=False),
            sd=sd,
        )

    def convergence(self) -> Convergence | None:
        """Return what the best of all points is expected to have over the recommended one, over drawn functions.

        None while all ratings are of one point of several. One draw more may turn out either way, so that the
        probability is certain by its draws in neither (Laplace's rule of succession).
        """
        if self.space.free and len(self.belief.ratings.points) < 2:
            return None
        left = self.drawn.max(axis=1) - self.drawn[:, 0]
        near = (np.sum(left <= NEAR) + 1) / (SAMPLES + 2) if len(self.rows) > 1 else 1.0
        return Convergence(gain_left=float(left.mean()), probability_near_best=float(near))

    def parameters(self, shares: Importance) -> dict[str, ParameterReport]:
        """Return the curve of each parameter through the best point, its importance, and how settled it is."""
        settled, curves = self._settled(), self._curves()
        return {
            name: ParameterReport(
                curve=curves[name],
                importance=shares.first.get(name, 0),
                total=shares.total.get(name, 0),
                settled=settled.get(name, 1),
            )
            for name in self.space.parameters
        }

    def _curves(self) -> dict[str, tuple[CurvePoint, ...]]:
        each = {name: _values(self.space, name, self.best[name]) for name in self.space.parameters}
        values = [(name, value) for name, some in each.items() for value in some]
        points = [self.best | {name: value} for name, value in values]
        means, sds = self.belief.marginal(self.space.unit(points))
        curves: dict[str, list[CurvePoint]] = {name: [] for name in each}
        spread = np.sqrt(np.maximum(sds * sds + self._own(points), self.least))
        for (name, value), mean, sd in zip(values, means, spread, strict=True):
            curves[name].append(CurvePoint(value=value, rating=interval(float(mean), float(sd))))
        return {name: tuple(curve) for name, curve in curves.items()}

    def _own(self, points: Sequence[Point]) -> Array:
        """Return the variance of what points have of their own, in stars², as far as ratings of them leave it open.

        f is smoother than what it stands for: this is its discrepancy (Kennedy and O'Hagan 2001).
        """
        hyper = self.belief.hyper
        own, luck = OWN * hyper.effects["output"], (1 - OWN) * hyper.effects["output"]
        rated = np.array([self.known.rated[self.space.key(point)] for point in points])
        return np.asarray(own / (1 + rated * own / (luck + hyper.noise)))

    def _settled(self) -> dict[str, float]:
        """Compare where the best of drawn functions lies, now and before any rating, among the same points."""
        before = self._draw(np.zeros(len(self.rows)), self.belief.covariance(self.rows, self.rows))
        now, then = (self.rows[drawn.argmax(axis=1)] for drawn in (self.drawn, before))
        return {
            name: _settled(now[:, column], then[:, column], bool(self.space.is_category[column]))
            for column, name in enumerate(self.space.free)
        }

    def variance(self) -> VarianceParts | None:
        """Return where the variance of a rating comes from, as far as ratings tell; None where all are alike."""
        hyper, ratings = self.belief.hyper, self.belief.ratings
        if np.ptp(ratings.stars) == 0:
            return None
        luck, noise = hyper.effects["output"], max(float(np.mean(hyper.noises[ratings.rater])), ROUNDING)
        again = len(ratings.stars) > len(np.unique(ratings.groups["output"]))
        several = {"point": ratings.point, "rater": ratings.rater, "item": ratings.groups["item"]}
        varied = {name for name, numbers in several.items() if np.ptp(numbers) > 0}
        return VarianceParts(
            setting=float(np.var(self.belief.mean(ratings.points[ratings.point]))) if "point" in varied else None,
            rater=hyper.rater if "rater" in varied else None,
            item=hyper.effects["item"] if "item" in varied else None,
            luck=luck if again else None,
            noise=noise if again else luck + noise,
        )


def _raters(belief: RatingGP, known: Known) -> tuple[RaterEffect, ...]:
    """Return how each rater of this study scores, beside the others."""
    names = sorted({one.rater for one in known.rows})
    counts = Counter(one.rater for one in known.seen)
    effects = zip(names, belief.rater_effects(), belief.hyper.scales, belief.hyper.noises, strict=True)
    return tuple(
        RaterEffect(
            rater=name,
            ratings=counts[name],
            effect=_effect(one, counts[name]),
            scale=float(scale),
            noise=float(np.sqrt(max(noise, ROUNDING))),
        )
        for name, one, scale, noise in effects
        if counts[name]
    )


def _groups(belief: RatingGP, known: Known, kind: str) -> tuple[GroupEffect, ...]:
    """Return how the versions or generators are rated beside the one that the others are compared with."""
    if kind not in belief.ratings.groups:
        return ()
    ours, names = known.compared[kind]
    counts = Counter(names)
    others = sorted(set(counts) - {ours})
    effects = {ours: interval(0, 0, on_scale=False)}
    for name, one in zip(others, belief.effects_of(kind), strict=True):
        effects[name] = _effect(one, counts[name])
    return tuple(GroupEffect(name=name, ratings=counts[name], effect=effects[name]) for name in sorted(effects))


def _effect(one: Effect, ratings: int) -> Interval:
    """Return the interval of an effect that so many ratings tell of."""
    return interval(one.mean, math.sqrt(max(one.sd**2, ROUNDING / ratings)), on_scale=False)


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
