"""The rows of one table."""

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Collection(Protocol[T]):
    """The rows of one table as dataclasses: get, add, and compare-and-set by revision."""

    def get(self, key: str) -> T:
        """Return a row by its primary key, or raise NotFound."""
        ...

    def find(self, **equal: Any) -> T | None:
        """Return the one row whose columns have these values, or None."""
        ...

    def all(self, **equal: Any) -> tuple[T, ...]:
        """Return the rows whose columns have these values, by primary key; a tuple of values means any of them."""
        ...

    def add(self, row: T) -> T:
        """Insert a row; a taken key is a Conflict."""
        ...

    def add_all(self, rows: Iterable[T]) -> None:
        """Insert many rows at once."""
        ...

    def replace(self, row: T) -> T:
        """Put a changed row where its revision still stands and return it with the next one, or raise Conflict."""
        ...

    def remove(self, **equal: Any) -> int:
        """Delete the rows whose columns have these values; return how many there were."""
        ...
