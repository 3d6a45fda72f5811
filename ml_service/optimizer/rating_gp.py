"""RatingGP: what ratings say about every point, with raters, inputs and the luck of outputs told apart.

    rating = 3 + rater + scale(rater) · (level + f(x) + item + luck(output)) + noise(rater)

Every term is Gaussian, so all of it is one Gaussian process, and each correction carries its own uncertainty. f is
additive (`additive`). The hyperparameters are the most probable ones, by exact gradients (`likelihood`). The posterior
is that of the features of a pivoted Cholesky factor (Harbrecht, Peters and Schneider 2012), with what they leave out
as noise of each output (Snelson and Ghahramani 2006): exact as long as there are no more distinct points than
features. The effects are eliminated as sparse blocks, so a rating more costs next to nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.sparse.linalg import splu

from ml_service.optimizer.additive import Array
from ml_service.optimizer.likelihood import LEVEL, LEVEL_SD, NONE, Hyper, Index, Ratings, most_probable

FITTED = 300  # ratings that the hyperparameters are fitted on
FEATURES = 350  # of the posterior
NEGLIGIBLE = 1e-9  # of the variance at a point; less than that is no feature


@dataclass(frozen=True)
class Effect:
    """How far a rater's level lies off the others', in stars, and its standard deviation."""

    mean: float
    sd: float


@dataclass(frozen=True)
class View:
    """Points, n of them, with their n × k features, and k × n roots of the covariance that ratings left of these."""

    points: Array
    phi: Array
    half: Array

    def beside(self, other: "View") -> "View":
        """Return these points, then the other ones."""
        points, phi = (np.vstack(both) for both in ((self.points, other.points), (self.phi, other.phi)))
        return View(points, phi, np.hstack([self.half, other.half]))


class RatingGP:
    """A belief about the mean rating of every point, over raters and items like those that were seen."""

    def __init__(self, ratings: Ratings) -> None:
        self.ratings = ratings
        self.hyper: Hyper = most_probable(ratings.some(_newest_half_and_some(len(ratings.stars))))
        features, chosen, left = _pivoted(self._column(), self.prior(ratings.points))
        self.centres, self.factor = ratings.points[chosen], features[chosen]
        self.alike = np.where(ratings.earlier[chosen], self.hyper.shared, 1)
        self._condition(features, left)

    def prior(self, points: Array) -> Array:
        """Return the variance of the rating of each point before any is known, in stars²."""
        return self.hyper.kernel.variance(points) + LEVEL_SD**2

    def covariance(self, a: Array, b: Array) -> Array:
        """Return the covariance of level + f between rows of the unit cube before any rating, in stars²."""
        return self.hyper.kernel(a, b) + LEVEL_SD**2

    def mean(self, points: Array) -> Array:
        """Return the expected rating of each point, in stars."""
        return np.asarray(LEVEL + self._features(points) @ self.weights)

    def marginal(self, points: Array) -> tuple[Array, Array]:
        """Return the expected rating of each point and its standard deviation, in stars."""
        return self.at(self.view(points))

    def at(self, view: View) -> tuple[Array, Array]:
        """Return the same of points that have been viewed."""
        variance = self.prior(view.points) - (view.phi * view.phi).sum(1) + (view.half * view.half).sum(0)
        return LEVEL + view.phi @ self.weights, np.sqrt(np.clip(variance, 0, None))

    def posterior(self, points: Array) -> tuple[Array, Array]:
        """Return the expected ratings of points, and the covariance of what is not known of them."""
        view = self.view(points)
        return self.at(view)[0], self.between(view, view)

    def across(self, a: Array, b: Array) -> Array:
        """Return the covariance of what is not known between two lists of points."""
        return self.between(self.view(a), self.view(b))

    def view(self, points: Array) -> View:
        """Return points with what the belief makes of them, to be asked about more than once."""
        phi = self._features(points)
        return View(points, phi, self._half(phi))

    def between(self, a: View, b: View) -> Array:
        """Return the covariance of what is not known between two lists of points."""
        return np.asarray(self.covariance(a.points, b.points) - a.phi @ b.phi.T + a.half.T @ b.half)

    def _column(self) -> Callable[[int], Array]:
        """Return what gives the covariances of one rated point with all, in stars²; f of another study is less alike.

        Where all points become features, they are read from a table.
        """
        points, earlier, kernel = self.ratings.points, self.ratings.earlier, self.hyper.kernel
        table = kernel(points, points) if len(points) <= FEATURES else None

        def column(row: int) -> Array:
            alike = np.where(earlier == earlier[row], 1, self.hyper.shared)
            shared = kernel(points[[row]], points)[0] if table is None else table[row]
            return np.asarray(shared * alike + LEVEL_SD**2)

        return column

    def _features(self, points: Array) -> Array:
        shared = self.hyper.kernel(self.centres, points) * self.alike[:, None] + LEVEL_SD**2
        return np.asarray(solve_triangular(self.factor, shared, lower=True, check_finite=False).T)

    def _half(self, phi: Array) -> Array:
        return np.asarray(solve_triangular(self.lower, phi.T, lower=True, check_finite=False))

    def _condition(self, features: Array, left: Array) -> None:
        """Solve for the weights of the features, and their covariance, with outputs and then effects eliminated.

        With N the noise, S the scale of each rating by its output and E that of the effects, all divided by √N, an
        output's ratings have the covariance I + τ s sᵀ; its inverse is that of Sherman and Morrison.
        """
        hyper, ratings = self.hyper, self.ratings
        root = 1 / np.sqrt(hyper.noises[ratings.rater])
        scale = hyper.scales[ratings.rater] * root
        output = ratings.groups["output"]
        point = np.zeros(int(output.max(initial=-1)) + 1, dtype=np.intp)
        point[output] = ratings.point
        phi, tau = features[point], hyper.effects["output"] + left[point]
        s, y = _one_hot(output, scale), (ratings.stars - LEVEL) * root
        grouped = {name: index for name, index in ratings.groups.items() if name != "output"}
        blocks = [_one_hot(index, scale) for index in grouped.values()] + [_one_hot(ratings.rater, root)]
        variances = [hyper.effects[name] for name in grouped] + [hyper.rater]
        sizes = [block.shape[1] for block in blocks]
        ends = zip([*grouped, "rater"], sizes, np.cumsum(sizes).tolist(), strict=True)
        self.members = {name: np.arange(end - size, end) for name, size, end in ends}
        e = sparse.hstack(blocks, format="csr")
        weight = np.repeat(1 / np.array(variances), sizes)
        a = np.asarray(s.multiply(s).sum(axis=0)).ravel()
        shrunk = 1 / (1 + tau * a)
        se, sy = (s.T @ e).tocsr(), s.T @ y
        cross = se.T @ (phi * shrunk[:, None])
        self.effects = splu((e.T @ e - se.T @ _diagonal(tau * shrunk) @ se + _diagonal(weight)).tocsc())
        solved = self.effects.solve(np.column_stack([cross, e.T @ y - se.T @ (tau * shrunk * sy)]))
        self.solved, shift = solved[:, :-1], solved[:, -1]
        inner = np.eye(phi.shape[1]) + (phi * (a * shrunk)[:, None]).T @ phi - cross.T @ self.solved
        self.lower = cholesky(inner, lower=True, check_finite=False)
        self.weights = cho_solve((self.lower, True), phi.T @ (shrunk * sy) - cross.T @ shift, check_finite=False)
        self.fitted = LEVEL + features @ self.weights
        self.shifts = shift - self.solved @ self.weights

    def rater_effects(self) -> list[Effect]:
        """Return the effect of each rater, by number."""
        return self.effects_of("rater")

    def effects_of(self, name: str) -> list[Effect]:
        """Return the effect of each member of a group of ratings, by number."""
        rows = self.members[name]
        unit = np.zeros((len(self.shifts), len(rows)))
        unit[rows, np.arange(len(rows))] = 1
        half = self._half(self.solved[rows])
        variance = self.effects.solve(unit)[rows, np.arange(len(rows))] + (half * half).sum(0)
        return [Effect(float(self.shifts[row]), math.sqrt(v)) for row, v in zip(rows, variance, strict=True)]


def _one_hot(index: Index, value: Array) -> sparse.csr_matrix:
    rows, shape = np.flatnonzero(index != NONE), (len(index), int(index.max(initial=-1)) + 1)
    return sparse.csr_matrix((value[rows], (rows, index[rows])), shape=shape)


def _diagonal(values: Array) -> sparse.dia_matrix:
    return sparse.diags(values, format="csr")


def _pivoted(column: Callable[[int], Array], variance: Array) -> tuple[Array, list[int], Array]:
    """Factor the covariance of n points greedily: n × k features, the rows they are exact at, and the variance left."""
    left, least = variance, NEGLIGIBLE * variance.max(initial=0)
    features = np.zeros((min(len(variance), FEATURES), len(variance)))
    chosen: list[int] = []
    while len(chosen) < len(features) and left.max() > least:
        pivot, k = int(np.argmax(left)), len(chosen)
        row = (column(pivot) - features[:k, pivot] @ features[:k]) / math.sqrt(left[pivot])
        row[chosen] = 0
        features[k] = row
        left = np.maximum(left - row * row, 0)
        left[pivot] = 0
        chosen.append(pivot)
    return np.ascontiguousarray(features[: len(chosen)].T), chosen, left


def _newest_half_and_some(count: int) -> Index:
    if count <= FITTED:
        return np.arange(count, dtype=np.intp)
    half = FITTED // 2
    older = np.linspace(0, count - half - 1, FITTED - half).round().astype(np.intp)
    return np.concatenate([older, np.arange(count - half, count, dtype=np.intp)])
