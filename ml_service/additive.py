"""The covariance of f: single parameters, pairs, triples and all of them together.

f(x) is a sum of functions of one parameter each, of two, of three, and of all; their kernels are the elementary
symmetric polynomials of the parameters' own correlations, averaged over the subsets of one size and weighed, so that
nothing is listed (Duvenaud, Nickisch and Rasmussen 2011, "Additive Gaussian processes"; Newton-Girard formulae).
A number correlates by Matérn-5/2 on the unit interval, a category by 1 with itself and rho with any other choice.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

ORDERS = (1, 2, 3)
SQRT5 = math.sqrt(5)


@dataclass(frozen=True)
class Additive:
    """The kernel of D parameters: `shape` holds a log length scale or the logit of rho for each, `weights` in stars².

    There is a weight for each order that is less than D, and last the weight of the product of all.
    """

    is_category: npt.NDArray[np.bool_]
    shape: Array
    weights: Array

    @property
    def variance(self) -> float:
        """Return the variance of f at any point, in stars²."""
        return float(self.weights.sum())

    def __call__(self, a: Array, b: Array) -> Array:
        """Return the covariances, in stars², of f at the rows of a and of b."""
        sums = [np.zeros((len(a), len(b))) for _ in ORDERS]
        product = np.ones((len(a), len(b)))
        for column in range(len(self.shape)):
            correlation = self.correlation(column, a[:, column], b[:, column])
            power = correlation
            product *= correlation
            for total in sums:
                total += power
                power = power * correlation
        return self.combined(sums, product)

    def combined(self, sums: list[Array], product: Array) -> Array:
        """Return the covariance from the sums of the correlations' first three powers, and from their product."""
        terms = [*_symmetric(sums, len(self.shape)), product]
        return sum((w * term for w, term in zip(self.weights, terms, strict=True)), np.zeros(product.shape))

    def correlation(self, column: int, a: Array, b: Array) -> Array:
        """Return how one parameter correlates between two lists of its values."""
        if self.is_category[column]:
            return np.where(a[:, None] == b[None, :], 1.0, _rho(self.shape[column]))
        r = np.abs(a[:, None] - b[None, :]) * (SQRT5 / math.exp(self.shape[column]))
        return (1 + r * (1 + r / 3)) * np.exp(-r)


class Slopes:
    """The covariance of a list of points with itself, and how it changes with the kernel's own numbers."""

    def __init__(self, points: Array, is_category: npt.NDArray[np.bool_]) -> None:
        self.points, self.is_category = points, is_category
        self.apart = np.abs(points.T[:, :, None] - points.T[:, None, :]) * SQRT5
        self.apart[is_category] = self.apart[is_category] != 0

    def at(self, shape: Array, weights: Array) -> Array:
        """Return the m × m covariance for such a kernel, and keep what `slope` needs of it."""
        self.shape, self.weights = shape, weights
        scaled = self.apart * np.where(self.is_category, 1, np.exp(-shape))[:, None, None]
        self.scaled, self.decay = scaled, np.exp(-scaled)
        self.each = (1 + scaled * (1 + scaled / 3)) * self.decay
        for column in np.flatnonzero(self.is_category):
            self.each[column] = np.where(self.apart[column] == 0, 1.0, _rho(shape[column]))
        squares = self.each * self.each
        self.sums = [self.each.sum(0), squares.sum(0), (squares * self.each).sum(0)]
        self.terms = [*_symmetric(self.sums, len(shape)), self.each.prod(0)]
        return sum((w * term for w, term in zip(weights, self.terms, strict=True)), np.zeros(self.terms[0].shape))

    def slope(self, b: Array) -> tuple[Array, Array]:
        """Return the sums over b ∘ dK by each shape and by the log of each weight; b is m × m and symmetric."""
        by_weight = np.array([w * np.vdot(b, term) for w, term in zip(self.weights, self.terms, strict=True)])
        by_shape = np.array([np.vdot(b * self._by(d), self._own(d)) for d in range(len(self.shape))])
        return by_shape, by_weight

    def _by(self, column: int) -> Array:
        """Return dK by one correlation: the same polynomials of the other parameters, one order lower."""
        one, count = self.each[column], len(self.shape)
        rest = [self.sums[0] - one, self.sums[1] - one * one]
        lower = (np.ones_like(one), rest[0], (rest[0] * rest[0] - rest[1]) / 2)
        slope: Array = self.weights[-1] * self.terms[-1] / one
        for weight, order, below in zip(self.weights[:-1], ORDERS, lower, strict=False):
            slope += (weight / math.comb(count, order)) * below
        return slope

    def _own(self, column: int) -> Array:
        """Return the derivative of a correlation by its shape."""
        if self.is_category[column]:
            rho = _rho(self.shape[column])
            return np.where(self.apart[column] == 0, 0.0, rho * (1 - rho))
        r = self.scaled[column]
        return np.asarray(r * r * (1 + r) / 3 * self.decay[column])


def orders(count: int) -> tuple[int, ...]:
    """Return the sizes of subsets that have a weight of their own, for so many parameters."""
    return tuple(order for order in ORDERS if order < count)


def _symmetric(sums: list[Array], count: int) -> list[Array]:
    """Return the means over singles, pairs and triples, as far as there are more parameters, from power sums."""
    one, two, three = sums
    polynomials = (one, (one * one - two) / 2, (one * (one * one - 3 * two) + 2 * three) / 6)
    return [polynomials[order - 1] / math.comb(count, order) for order in orders(count)]


def _rho(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
