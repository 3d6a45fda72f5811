import math
from collections import Counter
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ml_service.optimizer.space import Axis, SearchSpace
from ml_service.optimizer.suggest import diagnose, suggest
from ml_service.wire.contract import (
    CategoryParameter,
    DiagnoseRequest,
    FloatParameter,
    IntParameter,
    Parameter,
    ParameterSpace,
    Point,
    SuggestRequest,
)
from tests.unit.ml.histories import BOWL, MIXED, rated
from tests.unit.ml.spaces import spaces


@given(spaces(), st.integers(0, 2**31 - 1))
@settings(max_examples=60, deadline=None)
def test_no_point_leaves_its_space(space: ParameterSpace, seed: int) -> None:
    search, random = SearchSpace(space), np.random.default_rng(seed)
    corners = np.repeat([[0.0], [1.0], [0.5]], len(search.is_category), axis=1)
    drawn = np.vstack([search.unit(search.initial(seed, 10)), search.random(random, 20), search.snap(corners)])
    listed = search.every()
    for rows in (drawn, search.near(random, drawn, 2), drawn if listed is None else listed):
        points = search.points(rows)
        assert all(space.faults(point) == [] for point in points)
        assert np.allclose(search.unit(points), rows, atol=1e-9)


@given(spaces(), st.integers(0, 2**31 - 1))
@settings(max_examples=60, deadline=None)
def test_a_point_that_was_drawn_comes_back_from_the_unit_cube(space: ParameterSpace, seed: int) -> None:
    search = SearchSpace(space)
    unit = search.unit(search.points(np.random.default_rng(seed).random((5, len(search.is_category)))))
    assert unit.min() >= 0
    assert unit.max() <= 1
    assert np.allclose(search.unit(search.points(unit)), unit, atol=1e-9)


@pytest.mark.parametrize(
    ("parameter", "value", "snapped"),
    [
        (FloatParameter(low=0, high=1, step=0.1, default=0), 0.26, 0.3),
        (FloatParameter(low=0, high=1, step=0.3, default=0), 1.0, 0.9),
        (FloatParameter(low=-0.3, high=0.3, step=0.1, default=0), 0.3, 0.3),
        (FloatParameter(low=0, high=1, step=5, default=0.4), 0.9, 0.0),
        (FloatParameter(low=0.1, high=0.7, default=0.1), 0.7000000001, 0.7),
        (IntParameter(low=1, high=9, step=3, default=1), 9, 7),
        (IntParameter(low=1, high=9, default=1), 4.6, 5),
    ],
)
def test_values_snap_to_their_step(parameter: Parameter, value: float, snapped: float) -> None:
    axis = Axis(parameter)
    assert axis.value(float(axis.unit([value])[0])) == snapped


@given(st.integers(0, 6), st.integers(-2000, 2000), st.integers(1, 300), st.integers(1, 40), st.integers(0, 40))
@example(1, -3, 1, 6, 3)
@settings(max_examples=300, deadline=None)
def test_values_on_a_grid_are_those_that_people_write(digits: int, low: int, step: int, count: int, at: int) -> None:
    unit, place = Decimal(1).scaleb(-digits), min(at, count)
    bottom, top = float(low * unit), float((low + count * step) * unit)
    axis = Axis(FloatParameter(low=bottom, high=top, default=bottom, step=float(step * unit)))
    written = float((low + place * step) * unit)
    assert str(axis.at(place)) == str(written)
    assert str(axis.value(place / count)) == str(written)


@pytest.mark.parametrize(
    ("parameter", "place", "value"),
    [
        (FloatParameter(low=-0.3, high=0.3, step=0.1, default=0.1), 0.5, 0.0),
        (FloatParameter(low=-0.9, high=0.3, default=0.1), 0.75, 0.0),
        (FloatParameter(low=-0.7, high=0.1, default=0.1), 0.875, 0.0),
        (FloatParameter(low=0, high=0.3, default=0.1), 1.0, 0.3),
        (FloatParameter(low=3, high=300, default=3, scale="log"), 0.0, 3.0),
        (FloatParameter(low=3, high=300, default=3, scale="log"), 0.5, 30.0),
        (FloatParameter(low=3, high=300, default=3, scale="log"), 1.0, 300.0),
        (FloatParameter(low=0.1, high=0.9, step=0.1, default=0.1, scale="log"), 0.5, 0.3),
        (FloatParameter(low=1e-9, high=1e-5, default=1e-9, scale="log"), 0.5, 1e-7),
        (IntParameter(low=1, high=100, default=1, scale="log"), 0.5, 10),
        (IntParameter(low=-9, high=9, step=3, default=3), 0.5, 0),
    ],
)
def test_values_on_any_axis_have_no_digits_of_arithmetic(parameter: Parameter, place: float, value: float) -> None:
    assert str(Axis(parameter).value(place)) == str(value)


def test_nothing_that_is_suggested_or_told_is_nearly_nothing() -> None:
    around = FloatParameter(low=-0.3, high=0.3, step=0.1, default=0.1)
    space = ParameterSpace(parameters={"g": around, "h": FloatParameter(low=-0.9, high=0.3, default=0.1)})
    seen = tuple(rated({"g": 0.1, "h": at / 10}, at, 3.0 + at % 2) for at in range(-9, 4))
    asked = [
        one.point
        for count in (4, 16)
        for one in suggest(SuggestRequest(spaces={"local": space}, count=count)).proposals
    ]
    told = diagnose(DiagnoseRequest(spaces={"local": space}, seen=seen)).parameters
    curves = [{name: at.value} for name, one in told.items() for at in one.curve]
    small = [value for point in (*asked, *curves) for value in point.values() if 0 < abs(float(value)) < 1e-6]
    assert small == []
    assert 0.0 in [at.value for at in told["g"].curve]


def test_initial_points_start_at_the_default_and_differ() -> None:
    search = SearchSpace(MIXED)
    points = search.initial(seed=5, count=10)
    assert points[0] == MIXED.default()
    assert len({search.key(point) for point in points}) == 10


def test_initial_points_spread_over_numbers_and_choices() -> None:
    wide = ParameterSpace(
        parameters={
            "x": FloatParameter(low=0, high=1, default=0.5),
            "c": CategoryParameter(choices=("a", "b", "c"), default="a"),
        }
    )
    points = SearchSpace(wide).initial(seed=1, count=10)[1:]
    quarters = Counter(math.floor(4 * float(point["x"])) for point in points)
    assert set(quarters) == {0, 1, 2, 3}
    assert set(Counter(point["c"] for point in points).values()) == {3}


def test_other_seeds_give_other_initial_points() -> None:
    search = SearchSpace(BOWL)
    assert search.initial(1, 10) != search.initial(2, 10)


def test_a_small_space_is_listed_whole_with_a_default_beside_its_steps() -> None:
    space = ParameterSpace(parameters={"g": FloatParameter(low=0, high=1, step=0.5, default=0.7)})
    listed: list[Point] = [{"g": 0.7}, {"g": 0.0}, {"g": 0.5}, {"g": 1.0}]
    search = SearchSpace(space)
    every = search.every()
    assert every is not None
    assert search.points(every) == listed
    assert SearchSpace(BOWL).every() is None
