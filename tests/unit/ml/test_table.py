import base64
import gzip
import json
import random
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ml_service.errors import InvalidRequest
from ml_service.wire.bodies import parse
from ml_service.wire.contract import DiagnoseRequest, FloatParameter, Observation, ParameterSpace, Point, Table, digest
from tests.unit.ml.histories import START, rated

SPACE = ParameterSpace(parameters={"x": FloatParameter(low=0, high=1, default=0.5)})
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
VALUES = st.floats(allow_nan=False, allow_infinity=False) | st.integers() | NAMES
POINTS: st.SearchStrategy[Point] = st.dictionaries(NAMES, VALUES, max_size=3)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES)
OBSERVATIONS = st.builds(
    Observation,
    point=POINTS | st.sampled_from([{"x": 0}, {"x": 0.0}, {"x": -0.0}, {"x": "0"}, {}]),
    rating=st.floats(1, 5),
    rater=NAMES,
    item=NAMES,
    output=NAMES,
    generator=NAMES,
    version=NAMES,
    at=TIMES,
)
FEW = [rated({"x": n / 4, "y": 1}, n, 3.0, rater) for n, rater in enumerate(["ana", "ben", "ana"])]


def sent(**more: Any) -> dict[str, Any]:
    """The table of FEW as JSON, changed."""
    table: dict[str, Any] = json.loads(Table.of(FEW).model_dump_json())
    return {name: value for name, value in (table | more).items() if value is not ...}


def read(table: object) -> tuple[Observation, ...]:
    body = {"spaces": {"local": SPACE.model_dump()}, "seen": table}
    return parse(DiagnoseRequest, json.dumps(body)).seen


def exact(rows: tuple[Observation, ...]) -> list[str]:
    """What each row says, with 1, 1.0 and -0.0 told apart, which are equal."""
    return [f"{sorted(row.point.items())} {row.model_dump(exclude={'point'})}" for row in rows]


@given(st.lists(OBSERVATIONS, max_size=6), st.lists(OBSERVATIONS, max_size=2))
@settings(max_examples=150, deadline=None)
@example([rated({"x": 0}, 1, 3), rated({"x": 0.0}, 1, 3), rated({"x": -0.0}, 1, 3)], [])
@example([rated({}, 1, 3), rated({"x": "", "": 10**60}, 2, 3)], [rated({}, 1, 3)])
def test_any_ratings_survive_the_wire(seen: list[Observation], earlier: list[Observation]) -> None:
    asked = DiagnoseRequest(spaces={"local": SPACE}, seen=tuple(seen), earlier=tuple(earlier))
    there = DiagnoseRequest.model_validate_json(asked.model_dump_json())
    assert there == asked
    assert exact(there.seen) == exact(asked.seen)
    assert digest(there) == digest(asked)
    assert digest(there.seen) == digest(asked.seen)


def test_a_table_lists_each_point_and_each_name_once() -> None:
    assert sent() == {
        "points": {"x": [0.0, 0.25, 0.5], "y": [1, 1, 1]},
        "raters": ["ana", "ben"],
        "items": ["photo-1"],
        "outputs": ["output-0", "output-1", "output-2"],
        "generators": ["local"],
        "versions": ["v1.0.0"],
        "start": "2024-01-01T00:00:00Z",
        "point": [0, 1, 2],
        "rating": [3.0, 3.0, 3.0],
        "rater": [0, 1, 0],
        "item": [0, 0, 0],
        "output": [0, 1, 2],
        "generator": [0, 0, 0],
        "version": [0, 0, 0],
        "at": [0, 1_000_000, 2_000_000],
    }
    assert sent(points={"x": [0.5, None, None]})["points"] != sent()["points"]


def test_a_point_says_nothing_of_what_is_null() -> None:
    points = [one.point for one in read(sent(points={"x": [0.5, None, 1], "y": [None, None, "a"]}))]
    assert points == [{"x": 0.5}, {}, {"x": 1, "y": "a"}]
    assert [one.point for one in read(sent(points={}, point=[0, 0, 0]))] == [{}, {}, {}]


def test_the_order_in_which_a_point_lists_its_parameters_does_not_matter() -> None:
    there, back = rated({"x": 1, "y": 2}, 0, 3), rated({"y": 2, "x": 1}, 0, 3)
    assert digest((there,)) == digest((back,))
    assert Table.of([there, back]).points == {"x": (1,), "y": (2,)}


