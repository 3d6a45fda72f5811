"""On Postgres the server's clock is the one that counts: here one that is a day ahead, as its own SQL tells it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.postgres import Postgres
from web.adapters.database.store import SqlStore
from web.cli.operations.doctor import clock as look
from web.parts import build_parts
from web.ports.parts import Parts
from web.services.operations.views import health
from web.settings import Settings

SKEWED = """
CREATE SCHEMA skewed;
CREATE FUNCTION skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql
AS $$ SELECT pg_catalog.clock_timestamp() + interval '1 day' $$;
"""


@pytest.fixture
def parts(postgres_server: Postgres, postgres_template: str, tmp_path: Path) -> Iterator[Parts]:
    name = postgres_server.make(postgres_template)
    postgres_server.run(SKEWED, name)
    postgres_server.run(f'ALTER DATABASE "{name}" SET search_path = skewed, pg_catalog, public')
    made = build_parts(Settings(_env_file=None, database_url=postgres_server.url(name), data_dir=tmp_path))
    yield made
    assert isinstance(made.store, SqlStore)
    made.store.close()
    postgres_server.drop(name)


def test_what_is_dated_and_what_is_due_go_by_the_clock_of_the_database(parts: Parts) -> None:
    with parts.store.begin():
        pass
    now = parts.clock.now()
    assert abs(now - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)
    check = look(parts, health(parts))
    assert check.state == "warn"
    assert "ahead of this machine's" in check.says


def test_the_database_is_asked_at_once_when_this_machines_own_clock_is_put(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    with parts.store.begin():
        pass
    usual = time.time
    monkeypatch.setattr(time, "time", lambda: usual() + 3600)
    clock = parts.store.engines.clock  # type: ignore[attr-defined]
    assert clock.is_due()
    with parts.store.begin():
        assert not clock.is_due()
