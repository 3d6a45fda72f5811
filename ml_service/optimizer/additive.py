"""The covariance of f: single parameters, pairs, triples and all of them together, and how f falls off its home.

f(x) is a sum of functions of one parameter each, of two, of three, and of all; their kernels are the elementary
symmetric polynomials of the parameters' own correlations, averaged over the subsets of one size and weighed, so that
nothing is listed (Duvenaud, Nickisch and Rasmussen 2011, "Additive Gaussian processes"; Newton-Girard formulae).
A number correlates by Matérn-5/2 on the unit interval, a category by 1 with itself and rho with any other choice.

Home is a point that was good enough so far: the default. Points may be the worse (or better) the farther they are from
it, by an amount that ratings tell: the mean distance over parameters times a normal number, an explicit basis function
(Rasmussen and Williams 2006, section 2.7).

All of it is elementwise work on D parameters × N pairs of points, done in blocks that stay in a core's cache.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

ORDERS = (1, 2, 3)
SQRT5 = math.sqrt(5)
BLOCK = 32768  # numbers that are worked on at once
FALL = 2.0  # stars, standard deviation of what lies between home and a point that is a whole range off in all numbers
OTHER = 0.5  # how far off any other choice is than home's, where the ends of a range are 1 apart


@dataclass(frozen=True)
class Additive:
    """The kernel of D parameters: `shape` holds a log length scale or the logit of rho for each, `weights` in stars².

    There is a weight for each order that is less than D, and last the weight of the product of all. `home` is a row.
    """

    is_category: npt.NDArray[np.bool_]
    home: Array
    shape: Array
    weights: Array

    def variance(self, points: Array) -> Array:
        """Return the variance of f at each point, in stars²."""
        return np.asarray(self.weights.sum() + fall(points, self.home, self.is_category) ** 2)

    def __call__(self, a: Array, b: Array) -> Array:
        """Return the covariances, in stars², of f at the rows of a and of b."""
        covariance, count = np.empty((len(a), len(b))), len(self.shape)
        order = np.argsort(self.is_category, kind="stable")
        left, right = (np.ascontiguousarray(points[:, order].T) for points in (a, b))
        numbers, each = count - int(self.is_category.sum()), max(BLOCK // max(len(b) * count, 1), 1)
        for at in range(0, len(a), each):
            block = covariance[at : at + each]
            apart = np.abs(left[:, at : at + each, None] - right[:, None, :]).reshape(count, block.size)
            _correlate(apart, numbers, self.shape[order], into=apart, slopes=None)
            block[:] = (self.weights @ _terms(apart)).reshape(block.shape)
        covariance += np.multiply.outer(*(fall(points, self.home, self.is_category) for points in (a, b)))
        return covariance

    def combined(self, sums: Sequence[Array], product: Array) -> Array:
        """Return the covariance but for the fall, from the sums of the correlations' powers and from their product."""
        terms = [*_symmetric(sums, len(self.shape)), product]
        return sum((w * term for w, term in zip(self.weights, terms, strict=True)), np.zeros(product.shape))

    def correlation(self, column: int, a: Array, b: Array) -> Array:
        """Return how one parameter correlates between two lists of its values."""
        correlation = np.abs(a[:, None] - b[None, :]).reshape(1, len(a) * len(b))
        one = slice(column, column + 1)
        _correlate(correlation, int(not self.is_category[column]), self.shape[one], into=correlation, slopes=None)
        return correlation.reshape(len(a), len(b))


def fall(points: Array, home: Array, is_category: npt.NDArray[np.bool_]) -> Array:
    """Return the basis function at each point, in stars: its mean distance from home over parameters, times FALL."""
    return np.asarray(falls(points, home, is_category).sum(axis=1))


def falls(points: Array, home: Array, is_category: npt.NDArray[np.bool_]) -> Array:
    """Return the terms of that sum, one by parameter, as many numbers as `points` has."""
    off = np.where(is_category, OTHER * (points != home), np.abs(points - home))
    return np.asarray(FALL / max(len(home), 1) * off)


