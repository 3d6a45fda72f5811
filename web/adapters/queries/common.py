"""What several subjects' queries share."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_
from sqlalchemy.dialects import postgresql, sqlite

from web.adapters.tables import ratings


def insert_into(connection: Connection, table: Table) -> Any:
    """Return an INSERT of the connection's own dialect, which can say what is to happen where a key is taken."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def insert_once(connection: Connection, table: Table) -> Any:
    """Return an INSERT that passes over rows whose unique keys are taken; add `.returning` to learn which went in."""
    return insert_into(connection, table).on_conflict_do_nothing()


def standing(option_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Match ratings of an option that nobody has undone."""
    return and_(ratings.c.option_id == option_id, ratings.c.undone_at.is_(None))
