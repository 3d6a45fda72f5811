"""Long lists on pages: some rows of them, and where the others are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Request

from ml_service.errors import InvalidRequest

ROWS = 50
OFFERED = 100  # choices of one field
T = TypeVar("T")


@dataclass(frozen=True)
class Part(Generic[T]):
    """Rows of a list behind the first `start`, of `total`.

    `before` and `after` are queries that ask the same page for the rows before and after them, or None.
    """

    rows: Sequence[T]
    start: int
    total: int
    before: str | None = None
    after: str | None = None

    @property
    def told(self) -> str:
        """Which rows these are, in words."""
        return f"{self.start + 1:,} to {self.start + len(self.rows):,} of {self.total:,}"


def part(request: Request, name: str, rows: Sequence[T], size: int = ROWS) -> Part[T]:
    """Return the rows of a list behind as many as the query's `name` says, none where it says nothing.

    InvalidRequest where that is no number; behind the last row there are the last ones.
    """
    asked = request.query_params.get(name, "") or "0"
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 10):
        raise InvalidRequest(f"{name} must be a number of rows to pass over, not {asked[:40]!r}.")
    start = min(int(asked), max(len(rows) - 1, 0) // size * size)
    end = start + size
    return Part(
        rows[start:end],
        start,
        len(rows),
        _query(request, name, max(start - size, 0)) if start else None,
        _query(request, name, end) if end < len(rows) else None,
    )


def offered(choices: Iterable[T], *chosen: str | None) -> list[T]:
    """Return the first of many things to choose from, and those behind them that are chosen.

    One is chosen by its id, or its name where it has one, and a pair by what stands first in it.
    """
    every, wanted = list(choices), {one for one in chosen if one}
    return every[:OFFERED] + [one for one in every[OFFERED:] if wanted & _keys(one)]


def _keys(one: Any) -> set[object]:
    return {one[0]} if isinstance(one, tuple) else {one.id, getattr(one, "name", one.id)}


def _query(request: Request, name: str, start: int) -> str:
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != name]
    return urlencode([*kept, *([(name, str(start))] if start else [])])
