"""Database engines: one writing connection and a pool of readers on SQLite, one pool on Postgres."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from sqlite3 import Connection as SqliteConnection
from time import monotonic

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from ml_service.errors import InvalidRequest
from web.adapters.database.clock import DatabaseClock
from web.adapters.database.faults import only_reads

READERS = 8
QUEUED = 5.0  # seconds that one waits for a connection
HELD = 8.0  # seconds that one waits for another process's lock on SQLite; both together no longer than the page waits
UNHEARD = 10  # seconds after which a server that answers nothing any more, not even the network, counts as gone
RESTED = 5.0  # seconds after which a connection is asked whether it still stands: asking costs as much as a query


@dataclass(frozen=True)
class Engines:
    """Where transactions that write and those that only read take their connections."""

    writer: Engine
    reader: Engine
    clock: DatabaseClock = field(default_factory=DatabaseClock)

    def dispose(self) -> None:
        """Close every connection."""
        self.writer.dispose()
        self.reader.dispose()


def connect(url: str) -> Engines:
    """Open a database by its address: `sqlite:///path` or `postgresql://…`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(url)
    if parsed.get_backend_name() == "postgresql":
        return _postgres(parsed.set(drivername="postgresql+psycopg"))
    raise InvalidRequest(f"DATABASE_URL must start with sqlite:// or postgresql://, not {parsed.drivername}://.")


# For libpq, unless the address says otherwise: else a host that lost its power is waited for a quarter of an hour.
_PATIENCE = {
    "connect_timeout": UNHEARD,
    "tcp_user_timeout": UNHEARD * 1000,
    "keepalives_idle": UNHEARD,
    "keepalives_interval": UNHEARD // 2,
    "keepalives_count": 2,
}


def _replace_what_only_reads(context: ExceptionContext) -> None:
    """Give up connections that cannot write: after a failover or a remount new ones can, and these never."""
    if only_reads(context.original_exception):
        context.is_disconnect = True


def _postgres(url: URL) -> Engines:
    given = {name: value for name, value in _PATIENCE.items() if name not in url.query}
    engine = create_engine(url, pool_size=READERS, pool_timeout=QUEUED, connect_args=given, hide_parameters=True)

    clock = DatabaseClock()

    def on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # To plan what raters ask takes several times as long as to run it, and its plan is always the same.
        connection.cursor().execute("SET plan_cache_mode = force_generic_plan")
        connection.commit()

    def on_checkin(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["used_at"] = monotonic()

    def on_checkout(connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        rested = monotonic() - entry.info.get("used_at", monotonic()) >= RESTED
        try:
            if clock.is_due():
                _ask_time(connection, clock)
            elif rested:
                engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool takes another one

    event.listen(engine, "handle_error", _replace_what_only_reads)
    event.listen(engine, "connect", on_connect)
    event.listen(engine, "checkin", on_checkin)
    event.listen(engine, "checkout", on_checkout)
    # A transaction would give no more than its statements give by themselves, for a round trip at either end.
    return Engines(engine, engine.execution_options(isolation_level="AUTOCOMMIT"), clock)


def _ask_time(connection: DBAPIConnection, clock: DatabaseClock) -> None:
    cursor, began = connection.cursor(), datetime.now(UTC)
    cursor.execute("SELECT clock_timestamp()")
    row = cursor.fetchone()
    connection.commit()
    if row is not None:
        clock.hear(row[0], began)


def _sqlite(url: str) -> Engines:
    # A pool of writers would only wait for SQLite's one write lock, unfairly; readers must not take it at all.
    writer = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=QUEUED, hide_parameters=True)
    reader = create_engine(url, pool_size=READERS, max_overflow=READERS, pool_timeout=QUEUED, hide_parameters=True)
    event.listen(writer, "handle_error", _replace_what_only_reads)
    event.listen(writer, "connect", _prepare())
    event.listen(writer, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    event.listen(reader, "connect", _prepare("query_only = ON"))
    return Engines(writer, reader)


def _prepare(*more: str) -> Callable[[SqliteConnection, ConnectionPoolEntry], None]:
    waits = f"busy_timeout = {HELD * 1000:.0f}"
    kept = (waits, "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
    pragmas = (*kept, "secure_delete = ON", *more)  # what was erased must not lie in the file's free space

    def on_connect(connection: SqliteConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions begin where SQLAlchemy says so, not where sqlite3 guesses
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    return on_connect
