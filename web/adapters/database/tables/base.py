"""What the tables are made of: the one metadata, and kinds of columns."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String

from web.adapters.database.columns import Typed, Utc

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
LONG = 400
ROWS = "rows"


@dataclass(frozen=True)
class Rows:
    """What the rows of a table are: under which name a transaction has them, and of which dataclass."""

    name: str
    kind: type[Any]


def rows(name: str, kind: type[Any]) -> dict[str, Rows]:
    """Return a table's `info`: what its rows are."""
    return {ROWS: Rows(name, kind)}


def identity() -> Column[str]:
    """Return the primary key: a UUID as text."""
    return Column("id", String(36), primary_key=True)


def reference(name: str, target: str, *, nullable: bool = False) -> Column[str]:
    """Return a foreign key to another table's identity."""
    return Column(name, String(36), ForeignKey(f"{target}.id"), nullable=nullable)


def short_text(name: str, size: int = LONG, *, nullable: bool = False) -> Column[str]:
    """Return a column of text of limited length."""
    return Column(name, String(size), nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> Column[object]:
    """Return a column of a time in UTC."""
    return Column(name, Utc(), nullable=nullable)


def whole(name: str) -> Column[int]:
    """Return a column of a whole number."""
    return Column(name, Integer, nullable=False)


def typed(name: str, kind: object, *, nullable: bool = False) -> Column[object]:
    """Return a JSON column checked by its own type."""
    return Column(name, Typed(kind), nullable=nullable)


def revision() -> Column[int]:
    """Return the number that compare-and-set goes by."""
    return Column("revision", Integer, nullable=False, default=0)


def one_of(column: str, *values: str) -> CheckConstraint:
    """Return a check that a column holds one of the known words."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=f"{column}_known")
