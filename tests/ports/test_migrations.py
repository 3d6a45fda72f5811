from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from ml_service.errors import Conflict
from tests.rows import Rows
from web.adapters.database.engine import connect
from web.adapters.database.migrate import downgrade, is_current, migrate
from web.adapters.database.store import SqlStore
from web.adapters.database.tables import metadata
from web.domain.abtests.abtest import ABTest, Decision, Design, Evidence
from web.domain.audit.audit import faults


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


def test_rows_that_others_refer_to_outlive_a_way_back_and_forth(empty_url: str) -> None:
    migrate(empty_url)
    store = SqlStore.open(empty_url)
    rows = Rows(store, datetime(2026, 3, 1, tzinfo=UTC))
    given = rows.rate(rows.option(rows.source()), rows.anna)
    downgrade(empty_url, "0002")
    migrate(empty_url)
    with store.read() as tx:
        assert tx.studies.get(rows.study.id).name == rows.study.name
        assert tx.ratings.get(given.id) == given
    store.close()


def test_a_comparison_goes_back_as_a_test_that_was_stopped(empty_url: str) -> None:
    migrate(empty_url)
    store = SqlStore.open(empty_url)
    rows = Rows(store, datetime(2026, 3, 1, tzinfo=UTC))
    now, version = rows.now, rows.version.id
    found = (Evidence(version, 12, better=25.0),)
    with store.begin() as tx:
        mine = ABTest(
            id="t",
            project_id=rows.study.project_id,
            study_id=rows.study.id,
            prompt_key=rows.study.prompt_key,
            kind="comparison",
            state="decided",
            champion=version,
            challengers=(version,),
            design=Design(),
            policy="manual",
            created_at=now,
            decision=Decision("better", version, found),
        )
        tx.ab_tests.add(mine)
    downgrade(empty_url, "0010")
    migrate(empty_url)
    with store.read() as tx:
        told = tx.ab_tests.get("t")
    store.close()
    assert (told.kind, told.state, told.decision) == ("challenge", "stopped", Decision("stopped", None, found))


def test_events_of_an_older_schema_become_a_chain_and_go_back(empty_url: str) -> None:
    migrate(empty_url, "0001")
    engines = connect(empty_url)
    with engines.writer.begin() as connection:
        connection.execute(text("INSERT INTO projects VALUES ('p', 'Palate', '2026-11-01 00:00:00+00:00')"))
        for number in range(3):
            event = (
                f"('e{number}', 'p', 'anna', 'study.made', 'study', 's', '2026-11-01 0{number}:00:00.25+00:00', 'a')"
            )
            columns = "id, project_id, actor_id, action, object_type, object_id, at, note"
            connection.execute(text(f"INSERT INTO audit_events ({columns}) VALUES {event}"))
    engines.dispose()
    migrate(empty_url)
    store = SqlStore.open(empty_url)
    with store.read() as tx:
        events = sorted(tx.events.all(), key=lambda event: event.number)
    store.close()
    assert [event.number for event in events] == [1, 2, 3]
    assert list(faults(events)) == []
    assert list(faults([events[0], events[2]])) != []
    downgrade(empty_url, "0001")
    migrate(empty_url)
    assert is_current(empty_url)