def test_equal_times_are_written_alike() -> None:
    elsewhere = FEW[0].model_dump() | {"at": START.astimezone(timezone(timedelta(hours=9)))}
    assert digest((Observation.model_validate(elsewhere),)) == digest((FEW[0],))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([], "seen: Input should be an object."),
        ([FEW[0].model_dump(mode="json")], "seen: Input should be an object."),
        (None, "seen: Input should be an object."),
        (sent(rating=[3.0, 3.0]), "seen: the columns of ratings differ in length (point 3, "),
        (sent(at=...), "seen: the columns of ratings differ in length"),
        (sent(points={"x": [1, 2, 3], "y": [1]}), "seen: the columns of `points` differ in length (x 3, y 1)"),
        (sent(rater=[0, 2, 0]), "seen: `rater` names entry 2 of `raters`, which has 2; they count from 0."),
        (sent(point=[0, 1, 3]), "seen: `point` names entry 3 of `points`, which has 3"),
        (sent(points={}), "seen: `point` names entry 2 of `points`, which has 1"),
        (sent(item=[0, -1, 0]), "seen.item.1: Input should be greater than or equal to 0."),
        (sent(item=[0, 0.0, 0]), "seen.item.1: Input should be a valid integer."),
        (sent(item=[0, True, 0]), "seen.item.1: Input should be a valid integer."),
        (sent(item=[0, "0", 0]), "seen.item.1: Input should be a valid integer."),
        (sent(item=7), "seen.item: Input should be a valid array."),
        (sent(moods=[1, 2, 3]), "seen.moods: Extra inputs are not permitted."),
        (sent(raters=["ana", "ana"]), "seen: `raters` lists a name twice; list each once."),
        (sent(raters=["ana", 5]), "seen.raters.1: Input should be a valid string."),
        (sent(rating=[3, 6, 3]), "seen.rating.1: Input should be less than or equal to 5."),
        (sent(rating=[3, None, 3]), "seen.rating.1: Input should be a valid number."),
        (sent(rating=[3, float("nan"), 3]), "seen.rating.1: Input should be a finite number."),
        (sent(rating=[3, float("inf"), 3]), "seen.rating.1: Input should be a finite number."),
        (sent(points={"x": [1, 2, float("nan")]}), "seen.points.x.2: Input should be a finite number"),
        (sent(points={"x": [1, 2, True]}), "seen.points.x.2: Input should be a valid number, or "),
        (sent(points={"x": [1, 2, [3]]}), "seen.points.x.2: Input should be a valid number, or "),
        (sent(start=None), "seen: `start` is missing; send the time with its zone"),
        (sent(start="2024-01-01T00:00:00"), "seen.start: Input should have timezone info."),
        (sent(start=1_700_000_000), "seen.start: Input should be a valid datetime."),
        (sent(start="yesterday"), "seen.start: Input should be a valid datetime"),
        (sent(start="0001-01-01T00:00:00+09:00"), "seen.start: the time lies outside the years 1 to 9999 in UTC."),
        (sent(at=[0, 10**18, 0]), "seen: `at` goes past the year 9999"),
        (sent(at=[0, 10**60, 0]), "seen: `at` goes past the year 9999"),
        (sent(at=[0, -1, 0]), "seen.at.1: Input should be greater than or equal to 0."),
        (sent(at=[0, 0.5, 0]), "seen.at.1: Input should be a valid integer"),
    ],
)
def test_a_mangled_table_is_told_what_is_wrong_with_it(table: object, said: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read(table)
    assert said in str(refusal.value)


JUNK = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.integers(), max_size=4)
)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_table_is_read_whole_or_refused(data: st.DataObject) -> None:
    table = sent()
    name = data.draw(st.sampled_from(sorted(table)))
    if isinstance(table[name], list) and data.draw(st.booleans()):
        table[name][data.draw(st.integers(0, len(table[name]) - 1))] = data.draw(JUNK)
    else:
        table[name] = data.draw(JUNK)
    seen, said = outcome(table)
    assert said.startswith("seen") or said == ""
    assert said or len(seen) == len(table["rating"])
    assert read(json.loads(Table.of(seen).model_dump_json())) == seen


def outcome(table: object) -> tuple[tuple[Observation, ...], str]:
    """What is read, or what is said against it."""
    try:
        return read(table), ""
    except InvalidRequest as refusal:
        return (), str(refusal)


def test_rows_are_taken_in_python_and_a_table_is_not() -> None:
    with pytest.raises(ValidationError):
        DiagnoseRequest.model_validate({"spaces": {"local": SPACE}, "seen": sent()})
    assert DiagnoseRequest.model_validate({"spaces": {"local": SPACE}, "seen": FEW}).seen == tuple(FEW)


def test_more_ratings_than_a_request_may_have_are_refused() -> None:
    many = {name: column * 33_334 for name, column in sent().items() if isinstance(column, list)}
    columns = {
        name: many[name] for name in ("point", "rating", "rater", "item", "output", "generator", "version", "at")
    }
    with pytest.raises(InvalidRequest, match="at most 100000 items"):
        read(sent(**columns))


def history(count: int, options: int) -> tuple[Observation, ...]:
    """Ratings of nine numbers with all of their digits, by names as long as those of the database."""
    draw = random.Random(0)

    def name() -> str:
        return uuid.UUID(int=draw.getrandbits(128)).hex

    raters, items = [name() for _ in range(40)], [name() for _ in range(2000)]
    shown = [
        ({f"parameter {n}": draw.uniform(-1, 1) for n in range(9)}, name(), draw.choice(items)) for _ in range(options)
    ]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return tuple(
        Observation(
            point=point,
            rating=draw.randint(1, 5),
            rater=draw.choice(raters),
            item=item,
            output=output,
            generator="local",
            version=f"v1.{n // 5000}.0",
            at=start + timedelta(microseconds=n * 30_000_000 + draw.randrange(30_000_000)),
        )
        for n, (point, output, item) in enumerate(shown * (count // options))
    )


def test_thirty_thousand_ratings_of_nine_parameters_fit_into_one_call_of_a_lambda() -> None:
    asked = DiagnoseRequest(spaces={"local": SPACE}, seen=history(30_000, options=15_000))
    body = asked.model_dump_json().encode()
    assert len(body) < 6e6
    assert DiagnoseRequest.model_validate_json(body) == asked


def test_they_fit_packed_even_where_each_rates_a_point_of_its_own() -> None:
    asked = DiagnoseRequest(spaces={"local": SPACE}, seen=history(30_000, options=30_000))
    packed = base64.b64encode(gzip.compress(asked.model_dump_json().encode(), 1))  # as a Lambda is handed it
    assert len(packed) < 6e6
