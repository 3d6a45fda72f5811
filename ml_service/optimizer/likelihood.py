"""How probable ratings are under a RatingGP, by its hyperparameters, with the exact gradient; and the best ones.

Rasmussen and Williams 2006, equations 5.8 and 5.9, on log hyperparameters with normal priors.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, cholesky, lapack
from scipy.optimize import minimize

from ml_service.optimizer.additive import Additive, Array, Slopes, orders

Index = npt.NDArray[np.intp]

NONE = -1  # the number of what is in no member of a group
LEVEL, LEVEL_SD = 3.0, 1.0  # stars, of the mean rating before any is seen

# Medians, and standard deviations of the log: lengths as parts of a range, all others in stars²; correlations by logit.
LENGTH, RHO, SHARED = (0.45, 0.6), (0.5, 0.7), (0.8, 1.0)
WEIGHTS = {1: (0.1, 0.6), 2: (0.1, 0.6), 3: (0.05, 0.6)}
PRODUCT = (0.2, 0.5)
EFFECTS = {
    "item": (0.15, 0.8),
    "output": (0.12, 0.8),
    "version": (0.02, 0.8),
    "generator": (0.05, 0.8),
    "study": (0.1, 0.8),
}
RATER, NOISE = (0.20, 0.9), (0.45, 0.5)
SCALE_SD, NOISE_SD = 0.2, 0.4  # of the logs of a rater's scale and noise
REACH = 4  # standard deviations of a prior that the search may go
STEPS = 40


@dataclass(frozen=True)
class Ratings:
    """Ratings as arrays: m distinct points in the unit cube; of each rating, its point and its groups by number.

    What has the number NONE in a group has no effect of it: it is what the others are compared with. `earlier` marks
    the points of another study, whose f is correlated with that of this one but not the same. `home` is the row of the
    default.
    """

    points: Array
    home: Array
    earlier: npt.NDArray[np.bool_]
    is_category: npt.NDArray[np.bool_]
    stars: Array
    point: Index
    rater: Index
    raters: int
    groups: Mapping[str, Index]

    def some(self, kept: Index) -> "Ratings":
        """Return these ratings only, with the points that they are of; raters keep their numbers."""
        used, point = np.unique(self.point[kept], return_inverse=True)
        groups = {name: index[kept] for name, index in self.groups.items()}
        points, earlier, rater = self.points[used], self.earlier[used], self.rater[kept]
        stars = self.stars[kept]
        return Ratings(points, self.home, earlier, self.is_category, stars, point, rater, self.raters, groups)


@dataclass(frozen=True)
class Hyper:
    """Hyperparameters: the kernel of f, variances of effects, of raters' levels, and each rater's scale and noise.

    `shared` is the correlation of f in this study with f in an earlier one, at the same point.
    """

    kernel: Additive
    shared: float
    effects: Mapping[str, float]
    rater: float
    noise: float
    scales: Array
    noises: Array


class Objective:
    """The negative log posterior of the logs of the hyperparameters (`theta`), with its gradient."""

    def __init__(self, ratings: Ratings) -> None:
        self.rater, self.raters = ratings.rater, ratings.raters
        self.stars = ratings.stars - LEVEL
        self.home = ratings.home
        self.slopes = Slopes(ratings.points, ratings.home, ratings.is_category)
        self.pair = self.slopes.pair[np.ix_(ratings.point, ratings.point)]
        one, other = np.tril_indices(len(ratings.points))
        self.apart = ratings.earlier[one] != ratings.earlier[other]
        self.effects = tuple(ratings.groups)
        self.same = [_same(index) for index in ratings.groups.values()]
        self.same_rater = _same(self.rater)
        self.inner, self.whole, self.spare = np.empty((3, *self.pair.shape))
        self._lay_out(ratings.is_category)

    def _lay_out(self, is_category: npt.NDArray[np.bool_]) -> None:
        sizes = orders(len(is_category))
        priors = [_logit(RHO) if is_one else _log(LENGTH) for is_one in is_category]
        priors += [*(_log(WEIGHTS[size]) for size in sizes), _log(PRODUCT)]
        priors += [_logit(SHARED)] * bool(self.apart.any())
        priors += [*(_log(EFFECTS[name]) for name in self.effects), _log(RATER), _log(NOISE)]
        priors += [(0.0, SCALE_SD)] * self.raters + [(0.0, NOISE_SD)] * self.raters
        self.start, self.spread = np.array(priors).T
        both = int(self.apart.any())
        lengths = [len(is_category), len(sizes) + 1, both, len(self.effects), 2, self.raters, self.raters]
        self.cuts = np.cumsum(lengths)[:-1]

    def read(self, theta: Array) -> Hyper:
        """Return the hyperparameters that theta holds the logs of."""
        shape, weights, shared, effects, (rater, noise), scales, noises = np.split(theta, self.cuts)
        kernel = Additive(self.slopes.is_category, self.home, shape, np.exp(weights))
        named = dict(zip(self.effects, np.exp(effects).tolist(), strict=True))
        alike = sigmoid(float(shared[0])) if len(shared) else 1.0
        return Hyper(kernel, alike, named, math.exp(rater), math.exp(noise), np.exp(scales), np.exp(noise + noises))

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Return the objective and its gradient."""
        hyper, inner, whole = self.read(theta), self.inner, self.whole
        f = self.slopes.at(hyper.kernel.shape, hyper.kernel.weights) * np.where(self.apart, hyper.shared, 1)
        np.take(f + LEVEL_SD**2, self.pair, out=inner, mode="clip")
        for same, variance in zip(self.same, hyper.effects.values(), strict=True):
            inner += np.multiply(same, variance, out=self.spare)
        scale, noise = hyper.scales[self.rater], hyper.noises[self.rater]
        _scale(inner, scale)
        np.add(inner, np.multiply(self.same_rater, hyper.rater, out=whole), out=whole)
        whole[np.diag_indices(len(whole))] += noise
        factor = cholesky(whole.T, lower=True, overwrite_a=True, check_finite=False)
        alpha = cho_solve((factor, True), self.stars, check_finite=False)
        off = (theta - self.start) / self.spread
        value = self.stars @ alpha / 2 + np.log(np.diagonal(factor)).sum() + off @ off / 2
        a = self._doubled(factor, alpha)
        effects = self._of_effects(a, noise, hyper)
        _scale(a, scale)
        slope = np.concatenate([*self._of_f(a, f, hyper), self._of_groups(a, hyper), *effects])
        return float(value), slope / 2 + off / self.spread

    def _doubled(self, factor: Array, alpha: Array) -> Array:
        """Return a = K⁻¹ - α αᵀ, of K⁻¹ one triangle only, doubled: times what is symmetric it sums to the same."""
        a: Array = lapack.dpotri(factor, lower=1, overwrite_c=1)[0].T
        diagonal = np.diagonal(a).copy()
        a *= 2
        a[np.diag_indices(len(a))] = diagonal
        a -= np.multiply(alpha[:, None], alpha, out=self.spare)
        return a

    def _of_f(self, a: Array, f: Array, hyper: Hyper) -> list[Array]:
        """Return trace(a dK) by each entry of theta that f depends on, a being times the raters' scales."""
        by_pair: Array = np.bincount(self.pair.ravel(), a.ravel(), len(f)).astype(float, copy=False)
        slopes = self.slopes.slope(by_pair * np.where(self.apart, hyper.shared, 1))
        if not self.apart.any():
            return [*slopes]
        return [*slopes, np.array([(1 - hyper.shared) * np.vdot(by_pair, np.where(self.apart, f, 0))])]

    def _of_groups(self, a: Array, hyper: Hyper) -> Array:
        """Return the same by the variances of groups."""
        pairs = zip(hyper.effects.values(), self.same, strict=True)
        return np.array([variance * np.vdot(a, same) for variance, same in pairs])

    def _of_effects(self, a: Array, noise: Array, hyper: Hyper) -> list[Array]:
        """Return the same by what raters have of their own, a being without their scales."""
        own, scaled = np.diagonal(a) * noise, np.multiply(a, self.inner, out=self.spare)
        return [
            np.array([hyper.rater * np.vdot(a, self.same_rater), own.sum()]),
            np.bincount(self.rater, scaled.sum(0) + scaled.sum(1), self.raters),
            np.bincount(self.rater, own, self.raters),
        ]


def most_probable(ratings: Ratings) -> Hyper:
    """Return the hyperparameters of the highest posterior density, from the medians of their priors uphill."""
    if not len(ratings.stars):
        objective = Objective(ratings)
        return objective.read(objective.start)
    objective = Objective(ratings)
    reach = REACH * objective.spread
    box = np.stack([objective.start - reach, objective.start + reach], axis=1)
    options = {"maxiter": STEPS, "ftol": 1e-4}
    found = minimize(objective, objective.start, jac=True, method="L-BFGS-B", bounds=box, options=options)
    return objective.read(found.x)


def _same(index: Index) -> Array:
    return np.asarray(np.equal.outer(index, index) & (index != NONE), dtype=float)


def _scale(matrix: Array, scale: Array) -> None:
    """Multiply a matrix in place by a number for each row and for each column."""
    matrix *= scale[:, None]
    matrix *= scale


def sigmoid(logit: float) -> float:
    """Return the probability of a logit."""
    return 1 / (1 + math.exp(-logit))


def _logit(prior: tuple[float, float]) -> tuple[float, float]:
    return math.log(prior[0] / (1 - prior[0])), prior[1]


def _log(prior: tuple[float, float]) -> tuple[float, float]:
    return math.log(prior[0]), prior[1]