class Slopes:
    """The covariance of m points with themselves, and how it changes with the kernel's own numbers.

    It is symmetric, so it is kept as a list of N = m (m + 1) / 2 pairs; `pair` holds the m × m places in that list.
    Numbers come before categories in all that is D × N.
    """

    def __init__(self, points: Array, home: Array, is_category: npt.NDArray[np.bool_]) -> None:
        one, other = np.tril_indices(len(points))
        fallen = fall(points, home, is_category)
        self.fallen = fallen[one] * fallen[other]
        self.pair = np.empty((len(points), len(points)), dtype=np.intp)
        self.pair[one, other] = self.pair[other, one] = np.arange(len(one))
        self.is_category, self.order = is_category, np.argsort(is_category, kind="stable")
        self.numbers = len(is_category) - int(is_category.sum())
        columns = np.ascontiguousarray(points[:, self.order].T)
        self.size, self.length = max(BLOCK // len(is_category), 1), len(one)
        pairs = ((np.take(columns, one[at], axis=1), np.take(columns, other[at], axis=1)) for at in self._blocks())
        self.apart = [np.abs(left - right) for left, right in pairs]
        self.each, self.own = ([np.empty_like(apart) for apart in self.apart] for _ in range(2))
        self.terms = np.empty((len(orders(len(is_category))) + 1, len(one)))

    def at(self, shape: Array, weights: Array) -> Array:
        """Return the N covariances for such a kernel, and keep what `slope` needs of it."""
        self.weights, ordered = weights, shape[self.order]
        for apart, each, own, block in zip(self.apart, self.each, self.own, self._blocks(), strict=True):
            _correlate(apart, self.numbers, ordered, each, own)
            self.terms[:, block] = _terms(each)
        return np.asarray(weights @ self.terms + self.fallen)

    def slope(self, b: Array) -> tuple[Array, Array]:
        """Return the sums over b · dK by each shape and by the log of each weight, b being a number for each pair.

        dK by one correlation z is the same polynomials of the others, one order lower. With the sums e₁ and e₂ over
        all singles and pairs, those of the others are e₁ - z and e₂ - z e₁ + z², and their product is that of all / z.
        """
        count = len(self.order)
        found = np.zeros(count)
        one, two, three = (math.comb(count, order) for order in ORDERS)
        weights = [*self.weights[:-1], 0, 0, 0][:3]
        first, second, third = (w / max(c, 1) for w, c in zip(weights, (one, two, three), strict=True))
        for z, own, block in zip(self.each, self.own, self._blocks(), strict=True):
            b_here, terms = b[block], self.terms[:, block]
            singles, pairs = (terms[0] * one if second else 0.0), (terms[1] * two if third else 0.0)
            by = z * third
            by -= second + third * singles
            by *= z
            by += first + second * singles + third * pairs
            by *= own
            found += by @ b_here
            found += np.divide(own, z, out=by) @ (self.weights[-1] * terms[-1] * b_here)
        by_shape = np.empty(count)
        by_shape[self.order] = found
        return by_shape, self.weights * (self.terms @ b)

    def _blocks(self) -> Iterator[slice]:
        return (slice(at, at + self.size) for at in range(0, self.length, self.size))


def orders(count: int) -> tuple[int, ...]:
    """Return the sizes of subsets that have a weight of their own, for so many parameters."""
    return tuple(order for order in ORDERS if order < count)


def _correlate(apart: Array, numbers: int, shape: Array, into: Array, slopes: Array | None) -> None:
    """Write the correlations at distances, both D × N, and their derivatives by the shapes where these are wanted.

    With r = √5 · distance / length, those of numbers, which come first, are (1 + r + r²/3) exp(-r) and
    r²/3 (1 + r) exp(-r). `into` may be `apart`.
    """
    minus = apart[:numbers] * (-SQRT5 * np.exp(-shape[:numbers]))[:, None]
    decay, square = np.exp(minus), minus * minus
    square /= 3
    rest = np.subtract(1, minus, out=minus)
    np.add(rest, square, out=into[:numbers])
    into[:numbers] *= decay
    rho, differs = (1 / (1 + np.exp(-shape[numbers:])))[:, None], apart[numbers:] != 0
    into[numbers:] = np.where(differs, rho, 1)
    if slopes is not None:
        square *= rest
        np.multiply(square, decay, out=slopes[:numbers])
        np.multiply(differs, rho * (1 - rho), out=slopes[numbers:])


def _terms(each: Array) -> Array:
    """Return the means of products over singles, pairs and triples, as far as there are more parameters, and of all."""
    squares = each * each
    sums = each.sum(0), squares.sum(0), np.einsum("dn,dn->n", squares, each)
    return np.array([*_symmetric(sums, len(each)), each.prod(0)])


def _symmetric(sums: Sequence[Array], count: int) -> list[Array]:
    """Return the means over singles, pairs and triples, as far as there are more parameters, from power sums."""
    one, two, three = sums
    polynomials = (one, (one * one - two) / 2, (one * (one * one - 3 * two) + 2 * three) / 6)
    return [polynomials[order - 1] / math.comb(count, order) for order in orders(count)]
