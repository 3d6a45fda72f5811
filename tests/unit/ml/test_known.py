import numpy as np
import pytest

from ml_service.errors import InvalidRequest
from ml_service.optimizer.known import Known
from ml_service.optimizer.likelihood import NONE
from ml_service.optimizer.rating_gp import RatingGP
from ml_service.wire.contract import (
    CategoryParameter,
    FloatParameter,
    Observation,
    ParameterSpace,
    Pending,
    Point,
    Value,
)
from tests.unit.ml.histories import BOWL, MIXED, bowl, random_history, rated


def known(space: ParameterSpace, *points: Point) -> Known:
    return Known.read({"local": space}, "local", [rated(point, i, 3) for i, point in enumerate(points)])


def place(point: Point) -> list[float]:
    """Where a point of MIXED lies, from its four parameters: gain, radius, strength, style."""
    [row] = known(MIXED, point).ratings().points.tolist()
    return [float(at) for at in row]


def test_a_parameter_that_was_added_has_been_at_its_default_and_one_removed_is_left_out() -> None:
    [one] = known(MIXED, {"strength": 4.0, "gone": 7, "style": "warm"}).seen
    assert one.point == {**MIXED.default(), "strength": 4.0, "style": "warm"}


@pytest.mark.parametrize(
    ("name", "value", "column", "expected"),
    [
        ("gain", 0.6, 0, 1.5),
        ("gain", -0.6, 0, -0.5),
        ("gain", 1e12, 0, 3),
        ("gain", -(10**400), 0, -2),
        ("radius", 17, 1, 2),
        ("radius", 3.5, 1, 0.3125),
        ("strength", 1000.0, 2, 2),
        ("strength", -4.0, 2, -2),
    ],
)
def test_numbers_outside_the_range_lie_beyond_it(name: str, value: Value, column: int, expected: float) -> None:
    assert place({**MIXED.default(), name: value})[column] == pytest.approx(expected)


def test_choices_that_are_gone_equal_no_other() -> None:
    places = [
        place({**MIXED.default(), "style": style})[3] for style in ("plain", "warm", "cold", "old", "older", "old")
    ]
    assert len(set(places)) == 5
    assert places[3] == places[5]


def test_ratings_beyond_a_range_that_was_narrowed_teach_where_to_look_in_it() -> None:
    narrow = ParameterSpace(parameters={**BOWL.parameters, "x": FloatParameter(low=-1, high=0.1, default=-0.6)})
    history = list(random_history(120))
    inside = [one for one in history if float(one.point["x"]) < -0.4]
    beyond = [one for one in history if not -0.4 <= float(one.point["x"]) <= 0.1]
    rows = Known.read({"local": narrow}, "local", []).space.unit([{"x": -0.3, "y": -0.3}, {"x": 0.1, "y": -0.3}])
    gains = []
    for seen in (inside, beyond):
        mean, covariance = RatingGP(Known.read({"local": narrow}, "local", seen).ratings()).posterior(rows)
        gains.append((mean[1] - mean[0], covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]))
    truth = bowl({"x": 0.1, "y": -0.3}) - bowl({"x": -0.3, "y": -0.3})
    assert abs(gains[1][0] - truth) < abs(gains[0][0] - truth)
    assert gains[1][1] < gains[0][1]


@pytest.mark.parametrize(("name", "value"), [("style", 3), ("strength", "1.5"), ("radius", "wide")])
def test_a_value_of_another_kind_is_refused_by_name(name: str, value: Value) -> None:
    point = {**MIXED.default(), name: value}
    with pytest.raises(InvalidRequest, match=f"^{name} = {value!r} in a point is not (a number|one of its choices)"):
        known(MIXED, point)
    with pytest.raises(InvalidRequest, match=f"^{name} = "):
        Known.read({"local": MIXED}, "local", [], [Pending(point=point, generator="local", item="photo-1")])


def test_the_same_from_elsewhere_is_another_parameter_of_that_name() -> None:
    point = {**MIXED.default(), "strength": "strong", "gain": 0.2}
    foreign = rated(point, 1, 3).model_copy(update={"generator": "other"})
    read = Known.read({"local": MIXED}, "local", [foreign], earlier=[rated(point, 2, 4)])
    assert [one.point for one in read.rows] == [{**MIXED.default(), "gain": 0.2}] * 2


def foreign(point: Point) -> Observation:
    return rated(point, 1, 3).model_copy(update={"generator": "other"})


def test_another_generator_teaches_where_it_names_half_of_the_parameters() -> None:
    points: list[Point] = [{"gain": 0.1}, {"gain": 0.1, "radius": 5}, {"other": 1, "thing": 2}]
    read = Known.read({"local": MIXED}, "local", [foreign(point) for point in points])
    assert [one.point for one in read.seen] == [{**MIXED.default(), "gain": 0.1, "radius": 5}]
    assert read.options == 0
    assert dict(read.rated) == {}


def test_points_of_other_generators_are_not_out() -> None:
    waiting = [Pending(point=BOWL.default(), generator=name, item="photo-1") for name in ("local", "other")]
    assert Known.read({"local": BOWL}, "local", [], waiting).options == 1


def test_raters_are_the_same_in_both_studies_but_items_outputs_and_points_are_not() -> None:
    both = rated({"x": 0.5, "y": 0.5}, 1, 4)
    ratings = Known.read({"local": BOWL}, "local", [both, rated(BOWL.default(), 2, 3)], earlier=[both]).ratings()
    assert ratings.raters == 1
    assert ratings.earlier.tolist() == [True, False, False]
    assert ratings.points[0].tolist() == ratings.points[1].tolist()
    assert [len(set(ratings.groups[name].tolist())) for name in ("item", "output")] == [2, 3]
    assert ratings.groups["study"].tolist() == [0, NONE, NONE]


def test_what_there_is_one_of_has_no_effect() -> None:
    assert set(known(BOWL, BOWL.default(), {"x": 0.1, "y": 0.1}).ratings().groups) == {"item", "output"}


def test_effects_are_told_beside_the_newest_version_and_the_generator_asked_about() -> None:
    versions = [rated(BOWL.default(), i, 3).model_copy(update={"version": f"v{i % 3}"}) for i in range(5)]
    groups = Known.read({"local": BOWL}, "local", [*versions, foreign(BOWL.default())]).ratings().groups
    # In order of time, which is that of outputs; the foreign one is output 1 of v1.0.0.
    assert groups["version"].tolist() == [0, NONE, 1, 2, 0, NONE]
    assert groups["generator"].tolist() == [NONE, NONE, 0, NONE, NONE, NONE]


def test_a_point_that_was_rated_is_found_again_to_the_last_digit() -> None:
    odd: list[Point] = [{"x": float(x), "y": float(y)} for x, y in np.random.default_rng(0).uniform(-1, 1, (50, 2))]
    read = known(BOWL, *odd)
    assert read.points(read.space.unit(odd)) == odd
    assert read.points(read.space.unit([{"x": 0.5, "y": 0.25}])) == [{"x": 0.5, "y": 0.25}]


def test_what_is_no_point_of_today_is_never_given_back() -> None:
    styles = ParameterSpace(parameters={"style": CategoryParameter(choices=("a", "b"), default="a")})
    read = known(styles, {"style": "old"}, {"style": "b"})
    assert [styles.faults(point) for point in read.points(read.space.snap(read.ratings().points))] == [[], []]


def test_home_is_where_the_default_lies() -> None:
    assert known(MIXED, {"gain": 0.3}).ratings().home.tolist() == place(MIXED.default())
