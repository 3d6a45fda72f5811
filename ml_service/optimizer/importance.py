"""How much each parameter says about ratings, alone, in pairs and in all: Sobol indices of what was learnt.

The mean of a belief is a weighted sum of covariances with its centres, and a covariance is a polynomial of one
correlation per parameter, linear in each, and a sum over parameters: how far they lie off the default (`additive`).
So the mean over a parameter that may have any of its values is the same with the means of its correlation and of its
distance in their place: what is expected given some parameters needs no sampling (Durrande, Ginsbourger, Roustant and
Carraro 2013, "ANOVA kernels and RKHS of zero mean functions for model-based sensitivity analysis"). Only the outer
average of total indices is taken over points of a Sobol sequence.

Shares are of all the variance over the space, and what is not known of f counts as variance: with few ratings
nothing is important yet.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.stats import qmc

from ml_service.optimizer.additive import Array, fall, falls
from ml_service.optimizer.rating_gp import RatingGP
from ml_service.optimizer.space import Axis, SearchSpace

LISTED = 64  # values of a parameter that are averaged one by one
NODES = 20  # of the quadrature for others (Gauss and Legendre)
POINTS = 8  # log2 of the points that totals, and what is not known, are averaged over
CHUNK = 64  # points at once, to be small
PAIRED = 5  # parameters of the largest total whose pairs are looked at
PAIRS = 10


@dataclass(frozen=True)
class Importance:
    """Shares of the variance over the space: of each parameter alone and with all of its interactions, and of pairs.

    A pair's share is what both explain beyond what each explains alone; the largest come first.
    """

    first: dict[str, float]
    total: dict[str, float]
    pairs: dict[tuple[str, str], float]


def importance(belief: RatingGP, space: SearchSpace, random: np.random.Generator) -> Importance:
    """Return what each free parameter of a space explains of the ratings over it."""
    if not space.free:
        return Importance({}, {}, {})
    response, names = Response(belief, space), list(space.free)
    sobol = qmc.Sobol(len(names), scramble=True, rng=random).random_base2(POINTS)
    rows = np.column_stack([side.at(u) for side, u in zip(response.sides, sobol.T, strict=True)])
    spread, totals = response.spread(rows)
    alone = np.array([response.variance((column,)) for column in range(len(names))])
    whole = max(spread, float(alone.sum())) + _unknown(belief, rows)
    totals = np.maximum(totals, alone)
    pairs = {
        (names[i], names[j]): _share(response.variance((i, j)) - alone[i] - alone[j], whole)
        for i, j in itertools.combinations(sorted(np.argsort(-totals, kind="stable")[:PAIRED].tolist()), 2)
    }
    largest = sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:PAIRS]
    return Importance(
        first={name: _share(one, whole) for name, one in zip(names, alone, strict=True)},
        total={name: _share(one, whole) for name, one in zip(names, totals, strict=True)},
        pairs={pair: pairs[pair] for pair in largest},
    )


class Side:
    """The values that one parameter may have, as places with a share each, which sum to one."""

    def __init__(self, axis: Axis) -> None:
        self.is_listed = axis.levels <= LISTED
        if self.is_listed:
            self.places = axis.unit([axis.at(k) for k in range(int(axis.levels))])
            self.shares = np.full(len(self.places), 1 / len(self.places))
        else:
            nodes, weights = np.polynomial.legendre.leggauss(NODES)
            self.places, self.shares = (nodes + 1) / 2, weights / 2

    def at(self, even: Array) -> Array:
        """Return places for even draws from [0, 1)."""
        if not self.is_listed:
            return even
        return np.asarray(self.places[np.floor(even * len(self.places)).astype(np.intp)])


class Response:
    """The mean of a belief as a function whose parameters can be averaged over, up to a constant."""

    def __init__(self, belief: RatingGP, space: SearchSpace) -> None:
        self.kernel, self.centres = belief.hyper.kernel, belief.centres
        self.weights = solve_triangular(belief.factor, belief.weights, lower=True, trans="T") * belief.alike
        self.slope = float(fall(self.centres, self.kernel.home, self.kernel.is_category) @ self.weights)
        self.sides = [Side(axis) for axis in space.free.values()]
        self.means = np.array([s.shares @ self._correlation(d, s.places) for d, s in enumerate(self.sides)])
        self.fallen = np.array([s.shares @ self._fall(d, s.places) for d, s in enumerate(self.sides)])
        self.mean = float(self._given((), [])[0])

    def _correlation(self, column: int, places: Array) -> Array:
        return self.kernel.correlation(column, places, self.centres[:, column])

    def _fall(self, column: int, places: Array) -> Array:
        """Return what lies between home and the places of one parameter, in stars."""
        home, is_category = self.kernel.home[[column]], self.kernel.is_category[[column]]
        return np.asarray(self.slope / len(self.kernel.home) * falls(places[:, None], home, is_category)[:, 0])

    def _given(self, columns: Sequence[int], places: Sequence[Array]) -> Array:
        """Return what is expected given the places of some parameters, over all values of the others."""
        others = np.delete(self.means, columns, axis=0)
        product, sums = others.prod(0)[None], [power.sum(0)[None] for power in _powers(others)]
        fallen = np.delete(self.fallen, columns).sum()
        for column, some in zip(columns, places, strict=True):
            one = self._correlation(column, some)
            product, fallen = product * one, fallen + self._fall(column, some)
            sums = [total + power for total, power in zip(sums, _powers(one), strict=True)]
        return np.asarray(self.kernel.combined(sums, product) @ self.weights + fallen)

    def variance(self, columns: Sequence[int]) -> float:
        """Return the variance that some parameters explain together, in stars²."""
        sides = [self.sides[column] for column in columns]
        places = np.meshgrid(*(side.places for side in sides), indexing="ij")
        shares = np.prod(np.meshgrid(*(side.shares for side in sides), indexing="ij"), axis=0).ravel()
        off = self._given(columns, [one.ravel() for one in places]) - self.mean
        return float(shares @ (off * off))

    def spread(self, rows: Array) -> tuple[float, Array]:
        """Return the variance over rows, and how much of it is left where all parameters but one are known."""
        squares = [self._squares(rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK)]
        all_of_it, *left = np.concatenate(squares, axis=1).mean(axis=1)
        return float(all_of_it), np.array(left)

    def _squares(self, rows: Array) -> Array:
        each = [self._correlation(column, rows[:, column]) for column in range(rows.shape[1])]
        product, sums = np.prod(each, axis=0), [sum(powers) for powers in zip(*map(_powers, each), strict=True)]
        fallen = np.array([self._fall(column, rows[:, column]) for column in range(rows.shape[1])])
        here = self.kernel.combined(sums, product) @ self.weights
        off = [here + fallen.sum(axis=0) - self.mean]
        for one, mean, lost in zip(each, self.means, fallen - self.fallen[:, None], strict=True):
            powers = zip(sums, _powers(mean), _powers(one), strict=True)
            less = [total + (average - power) for total, average, power in powers]
            off.append(here - self.kernel.combined(less, product / one * mean) @ self.weights + lost)
        return np.square(off)


def _powers(one: Array) -> list[Array]:
    square = one * one
    return [one, square, square * one]


def _unknown(belief: RatingGP, rows: Array) -> float:
    """Return the variance over rows that is expected of what is not known, in stars²."""
    covariance = belief.posterior(rows)[1]
    return max(float(np.diagonal(covariance).mean() - covariance.mean()), 0)


def _share(part: float, whole: float) -> float:
    return float(np.clip(part / whole, 0, 1)) if whole > 0 else 0.0
