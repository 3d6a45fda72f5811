"""Queries of objects: which are needed, by whom they were made, which may go."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, update

from web.adapters.tables import inputs, options, outputs


class ObjectQueries:
    """Named queries of what objects are for."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def needed(self, keys: Iterable[str]) -> frozenset[str]:
        """Return those of some names that a present input, or an output made of one, has."""
        wanted = tuple(keys)
        queries = (query.where(column.in_(wanted)) for query, column in _NEEDED)
        return frozenset(key for query in queries for key in self.connection.execute(query).scalars())

    def made_of(self, input_id: str) -> tuple[str, ...]:
        """Return the names of the outputs made of an input."""
        query = (
            select(outputs.c.object_key)
            .join(options, options.c.output_id == outputs.c.id)
            .where(options.c.input_id == input_id)
            .distinct()
            .order_by(outputs.c.object_key)
        )
        return tuple(self.connection.execute(query).scalars())

    def remove(self, keys: Iterable[str], now: datetime) -> None:
        """Note that the bytes of outputs are gone."""
        gone = outputs.c.object_key.in_(tuple(keys)), outputs.c.removed_at.is_(None)
        self.connection.execute(update(outputs).where(*gone).values(removed_at=now))

    def revive(self, output_id: str) -> None:
        """Note that the bytes of an output are there again."""
        self.connection.execute(update(outputs).where(outputs.c.id == output_id).values(removed_at=None))


def _needed_outputs() -> Select[Any]:
    return (
        select(outputs.c.object_key)
        .join(options, options.c.output_id == outputs.c.id)
        .join(inputs, inputs.c.id == options.c.input_id)
        .where(outputs.c.removed_at.is_(None), inputs.c.removed_at.is_(None))
        .distinct()
    )


_NEEDED = (
    (select(inputs.c.object_key).where(inputs.c.removed_at.is_(None)), inputs.c.object_key),
    (_needed_outputs(), outputs.c.object_key),
)
