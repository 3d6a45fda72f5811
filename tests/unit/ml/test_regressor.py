import pickle
import re
from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from ml_service.optimizer.regressor import RatingGPRegressor
from tests.shape.places import ROOT

PAGE = ROOT / "docs" / "optimizer.md"


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


def test_the_example_of_the_docs_finds_better_points_than_the_first_ones() -> None:
    [example] = re.findall(r"<!-- example.py -->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(example, PAGE.name, "exec"), names)
    losses = names["search"].yi
    assert len(losses) == 25
    assert min(losses[8:]) < min(losses[:8]) / 2
    assert np.mean(losses[-8:]) < np.mean(losses[:8])


def test_a_pickled_one_expects_the_same() -> None:
    fitted = RatingGPRegressor().fit([[0.0], [1.0], [2.0]], [1.0, 2.0, 2.5])
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict([[0.5], [3.0]]), fitted.predict([[0.5], [3.0]]))
