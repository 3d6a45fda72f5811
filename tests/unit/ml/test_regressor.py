from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from ml_service.regressor import RatingGPRegressor


@parametrize_with_checks([RatingGPRegressor()])  # type: ignore[untyped-decorator]
def test_it_is_a_regressor_by_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def test_the_mean_follows_the_values_in_their_own_units_and_doubt_grows_away_from_them() -> None:
    rows = np.column_stack([np.linspace(100, 300, 40), np.full(40, 7.0)])
    values = 5000 + 10 * (rows[:, 0] - 100)
    fitted = RatingGPRegressor().fit(rows, values)
    mean, sd = fitted.predict([[200.0, 7.0], [900.0, 7.0]], return_std=True)
    assert mean[0] == pytest.approx(6000, rel=0.02)
    assert sd[1] > 2 * sd[0]
    assert np.allclose(fitted.predict(rows), values, rtol=0.03)


def test_values_that_are_all_equal_are_expected_everywhere() -> None:
    fitted = RatingGPRegressor().fit(np.ones((5, 2)), np.full(5, 12.0))
    assert np.allclose(fitted.predict([[1, 1], [4, 9]]), 12)


def test_inside_skopt_it_finds_better_points_than_the_first_ones() -> None:
    from skopt import Optimizer
    from skopt.space import Categorical, Integer, Real

    def loss(point: list[Any]) -> float:
        return float((point[0] - 0.3) ** 2 + (point[1] - 6) ** 2 / 50 + 0.4 * (point[2] != "warm"))

    space = [Real(-1, 1), Integer(1, 9), Categorical(["plain", "warm", "cold"])]
    search = Optimizer(
        space,
        base_estimator=RatingGPRegressor(),
        acq_func="EI",
        acq_optimizer="sampling",
        n_initial_points=8,
        random_state=1,
    )
    for _ in range(25):
        point = search.ask()
        search.tell(point, loss(point))
    assert min(search.yi[8:]) < min(search.yi[:8]) / 2
    assert np.mean(search.yi[-8:]) < np.mean(search.yi[:8])
