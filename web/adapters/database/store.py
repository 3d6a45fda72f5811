"""The store: transactions over SQLite or Postgres, with a generic collection for each table of the domain."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, bindparam, delete, func, insert, select, update

from ml_service.errors import Conflict, NotFound
from web.adapters.database.engine import Engines, connect
from web.adapters.database.faults import translated
from web.adapters.database.queries.abtests import ABTestQueries
from web.adapters.database.queries.accounts.erasure import ErasureQueries
from web.adapters.database.queries.accounts.people import PeopleQueries
from web.adapters.database.queries.audit import AuditQueries
from web.adapters.database.queries.completions import CompletionQueries
from web.adapters.database.queries.jobs import JobQueries
from web.adapters.database.queries.prompts import PromptQueries
from web.adapters.database.queries.rating.enrolments import EnrolmentQueries
from web.adapters.database.queries.rating.leases import LeaseQueries
from web.adapters.database.queries.rating.quality import QualityQueries
from web.adapters.database.queries.rating.ratings import RatingQueries
from web.adapters.database.queries.rating.turns import TurnQueries
from web.adapters.database.queries.studies.experiments import ExperimentQueries
from web.adapters.database.queries.studies.objects import ObjectQueries
from web.adapters.database.queries.studies.photos import PhotoQueries
from web.adapters.database.queries.studies.studies import StudyQueries
from web.adapters.database.tables import metadata
from web.adapters.database.tables.base import ROWS
from web.domain.rating.standing import RatersReport
from web.rows.transaction import Transaction

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
QUERIES: Mapping[str, Callable[[Connection], object]] = {
    "of_experiments": ExperimentQueries,
    "of_leases": LeaseQueries,
    "of_turns": TurnQueries,
    "of_quality": QualityQueries,
    "of_ratings": RatingQueries,
    "of_studies": StudyQueries,
    "of_objects": ObjectQueries,
    "of_photos": PhotoQueries,
    "of_jobs": JobQueries,
    "of_people": PeopleQueries,
    "of_enrolments": EnrolmentQueries,
    "of_erasure": ErasureQueries,
    "of_prompts": PromptQueries,
    "of_completions": CompletionQueries,
    "of_ab_tests": ABTestQueries,
    "of_audit": AuditQueries,
}
COLLECTIONS = {
    held.name: (table, held.kind) for table in metadata.sorted_tables if (held := table.info.get(ROWS)) is not None
}


def values(row: "DataclassInstance") -> dict[str, Any]:
    """Return a dataclass's fields, nested values untouched."""
    return {item.name: getattr(row, item.name) for item in fields(row)}


class Collection(Generic[T]):
    """The rows of one table as dataclasses: get, add, and compare-and-set by revision."""

    def __init__(self, connection: Connection, table: Table, kind: type[T]) -> None:
        self.connection, self.table, self.kind = connection, table, kind
        self.primary = next(iter(table.primary_key.columns))

    def get(self, key: str) -> T:
        """Return a row by its primary key, or raise NotFound."""
        found = self.find(**{self.primary.name: key})
        if found is None:
            raise NotFound(f"There is no {self.kind.__name__.lower()} {key}.")
        return found

    def find(self, **equal: Any) -> T | None:
        """Return the one row whose columns have these values, or None."""
        row = self.connection.execute(_where(self.table, *_shape(equal)), equal).mappings().first()
        return None if row is None else self.kind(**row)

    def all(self, **equal: Any) -> tuple[T, ...]:
        """Return the rows whose columns have these values, by primary key; a tuple of values means any of them."""
        query = _where(self.table, *_shape(equal))
        return tuple(self.kind(**row) for row in self.connection.execute(query, equal).mappings())

    def add(self, row: T) -> T:
        """Insert a row; a taken key is a Conflict."""
        self.connection.execute(insert(self.table), values(row))
        return row

    def add_all(self, rows: Iterable[T]) -> None:
        """Insert many rows at once."""
        batch = [values(row) for row in rows]
        if batch:
            self.connection.execute(insert(self.table), batch)

    def replace(self, row: T) -> T:
        """Put a changed row where its revision still stands and return it with the next one, or raise Conflict."""
        new = values(row)
        key, seen = new[self.primary.name], new.pop("revision")
        stands = and_(self.primary == key, self.table.c.revision == seen)
        done = self.connection.execute(update(self.table).where(stands).values(**new, revision=seen + 1))
        if done.rowcount != 1:
            raise Conflict(f"This {self.kind.__name__.lower()} was changed meanwhile; load it again.")
        return replace(row, revision=seen + 1)

    def remove(self, **equal: Any) -> int:
        """Delete the rows whose columns have these values; return how many there were."""
        matches = _where(self.table, *_shape(equal)).whereclause
        assert matches is not None  # noqa: S101  `_where` always gives one
        return self.connection.execute(delete(self.table).where(matches), equal).rowcount


