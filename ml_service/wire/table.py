"""Ratings: rows in Python, and a table of columns on the wire, where each point and each name stands once.

30,000 ratings of nine parameters so fit into one call of a Lambda, whose limit is 6 MB.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema, to_json

from ml_service.wire.parameters import Point, Value, Wire

MOST_RATINGS = 100_000
MICROSECOND = timedelta(microseconds=1)


def _in_utc(at: datetime) -> datetime:
    """Read a time in UTC, so that equal times are written alike."""
    try:
        return at.astimezone(UTC).replace(fold=0)
    except OverflowError:
        raise ValueError("the time lies outside the years 1 to 9999 in UTC") from None


Time = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Rating = Annotated[float, Field(ge=1, le=5)]


class Observation(Wire):
    """One raw rating: which point was judged, how, by whom, on which input and output."""

    point: Point
    rating: Rating
    rater: str
    item: str
    output: str
    generator: str
    version: str
    at: Time


Names = Annotated[tuple[str, ...], Field(description="Each name once; the column of this word counts them from 0.")]
Numbers = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=MOST_RATINGS)]


class Table(Wire):
    """Ratings by column: one entry of each column for each rating, which names its point and its names by number.

    `points` has a column for each parameter, with null where a point says nothing of it; without any column there
    is one point, which says nothing. `at` counts microseconds from `start`.
    """

    model_config = ConfigDict(strict=True)

    points: dict[str, tuple[float | int | str | None, ...]] = Field(default={})
    raters: Names = ()
    items: Names = ()
    outputs: Names = ()
    generators: Names = ()
    versions: Names = ()
    start: Time | None = None
    point: Numbers = ()
    rating: Annotated[tuple[Rating, ...], Field(max_length=MOST_RATINGS)] = ()
    rater: Numbers = ()
    item: Numbers = ()
    output: Numbers = ()
    generator: Numbers = ()
    version: Numbers = ()
    at: Numbers = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        _check_lengths("the columns of `points`", self.points)
        _check_lengths("the columns of ratings", {name: getattr(self, name) for name in (*COUNTED, "rating", "at")})
        for name, known in self._lists().items():
            _check_numbers(name, getattr(self, name), known)
        for names in NAMED.values():
            if len(set(getattr(self, names))) != len(getattr(self, names)):
                raise ValueError(f"`{names}` lists a name twice; list each once")
        self._check_times()
        return self

    @classmethod
    def of(cls, rows: Sequence[Observation]) -> "Table":
        """Write rows as a table; equal rows in equal order are written alike."""
        columns: dict[str, Any] = {"rating": tuple(row.rating for row in rows)}
        for name, names in NAMED.items():
            columns[names], columns[name] = _numbered(getattr(row, name) for row in rows)
        keys = [to_json(dict(sorted(row.point.items()))) for row in rows]
        columns["point"] = _numbered(keys)[1]
        columns["points"] = _columns(list({key: row.point for key, row in zip(keys, rows, strict=True)}.values()))
        start = min((row.at for row in rows), default=None)
        columns["at"] = () if start is None else tuple((row.at - start) // MICROSECOND for row in rows)
        return cls.model_construct(start=start, **columns)

    def rows(self) -> tuple[Observation, ...]:
        """Return the ratings, in the order of the table; its columns were checked when it was read."""
        start, points = self.start, self._points()
        if start is None:
            return ()
        # Validating each rating anew would double the time of reading 30,000.
        return tuple(
            Observation.model_construct(
                FIELDS,
                point=points[point],
                rating=rating,
                rater=self.raters[rater],
                item=self.items[item],
                output=self.outputs[output],
                generator=self.generators[generator],
                version=self.versions[version],
                at=start + at * MICROSECOND,
            )
            for point, rating, rater, item, output, generator, version, at in self._entries()
        )

    def _entries(self) -> Iterator[tuple[int, float, int, int, int, int, int, int]]:
        columns = (self.point, self.rating, self.rater, self.item, self.output, self.generator, self.version, self.at)
        return zip(*columns, strict=True)

    def _points(self) -> list[Point]:
        if not self.points:
            return [{}]
        return [
            {name: value for name, value in zip(self.points, values, strict=True) if value is not None}
            for values in zip(*self.points.values(), strict=True)
        ]

    def _lists(self) -> dict[str, int]:
        """Return how many entries each counted column can name."""
        points = len(next(iter(self.points.values()))) if self.points else 1
        return {"point": points} | {name: len(getattr(self, names)) for name, names in NAMED.items()}

    def _check_times(self) -> None:
        if not self.at:
            return
        if self.start is None:
            raise ValueError("`start` is missing; send the time with its zone that `at` counts from")
        try:
            self.start + max(self.at) * MICROSECOND
        except OverflowError:
            raise ValueError("`at` goes past the year 9999; it counts microseconds from `start`") from None


NAMED = {"rater": "raters", "item": "items", "output": "outputs", "generator": "generators", "version": "versions"}
COUNTED = ("point", *NAMED)
FIELDS = set(Observation.model_fields)
Key = TypeVar("Key", str, bytes)


def _numbered(keys: Iterable[Key]) -> tuple[tuple[Key, ...], tuple[int, ...]]:
    """Return the distinct keys in the order in which they come first, and the number of each key among them."""
    numbers: dict[Key, int] = {}
    column = tuple(numbers.setdefault(key, len(numbers)) for key in keys)
    return tuple(numbers), column


def _columns(points: Sequence[Point]) -> dict[str, tuple[Value | None, ...]]:
    names = sorted({name for point in points for name in point})
    return {name: tuple(point.get(name) for point in points) for name in names}


def _check_lengths(what: str, columns: Mapping[str, Sequence[object]]) -> None:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in list(lengths.items())[:10])
        raise ValueError(f"{what} differ in length ({said}); send as many entries in each")


def _check_numbers(name: str, numbers: Sequence[int], known: int) -> None:
    if numbers and max(numbers) >= known:
        where = NAMED.get(name, "points")
        raise ValueError(f"`{name}` names entry {max(numbers)} of `{where}`, which has {known}; they count from 0")


class _OnTheWire:
    """Reads a table where JSON is read, takes rows where Python is, and writes a table as JSON."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        table = handler.generate_schema(Table)
        rows = core_schema.no_info_after_validator_function(Table.rows, table)
        written = core_schema.plain_serializer_function_ser_schema(Table.of, return_schema=table, when_used="json")
        return core_schema.json_or_python_schema(json_schema=rows, python_schema=handler(source), serialization=written)


Observations = Annotated[tuple[Observation, ...], _OnTheWire()]
