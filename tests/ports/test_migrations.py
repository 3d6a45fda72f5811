import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from ml_service.errors import Conflict
from web.adapters.database.engine import connect
from web.adapters.database.migrate import downgrade, is_current, migrate
from web.adapters.database.store import SqlStore
from web.adapters.database.tables import metadata


def tables(url: str) -> set[str]:
    engines = connect(url)
    try:
        return set(inspect(engines.reader).get_table_names())
    finally:
        engines.dispose()


def checks(engine: Engine) -> dict[str, set[str]]:
    return {
        table: {str(item["name"]) for item in inspect(engine).get_check_constraints(table)} for table in metadata.tables
    }


def test_migrations_and_tables_agree(store: SqlStore) -> None:
    with store.engines.reader.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_constraints_that_alembic_does_not_compare_agree(store: SqlStore, empty_url: str) -> None:
    engines = connect(empty_url)
    metadata.create_all(engines.writer)
    wanted = checks(engines.reader)
    engines.dispose()
    assert checks(store.engines.reader) == wanted
    assert sum(map(len, wanted.values())) > 10


def test_an_empty_database_is_brought_up_and_taken_down(empty_url: str) -> None:
    assert not is_current(empty_url)
    migrate(empty_url)
    assert is_current(empty_url)
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}
    migrate(empty_url)
    downgrade(empty_url, "base")
    assert tables(empty_url) == {"alembic_version"}
    migrate(empty_url)
    assert is_current(empty_url)


def test_a_database_of_somebody_else_is_refused_untouched(empty_url: str) -> None:
    engines = connect(empty_url)
    with engines.writer.begin() as connection:
        connection.execute(text("CREATE TABLE users (name TEXT)"))
    with pytest.raises(Conflict, match="tables that Palate did not make: users"):
        migrate(empty_url)
    engines.dispose()
    assert tables(empty_url) == {"users"}


def test_tables_of_other_names_may_stay(empty_url: str) -> None:
    engines = connect(empty_url)
    with engines.writer.begin() as connection:
        connection.execute(text("CREATE TABLE holidays (name TEXT)"))
    engines.dispose()
    migrate(empty_url)
    assert tables(empty_url) > {"holidays", "users"}


def test_a_newer_schema_is_refused(empty_url: str) -> None:
    migrate(empty_url)
    engines = connect(empty_url)
    with engines.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    engines.dispose()
    with pytest.raises(Conflict, match="schema later"):
        migrate(empty_url)


def test_a_migration_that_fails_leaves_nothing(empty_url: str) -> None:
    with pytest.raises(Exception, match="no_such_revision"):
        migrate(empty_url, "no_such_revision")
    assert tables(empty_url) == set()
