from datetime import UTC, datetime

import psycopg
import pytest

from ml_service.errors import Unavailable
from tests.postgres import Postgres
from web.adapters.database import engine as engines
from web.adapters.database.store import SqlStore
from web.domain.studies.study import Project

OTHERS = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"


def add_project(store: SqlStore, id: str) -> None:
    with store.begin() as tx:
        tx.projects.add(Project(id, "a project", datetime.now(UTC)))


def count(store: SqlStore) -> int:
    with store.read() as tx:
        return len(tx.projects.all())


def test_a_snapshot_sees_one_moment(store: SqlStore) -> None:
    with store.snapshot() as tx:
        before = len(tx.projects.all())
        add_project(store, "new")
        assert len(tx.projects.all()) == before
    assert count(store) == before + 1


@pytest.fixture
def far(postgres_server: Postgres, postgres_template: str) -> SqlStore:
    """A database of a test's own on Postgres."""
    return SqlStore.open(postgres_server.url(postgres_server.make(postgres_template)))


def cut(store: SqlStore) -> None:
    """End every connection, as a database does that is restarted."""
    url = store.engines.writer.url
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as admin:
        admin.execute(OTHERS, [url.database])


def test_a_connection_that_rested_is_replaced_where_the_database_closed_it(
    far: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_project(far, "first")
    monkeypatch.setattr(engines, "RESTED", 0.0)
    cut(far)
    assert count(far) == 1
    far.close()


def test_where_a_connection_breaks_in_use_one_request_is_told_and_the_next_is_served(far: SqlStore) -> None:
    add_project(far, "first")
    cut(far)
    with pytest.raises(Unavailable, match="try again"):
        count(far)
    assert count(far) == 1
    far.close()
