"""RatingGP: what the ratings say about every point, as a mean and a covariance in stars.

Raters' and inputs' levels are taken out first (`effects`), ratings of one output are averaged, and what is left is
`level + f(point) + noise` with f a Gaussian process on the unit cube of the space.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.gaussian_process.kernels import Hyperparameter
from skopt.learning import GaussianProcessRegressor
from skopt.learning.gaussian_process.kernels import ConstantKernel, Kernel, Matern, WhiteKernel

from ml_service import effects
from ml_service.contract import Observation, Point
from ml_service.space import Array, SearchSpace

FITTED = 200  # outputs that the hyperparameters are fitted on
KEPT = 800  # newest outputs that the posterior knows
SIGNAL, NOISE = 0.7, 0.5  # stars²: median of the variance of f over the space, and of an output's rating about it
LENGTH = 0.45  # median length scale of a parameter, as a part of its range
SPREAD = 0.6  # standard deviation of the log of a hyperparameter, before any rating is seen
REACH = 5 * SPREAD  # the fit looks no further from the median than this
BOUNDS = (1e-5, 1e5)  # of hyperparameters, for scikit-learn, which warns of what ends beside one: out of reach


class MixedMatern(Matern):  # type: ignore[misc]
    """A Matérn-5/2 kernel with a length scale per parameter, in which two different choices lie one unit apart."""

    def __init__(self, length_scale: Array, is_category: Array) -> None:
        super().__init__(length_scale=length_scale, length_scale_bounds=BOUNDS, nu=2.5)
        self.is_category = is_category

    @property
    def hyperparameter_length_scale(self) -> Hyperparameter:
        """Describe the length scales to scikit-learn, one for each parameter."""
        return Hyperparameter("length_scale", "numeric", BOUNDS, len(self.is_category))

    def __call__(self, X: Array, Y: Array | None = None, eval_gradient: bool = False) -> Array | tuple[Array, Array]:
        """Return the correlations of rows of X and Y, with their gradient by the log of each length scale if asked."""
        other = X if Y is None else Y
        squares = [
            self._square(X[:, i], other[:, i], bool(self.is_category[i])) / scale**2
            for i, scale in enumerate(np.atleast_1d(self.length_scale))
        ]
        distance: Array = np.sqrt(5 * sum(squares))
        decay = np.exp(-distance)
        values: Array = (1 + distance + distance**2 / 3) * decay
        if not eval_gradient:
            return values
        slope = 5 / 3 * (1 + distance) * decay
        return values, np.stack([slope * square for square in squares], axis=-1)

    @staticmethod
    def _square(left: Array, right: Array, is_category: bool) -> Array:
        difference = left[:, None] - right[None, :]
        return (difference != 0).astype(float) if is_category else difference**2


class RatingGP:
    """A belief about the rating of every point of a space, fitted to observations of that space, oldest first."""

    def __init__(self, space: SearchSpace, seen: Sequence[Observation]) -> None:
        self.space = space
        self.effects = effects.estimate(seen)
        self.outputs, ratings = _by_output(seen, self.effects)
        self.kernel = _prior_kernel(space)
        self.noise = NOISE
        self._gp: GaussianProcessRegressor | None = None
        if self.outputs:
            self._fit(space.unit(self.outputs), np.array(ratings) - self.effects.level)

    def _fit(self, rows: Array, ratings: Array) -> None:
        some = _newest_half_and_some(len(rows))
        kernel = self.kernel + WhiteKernel(NOISE, noise_level_bounds=BOUNDS)
        fitted = (
            GaussianProcessRegressor(kernel, optimizer=_maximum_a_posteriori).fit(rows[some], ratings[some]).kernel_
        )
        self.kernel, self.noise = fitted.k1, float(fitted.k2.noise_level)
        self._gp = GaussianProcessRegressor(fitted, optimizer=None, noise="gaussian").fit(rows, ratings)

    def mean(self, points: Sequence[Point]) -> Array:
        """Return the expected rating of each point by the average rater on the average input."""
        if self._gp is None:
            return np.full(len(points), self.effects.level)
        return np.asarray(self._gp.predict(self.space.unit(points)) + self.effects.level)

    def posterior(self, points: Sequence[Point]) -> tuple[Array, Array]:
        """Return the expected ratings of points, and the covariance of what is not known of them."""
        if self._gp is None:
            return self.mean(points), self.prior(points)
        mean, covariance = self._gp.predict(self.space.unit(points), return_cov=True)
        return mean + self.effects.level, covariance

    def prior(self, points: Sequence[Point]) -> Array:
        """Return the covariance of the ratings of points as it was before any was rated."""
        return np.asarray(self.kernel(self.space.unit(points)))


def sd(covariance: Array) -> Array:
    """Return the standard deviations of a covariance, where rounding may have left a variance below zero."""
    return np.sqrt(np.clip(np.diagonal(covariance), 0, None))


def _by_output(seen: Sequence[Observation], effect: effects.Effects) -> tuple[list[Point], list[float]]:
    """Average the corrected ratings of each output; outputs in the order of their last rating, the newest kept."""
    ratings: dict[str, list[float]] = {}
    points: dict[str, Point] = {}
    for one in seen:
        ratings[one.output] = [*ratings.pop(one.output, []), effect.corrected(one)]
        points[one.output] = one.point
    kept = list(ratings)[-KEPT:]
    return [points[name] for name in kept], [float(np.mean(ratings[name])) for name in kept]


def _newest_half_and_some(count: int) -> npt.NDArray[np.intp]:
    if count <= FITTED:
        return np.arange(count)
    half = FITTED // 2
    older = np.linspace(0, count - half - 1, FITTED - half).round().astype(int)
    return np.concatenate([older, np.arange(count - half, count)])


def _prior_kernel(space: SearchSpace) -> Kernel:
    scales = np.full(len(space.is_category), LENGTH)
    return ConstantKernel(SIGNAL, BOUNDS) * MixedMatern(scales, space.is_category)


def _maximum_a_posteriori(
    objective: Callable[[Array], tuple[float, Array]], start: Array, bounds: Array
) -> tuple[Array, float]:
    """Find the most probable logs of the hyperparameters; their priors are centred on where the search starts.

    `objective` gives the negative log likelihood and its gradient, as scikit-learn asks of an optimizer.
    """

    def penalised(theta: Array) -> tuple[float, Array]:
        value, gradient = objective(theta)
        off = (theta - start) / SPREAD
        return float(value + off @ off / 2), gradient + off / SPREAD

    box = np.clip(start[:, None] + np.array([-REACH, REACH]), bounds[:, :1], bounds[:, 1:])
    found = minimize(penalised, start, jac=True, method="L-BFGS-B", bounds=box, options={"maxiter": 50})
    return found.x, float(found.fun)
