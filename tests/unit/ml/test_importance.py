import math

import numpy as np
import pytest

from ml_service.optimizer.importance import Importance, Response, importance
from ml_service.optimizer.known import Known
from ml_service.optimizer.rating_gp import RatingGP
from ml_service.optimizer.space import Array, SearchSpace
from ml_service.wire.contract import CategoryParameter, FloatParameter, IntParameter, Observation, ParameterSpace, Point
from tests.unit.ml.histories import rated

SPACE = ParameterSpace(
    parameters={
        "x": FloatParameter(low=0, high=1, default=0),
        "y": FloatParameter(low=0, high=1, default=0),
        "n": IntParameter(low=1, high=4, default=1),
        "style": CategoryParameter(choices=("a", "b", "c"), default="a"),
    }
)


def quality(point: Point) -> float:
    x, y = float(point["x"]), float(point["y"])
    return 2.5 + 1.5 * x + 2 * (x - 0.5) * (y - 0.5) + 0.6 * (point["style"] == "b") * (x > 0.5)


def history(count: int) -> list[Observation]:
    search = SearchSpace(SPACE)
    points = search.points(search.random(np.random.default_rng(1), count))
    return [rated(point, i, float(np.clip(quality(point), 1, 5))) for i, point in enumerate(points)]


def believed(count: int) -> tuple[RatingGP, SearchSpace]:
    known = Known.read({"local": SPACE}, "local", history(count))
    return RatingGP(known.ratings()), known.space


def explained(count: int) -> Importance:
    return importance(*believed(count), np.random.default_rng(0))


def drawn(space: SearchSpace, random: np.random.Generator, count: int) -> Array:
    """Even draws of each value, whole numbers among them."""
    numbers = {"x": random.random(count), "y": random.random(count)}
    steps = {"n": random.integers(0, 4, count) / 3, "style": random.integers(0, 3, count) / 2}
    return np.column_stack([(numbers | steps)[name] for name in space.free])


def test_variances_are_those_of_brute_force_draws() -> None:
    belief, space = believed(60)
    random = np.random.default_rng(2)
    response, names = Response(belief, space), list(space.free)
    a, b = drawn(space, random, 15_000), drawn(space, random, 15_000)
    at_a = belief.mean(a)
    assert response.spread(a[:2000])[0] == pytest.approx(at_a.var(), rel=0.1)
    totals = response.spread(a[:2000])[1]
    for column in range(len(names)):
        # Saltelli et al. 2010: the covariance of two answers that share one parameter, or all but one.
        one, others = b.copy(), a.copy()
        one[:, column], others[:, column] = a[:, column], b[:, column]
        alone = np.cov(at_a, belief.mean(one))[0, 1]
        assert response.variance((column,)) == pytest.approx(alone, abs=0.03 * at_a.var())
        left = np.mean((at_a - belief.mean(others)) ** 2) / 2
        assert totals[column] == pytest.approx(left, abs=0.03 * at_a.var())


def test_a_pair_is_what_both_explain_beyond_each_alone() -> None:
    belief, space = believed(60)
    random, response, names = np.random.default_rng(3), Response(belief, space), list(space.free)
    a, shared = drawn(space, random, 15_000), drawn(space, random, 15_000)
    columns = [names.index("x"), names.index("y")]
    shared[:, columns] = a[:, columns]
    both = np.cov(belief.mean(a), belief.mean(shared))[0, 1]
    assert response.variance(columns) == pytest.approx(both, abs=0.03 * belief.mean(a).var())


def test_many_ratings_tell_what_matters_alone_and_what_together() -> None:
    found = explained(250)
    assert max(found.first, key=lambda name: found.first[name]) == "x"
    assert found.first["x"] > 0.5
    assert found.first["n"] < 0.03
    assert found.first["y"] < 0.05 < found.total["y"]
    assert next(iter(found.pairs)) in [("style", "x"), ("x", "y")]
    assert list(found.pairs.values()) == sorted(found.pairs.values(), reverse=True)
    assert sum(found.first.values()) <= 1


def test_of_few_ratings_nothing_is_important_yet() -> None:
    few, many = explained(4), explained(250)
    assert max(few.total.values()) < 0.35 < many.total["x"]


def test_shares_are_of_a_setting_whose_parameters_are_free() -> None:
    fixed = ParameterSpace(parameters={"only": FloatParameter(low=1, high=1, default=1)})
    belief = RatingGP(Known.read({"local": fixed}, "local", []).ratings())
    assert importance(belief, SearchSpace(fixed), np.random.default_rng(0)) == Importance({}, {}, {})


def test_without_ratings_nothing_is_known_to_matter() -> None:
    nothing = explained(0)
    assert set(nothing.first.values()) == set(nothing.total.values()) == {0.0}
    assert math.isclose(sum(nothing.pairs.values()), 0)
