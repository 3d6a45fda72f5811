"""Whatever is sent: a suggestion and a diagnosis, or an error that says what to do. Warnings are errors here."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ml_service.errors import InvalidRequest
from ml_service.optimizer.space import SearchSpace
from ml_service.optimizer.suggest import diagnose, suggest
from ml_service.wire.contract import (
    CategoryParameter,
    DiagnoseRequest,
    FloatParameter,
    IntParameter,
    Observation,
    Parameter,
    ParameterSpace,
    Pending,
    Point,
    SuggestRequest,
    Value,
)
from tests.unit.ml.histories import BOWL, MIXED, random_history, rated
from tests.unit.ml.spaces import spaces

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


def answered(space: ParameterSpace, seen: list[Observation], **more: Any) -> list[Point]:
    """Ask both questions; all numbers of the answers are finite, and no suggestion leaves the space or comes twice."""
    shared = {"spaces": {"local": space}, "seen": tuple(seen)} | {
        name: more.pop(name) for name in ("seed", "earlier", "generator") if name in more
    }
    suggestion = suggest(SuggestRequest(**shared, **({"count": 3} | more)))
    diagnosis = diagnose(DiagnoseRequest(**shared))
    for answer in (suggestion, diagnosis):
        json.dumps(answer.model_dump(mode="json"), allow_nan=False)
    points = [one.point for one in suggestion.proposals]
    assert [fault for point in points for fault in space.faults(point)] == []
    assert len({SearchSpace(space).key(point) for point in points}) == len(points)
    if diagnosis.best:
        assert space.faults(diagnosis.best.point) == []
        assert all(0 <= one.importance <= one.total + 1e-9 <= 1 + 2e-9 for one in diagnosis.parameters.values())
    return points


def drawn(space: ParameterSpace, count: int, seed: int = 0) -> list[Observation]:
    random, search = np.random.default_rng(seed), SearchSpace(space)
    points = search.points(search.random(random, count))
    return [
        rated(point, i, float(random.integers(1, 6)), f"rater-{i % 3}", f"photo-{i % 4}")
        for i, point in enumerate(points)
    ]


ANY_VALUE: st.SearchStrategy[Value] = (
    st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.integers(10**300, 10**310) | st.text()
)
NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**310), 10**310)


@st.composite
def histories(draw: st.DrawFn, space: ParameterSpace) -> list[Observation]:
    """Up to twelve ratings, some repeated: of points of the space, with values outside it, added and missing ones."""

    def value(parameter: Parameter) -> Value:
        return draw(st.text() if isinstance(parameter, CategoryParameter) else NUMBER)

    inside = drawn(space, 8, draw(st.integers(0, 9)))
    seen = []
    for output, one in enumerate(inside[: draw(st.integers(0, 8))]):
        odd = draw(st.sets(st.sampled_from(sorted(space.parameters))))
        point = {**one.point, **{name: value(space.parameters[name]) for name in odd}, "removed": draw(ANY_VALUE)}
        kept = {name: at for name, at in point.items() if draw(st.integers(0, 3))}
        stars = draw(st.sampled_from([1.0, 2.5, 5.0]))
        seen.append(rated(kept, draw(st.integers(0, output)), stars, draw(st.sampled_from("ab")), draw(st.text())))
    return seen + seen[: draw(st.integers(0, 4))]


@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
def test_histories_of_other_forms_of_a_space_are_answered(data: st.DataObject) -> None:
    space = data.draw(spaces())
    seen = data.draw(histories(space))
    pending = tuple(Pending(point=one.point, generator="local", item=one.item) for one in seen[:2])
    answered(space, seen, pending=pending, item=seen[0].item if seen else None, initial=data.draw(st.integers(1, 12)))


@given(st.dictionaries(st.sampled_from(["strength", "radius", "style", "odd"]), ANY_VALUE), st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
def test_values_of_another_kind_are_refused_by_name_or_read(point: Point, is_pending: bool) -> None:
    wrong = [name for name, value in point.items() if name != "odd" and isinstance(value, str) != (name == "style")]
    request = SuggestRequest(
        spaces={"local": MIXED},
        seen=() if is_pending else (rated(point, 1, 3),),
        pending=(Pending(point=point, generator="local", item="photo-1"),) if is_pending else (),
    )
    if wrong:
        with pytest.raises(InvalidRequest, match=rf"^({'|'.join(wrong)}) = .* is not "):
            suggest(request)
    else:
        assert len(suggest(request).proposals) == 1


@pytest.mark.parametrize(
    "seen",
    [
        [],
        drawn(MIXED, 1),
        drawn(MIXED, 20)[:1] * 20,
        [one.model_copy(update={"rating": 3.0}) for one in drawn(MIXED, 30)],
        [one.model_copy(update={"rating": 1.0}) for one in drawn(MIXED, 30)],
        [one.model_copy(update={"rater": "ana"}) for one in drawn(MIXED, 30)],
        [one.model_copy(update={"item": "photo-1"}) for one in drawn(MIXED, 30)],
        [one.model_copy(update={"output": "output-1"}) for one in drawn(MIXED, 30)],
        [rated(MIXED.default(), i // 2, 1.0 if i % 2 else 5.0) for i in range(40)],
        drawn(MIXED, 15) * 2,
    ],
    ids=["none", "one", "one many times", "all 3", "all 1", "one rater", "one item", "one output", "both", "twice"],
)
def test_histories_that_say_little_are_answered(seen: list[Observation]) -> None:
    assert len(answered(MIXED, seen)) == 3


def test_ten_thousand_ratings_of_one_point_are_answered() -> None:
    point = BOWL.default()
    seen = [rated(point, i, float(1 + i % 5), f"rater-{i % 7}", f"photo-{i % 50}") for i in range(10_000)]
    assert len(answered(BOWL, seen)) == 3


def number(low: float, high: float, **more: Any) -> FloatParameter:
    return FloatParameter(low=low, high=high, default=low, **more)


@pytest.mark.parametrize(
    "parameters",
    [
        [number(1e-6, 1e6, scale="log"), number(1e-300, 1e300, scale="log")],
        [IntParameter(low=-(10**9), high=10**9, default=0), IntParameter(low=1, high=10**9, default=1, scale="log")],
        [IntParameter(low=-(2**53), high=2**53, default=0, step=3)] * 20,
        [number(0, 1, step=1e-300), number(0, 1, step=1e-12), number(0, 1e300, step=1e-9)],
        [number(-1e300, 1e300), number(0, 5e-324), number(1e9, math.nextafter(1e9, 2e9)), number(1, 1 + 1e-12)],
        [number(1e15, 1e15 + 1, scale="log"), number(0.1, 0.1 + 1e-9, scale="log", step=1e-10)],
        [number(i, i + 1) for i in range(40)],
        [CategoryParameter(choices=tuple(f"{k}" for k in range(2 + i)), default="0") for i in range(0, 49, 6)],
        [CategoryParameter(choices=("a", "b"), default="b")] * 40,
        [number(0, 0), number(1, 2), CategoryParameter(choices=("only",), default="only")],
        [number(5, 5)],
        [CategoryParameter(choices=("", " ", "\x00", "ü"), default="")],
    ],
    ids=[
        "decades",
        "long ranges",
        "the longest ranges",
        "tiny steps",
        "few floats",
        "narrow logs",
        "forty",
        "choices",
        "forty choices",
        "constants",
        "one point",
        "odd names",
    ],
)
@pytest.mark.parametrize("count", [0, 12, 40])
def test_spaces_of_any_shape_are_answered(parameters: list[Parameter], count: int) -> None:
    space = ParameterSpace(parameters={f"p{i:02}": one for i, one in enumerate(parameters)})
    points = answered(space, drawn(space, count))
    listed = SearchSpace(space).every()
    assert len(points) == (3 if listed is None else min(3, len(listed)))


@pytest.mark.parametrize("rating", [math.nan, math.inf, 0, 6])
def test_what_is_no_rating_is_refused(rating: float) -> None:
    with pytest.raises(ValidationError):
        rated(BOWL.default(), 1, rating)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValidationError):
        rated({"x": value}, 1, 3)
    with pytest.raises(ValidationError):
        FloatParameter(low=0, high=value, default=0)


@pytest.mark.parametrize(("low", "high"), [(-(2**53) - 1, 0), (0, 10**400)])
def test_whole_numbers_that_are_no_floats_are_refused(low: int, high: int) -> None:
    with pytest.raises(ValidationError):
        IntParameter(low=low, high=high, default=0)


@pytest.mark.parametrize("count", [5, 40])
def test_ratings_of_earlier_studies_and_other_generators_are_answered(count: int) -> None:
    seen = list(random_history(count))
    other = [one.model_copy(update={"generator": "other", "version": "v2"}) for one in random_history(count, 1)]
    earlier = tuple(random_history(count, 2))
    assert len(answered(BOWL, [*seen, *other], earlier=earlier)) == 3
    assert len(answered(BOWL, other, earlier=earlier)) == 3
    assert len(answered(BOWL, [], earlier=earlier)) == 3
