"""RatingGP as a scikit-learn regressor, for `skopt.Optimizer(base_estimator=…)` and whoever else takes one.

The service itself does not use it: an estimator knows neither raters nor what is pending.
"""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ml_service.optimizer.additive import Array
from ml_service.optimizer.likelihood import LEVEL, Ratings
from ml_service.optimizer.rating_gp import RatingGP


class RatingGPRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A RatingGP of one rater, each row an output of its own.

    Columns of X are numbers in any range (categories one-hot, as skopt gives them); they are scaled by the range that
    was seen, and constant ones are left out. y is scaled to the spread that ratings have.
    """

    def fit(self, X: Any, y: Any) -> "RatingGPRegressor":
        """Learn from n × d numbers and the n values at them."""
        rows, values = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        self.low_, self.high_ = rows.min(axis=0), rows.max(axis=0)
        self.mean_, self.spread_ = float(values.mean()), float(values.std()) or 1.0
        points, point = np.unique(self._scaled(rows), axis=0, return_inverse=True)
        nobody = np.zeros(len(values), dtype=np.intp)
        ratings = Ratings(
            points=points,
            home=np.full(points.shape[1], 0.5),  # an estimator is told of no default: the middle of what was seen
            earlier=np.zeros(len(points), dtype=bool),
            is_category=np.zeros(points.shape[1], dtype=bool),
            stars=LEVEL + (values - self.mean_) / self.spread_,
            point=point.astype(np.intp),
            rater=nobody,
            raters=1,
            groups={"output": np.arange(len(values), dtype=np.intp)},
        )
        self._learn(ratings)
        return self

    def _learn(self, ratings: Ratings) -> None:
        self.belief_ = RatingGP(ratings)
        [self.scale_], [rater] = self.belief_.hyper.scales.tolist(), self.belief_.rater_effects()
        self.offset_ = rater.mean

    def predict(self, X: Any, return_std: bool = False) -> Array | tuple[Array, Array]:
        """Return the expected values at n × d numbers, and their standard deviations where these are asked for."""
        check_is_fitted(self)
        rows = self._scaled(validate_data(self, X, dtype=np.float64, reset=False))
        stars = self.belief_.mean(rows) - LEVEL
        values = np.asarray(self.mean_ + self.spread_ * (self.offset_ + self.scale_ * stars))
        return (values, self.spread_ * self.scale_ * self._sd(rows)) if return_std else values

    def _sd(self, rows: Array) -> Array:
        """Return how uncertain f is at rows, in stars, beside its mean over what was seen.

        What is true of all values alike cannot be told from the rater's level, and need not be: their sum was seen.
        """
        seen = self.belief_.ratings.points
        own, beside = self.belief_.marginal(rows)[1] ** 2, self.belief_.across(rows, seen).mean(axis=1)
        return np.asarray(np.sqrt(np.clip(own - 2 * beside + self.belief_.across(seen, seen).mean(), 0, None)))

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the ratings, since what was learnt from them cannot be."""
        state = dict(super().__getstate__())
        belief = state.pop("belief_", None)
        return state | ({"ratings_": belief.ratings} if belief else {})

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Learn again from pickled ratings, which gives the same."""
        ratings = state.pop("ratings_", None)
        super().__setstate__(state)
        if ratings:
            self._learn(ratings)

    def _scaled(self, rows: Array) -> Array:
        """Return rows by the range of what was seen; one column of zeros where nothing varies."""
        span = self.high_ - self.low_
        varies = span > 0
        if not varies.any():
            return np.zeros((len(rows), 1))
        return np.asarray((rows[:, varies] - self.low_[varies]) / span[varies])
