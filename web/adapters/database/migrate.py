"""Brings a database to the schema of this version; refuses one that is not Palate's own."""

from collections.abc import Callable
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.pool import ConnectionPoolEntry

from ml_service.errors import Conflict
from web.adapters.database.engine import connect
from web.adapters.database.faults import translated
from web.adapters.database.tables import metadata

MIGRATIONS = Path(__file__).parents[3] / "migrations"
_LOCK = int.from_bytes(b"palate")  # one number for all, so that processes that start together migrate one by one


def migrate(url: str, target: str = "head") -> None:
    """Upgrade a database to the newest schema or a named revision, all of it or nothing; Conflict if it is not ours."""
    _run(url, lambda config: command.upgrade(config, target))


def downgrade(url: str, target: str) -> None:
    """Take a database back to an older revision, or to `base`: no tables at all; what they held is lost."""
    _run(url, lambda config: command.downgrade(config, target))


def is_current(url: str) -> bool:
    """Tell whether a database has the newest schema."""
    engines = connect(url)
    with translated(), engines.reader.connect() as connection:
        heads = _heads(connection)
    engines.dispose()
    return heads == set(_scripts(_config()).get_heads())


def _run(url: str, step: Callable[[Config], None]) -> None:
    config, engines = _config(), connect(url)
    if engines.writer.dialect.name == "sqlite":
        event.listen(engines.writer, "connect", _without_references)
    try:
        with translated(), engines.writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            _refuse_foreign(connection, config)
            config.attributes["connection"] = connection
            step(config)
            _check_references(connection)
    finally:
        engines.dispose()


def _without_references(connection: SqliteConnection, _: ConnectionPoolEntry) -> None:
    # SQLite changes a table by making a new one of its rows: the old one goes while others still refer to it.
    connection.execute("PRAGMA foreign_keys = OFF")


def _check_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise Conflict(f"A row of {broken[0]} refers to one of {broken[2]} that is gone; nothing was changed.")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _scripts(config: Config) -> ScriptDirectory:
    return ScriptDirectory.from_config(config)


def _heads(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


def _refuse_foreign(connection: Connection, config: Config) -> None:
    heads = _heads(connection)
    known = {script.revision for script in _scripts(config).walk_revisions()}
    if strange := heads - known:
        raise Conflict(
            f"This database is at schema {', '.join(sorted(strange))}, which this version of Palate does not know: it "
            "belongs to a newer version or to another program. Update Palate, or point DATABASE_URL elsewhere."
        )
    taken = set(inspect(connection).get_table_names()) & set(metadata.tables)
    if taken and not heads:
        raise Conflict(
            f"This database holds tables that Palate did not make: {', '.join(sorted(taken))}. Nothing was changed. "
            "Point DATABASE_URL at an empty database, or move those tables away."
        )