def _shape(equal: dict[str, Any]) -> tuple[tuple[str, type], ...]:
    return tuple((name, type(value)) for name, value in equal.items())


@lru_cache(maxsize=256)
def _where(table: Table, *shape: tuple[str, type]) -> Select[Any]:
    """Return the query for rows whose columns equal parameters; building it costs more than running it."""
    terms: list[ColumnElement[bool]] = []
    for name, kind in shape:
        column = table.c[name]
        if kind is tuple:
            terms.append(column.in_(bindparam(name, expanding=True)))
        else:
            terms.append(column.is_(None) if kind is type(None) else column == bindparam(name, type_=column.type))
    return select(table).where(and_(True, *terms)).order_by(*table.primary_key.columns)


class SqlTransaction(Transaction, Protocol):
    """One transaction, with the connection for statements of the adapters' own."""

    connection: Connection


class _Rows:
    """The rows of one transaction: the collections that tables name, and the named queries, made when asked for."""

    def __init__(self, connection: Connection, known: dict[str, RatersReport]) -> None:
        self.connection, self._known = connection, known

    def __getattr__(self, name: str) -> Any:
        if name == "of_reports":
            from web.adapters.database.reports.reports import ReportQueries  # no start waits for what few ask

            made: Any = ReportQueries(self.connection, self._known)
        elif name in QUERIES:
            made = QUERIES[name](self.connection)
        elif name in COLLECTIONS:
            made = Collection(self.connection, *COLLECTIONS[name])
        else:
            raise AttributeError(f"{name} are no rows of any table")
        setattr(self, name, made)
        return made

    def lock_objects(self, keys: Iterable[str]) -> None:
        """Let one transaction at a time decide what becomes of all objects of the contents that these have."""
        if self.connection.dialect.name == "postgresql":  # SQLite has one writer anyway
            for content in sorted({key.partition(".")[0] for key in keys}):
                self.connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(content, 0))))


def rows_on(connection: Connection, known: dict[str, RatersReport] | None = None) -> SqlTransaction:
    """Return the rows of all subjects as a connection sees them; `known` is what reports remember."""
    return cast("SqlTransaction", _Rows(connection, {} if known is None else known))


class SqlStore:
    """Transactions on one database; leaving `begin` commits before anything is answered."""

    def __init__(self, engines: Engines) -> None:
        self.engines = engines
        self._known: dict[str, RatersReport] = {}

    @classmethod
    def open(cls, url: str) -> "SqlStore":
        """Open the database at an address."""
        return cls(connect(url))

    @contextmanager
    def begin(self) -> Iterator[SqlTransaction]:
        """Open a transaction that may write: all of it is kept, or none."""
        with translated(), self.engines.writer.begin() as connection:
            yield rows_on(connection, self._known)

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """Open a connection that only reads; each of its statements sees what is committed by then."""
        with translated(), self.engines.reader.connect() as connection:
            yield rows_on(connection, self._known)

    @contextmanager
    def snapshot(self) -> Iterator[SqlTransaction]:
        """Open a transaction that only reads, all of it as of one moment."""
        with self.read() as tx:
            if tx.connection.dialect.name == "postgresql":
                tx.connection.execution_options(isolation_level="REPEATABLE READ")
            else:
                tx.connection.exec_driver_sql("BEGIN")
            yield tx

    def close(self) -> None:
        """Close every connection."""
        self.engines.dispose()
