"""A database that fails in every way that machines do, really: 503 in words, and all goes on by itself afterwards."""

import re
import resource
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from httpx2 import Response
from sqlalchemy import text

from ml_service.errors import Unavailable
from tests.clock import FixedClock
from tests.disk import small_disk
from tests.failing import end_connections, held_by_another, only_reading
from tests.postgres import Postgres
from tests.site import Site
from tests.world import make_world
from web.adapters.database.engine import HELD, QUEUED
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.services.accounts.keys import KeyDraft, make_key
from web.settings import Settings

LOCK = text("SELECT pg_advisory_xact_lock(:key)")


@pytest.fixture
def database(postgres_server: Postgres, postgres_template: str) -> Iterator[str]:
    """A database of Postgres that no other test uses."""
    name = postgres_server.make(postgres_template)
    yield name
    postgres_server.drop(name)


@pytest.fixture
def far(
    database: str, postgres_server: Postgres, clock: FixedClock, tmp_path: Path, settings: Settings
) -> Iterator[Site]:
    """A site on Postgres."""
    yield from site_on(postgres_server.url(database), clock, tmp_path, settings)


@pytest.fixture
def near(sqlite_template: Path, clock: FixedClock, tmp_path: Path, settings: Settings) -> Iterator[Site]:
    """A site on SQLite."""
    shutil.copy(sqlite_template, tmp_path / "palate.db")
    yield from site_on(f"sqlite:///{tmp_path / 'palate.db'}", clock, tmp_path, settings)


def site_on(url: str, clock: FixedClock, folder: Path, settings: Settings) -> Iterator[Site]:
    store = SqlStore.open(url)
    yield Site(make_world(store, clock, folder, inputs=2), settings)
    store.close()


def store_of(site: Site) -> SqlStore:
    assert isinstance(site.world.parts.store, SqlStore)
    return site.world.parts.store


def file_of(site: Site) -> Path:
    return Path(str(store_of(site).engines.writer.url.database))


def rating(site: Site) -> Callable[[], Response]:
    """Return what sends one and the same batch of answers, again and again."""
    rater = site.signed_in()
    rater.get("/api/train/next")
    site.world.work()
    shown = rater.get("/api/train/next").json()["experiments"]
    options = [option["option_id"] for experiment in shown for option in experiment["options"]]
    answers = [{"id": new_id(), "option_id": option, "score": 4} for option in options]
    rater._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
    return lambda: rater.post("/api/train/rate", json={"answers": answers})


def assert_told(answer: Response, words: str) -> None:
    """A problem with words of what is wrong, that says when to try again."""
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json"), answer.text
    assert re.search(words, answer.json()["detail"]), answer.json()["detail"]
    assert int(answer.headers["retry-after"]) >= 1


def assert_stored(answer: Response) -> None:
    assert answer.status_code == 200, answer.text
    assert {verdict["verdict"] for verdict in answer.json()["verdicts"]} == {"stored"}


def test_a_rating_waits_while_postgres_takes_no_changes_and_is_stored_by_the_next_primary(
    far: Site, postgres_server: Postgres, database: str
) -> None:
    send = rating(far)
    with only_reading(postgres_server, database):
        send()  # finds its connection gone
        assert_told(send(), "takes no changes")
    assert_stored(send())  # though nobody ended the connections that can only read


def test_production_pulls_while_postgres_takes_no_changes(far: Site, postgres_server: Postgres, database: str) -> None:
    _, secret = make_key(far.world.parts, far.world.admin, KeyDraft("production", ("prompts:read",)))
    puller = far.visitor(raise_errors=False)
    puller.headers["authorization"] = f"Bearer {secret}"
    with only_reading(postgres_server, database):
        puller.get("/prompts/current.json")  # finds its connection gone
        answer = puller.get("/prompts/current.json")
    assert answer.status_code == 200, answer.text


def test_connections_that_a_server_ends_are_said_to_be_lost_and_replaced(
    far: Site, postgres_server: Postgres, database: str
) -> None:
    send = rating(far)
    end_connections(postgres_server, database)
    assert_told(send(), "connection to the database was lost")
    assert_stored(send())


def test_pools_that_run_dry_are_told_and_fill_again(far: Site, near: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for site in (far, near):
        send = rating(site)
        engine = store_of(site).engines.writer
        monkeypatch.setattr(engine.pool, "_timeout", 0.2)
        with ExitStack() as held:
            for _ in range(engine.pool.size() + engine.pool._max_overflow):  # type: ignore[attr-defined]
                held.enter_context(engine.connect())
            assert_told(send(), "connections to the database are in use")
        assert_stored(send())


def test_a_server_that_lets_nobody_in_is_told_and_over_when_it_does(
    far: Site, postgres_server: Postgres, database: str
) -> None:
    send = rating(far)
    postgres_server.run(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
    end_connections(postgres_server, database)
    send()
    assert_told(send(), "does not answer")
    postgres_server.run(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')
    assert_stored(send())


def test_two_changes_that_wait_for_each_other_are_told_and_one_goes_through(far: Site) -> None:
    order = threading.Barrier(2)

    def change(first: int, second: int) -> float | None:
        try:
            with store_of(far).begin() as tx:
                tx.connection.execute(LOCK, {"key": first})
                order.wait(20)
                tx.connection.execute(LOCK, {"key": second})
        except Unavailable as error:
            assert "another change" in str(error)  # noqa: PT017  one of the two, and nobody knows which
            return error.retry_after
        return None

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(change, (1, 2), (2, 1)), key=str) == [1, None]


def test_a_statement_that_takes_too_long_is_told(far: Site) -> None:
    with pytest.raises(Unavailable, match="took too long"), store_of(far).begin() as tx:
        tx.connection.exec_driver_sql("SET LOCAL statement_timeout = 50; SELECT pg_sleep(20)")


def test_a_database_without_our_tables_is_told_on_both_engines(
    postgres_server: Postgres, clock: FixedClock, tmp_path: Path
) -> None:
    name = postgres_server.make()
    for url in (postgres_server.url(name), f"sqlite:///{tmp_path / 'empty.db'}"):
        store = SqlStore.open(url)
        with pytest.raises(Unavailable, match="python -m web migrate"), store.read() as tx:
            tx.of_jobs.any_due(clock.now(), {})
        store.close()
    postgres_server.drop(name)


def test_a_rating_waits_while_another_process_holds_the_file_and_is_stored_then(near: Site) -> None:
    send = rating(near)
    with held_by_another(str(file_of(near))):
        assert_told(send(), "Another program holds the database")
    assert_stored(send())


def test_a_page_says_in_words_that_the_file_is_held(near: Site) -> None:
    visitor = near.visitor()
    with held_by_another(str(file_of(near))):
        shown = visitor.post("/link/unknown", headers={"accept": "text/html"})
    assert (shown.status_code, shown.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "Another program holds the database" in shown.text
    assert int(shown.headers["retry-after"]) >= 1


@pytest.fixture
def on_a_disk(
    sqlite_template: Path, clock: FixedClock, tmp_path: Path, settings: Settings
) -> Iterator[tuple[Site, Path]]:
    """A site whose database is on a disk of its own."""
    with small_disk(tmp_path / "disk") as disk:
        shutil.copy(sqlite_template, disk / "palate.db")
        for site in site_on(f"sqlite:///{disk / 'palate.db'}", clock, tmp_path, settings):
            yield site, disk


def test_a_rating_waits_while_its_disk_only_reads_and_is_stored_when_it_writes_again(
    on_a_disk: tuple[Site, Path],
) -> None:
    site, disk = on_a_disk
    send = rating(site)
    store_of(site).engines.dispose()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert_told(send(), "takes no changes|cannot be opened")
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert_stored(send())  # by another connection: SQLite's own stays as it was opened


def test_a_disk_that_fails_is_told_and_nothing_is_half_stored(near: Site) -> None:
    send, path = rating(near), file_of(near)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name(path.name + "-wal").stat().st_size, usual[1]))
    try:
        answer = send()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert_told(answer, "disk of the database fails")
    assert_stored(send())


def test_a_damaged_file_is_told_as_damaged(near: Site) -> None:
    send, path = rating(near), file_of(near)
    store_of(near).engines.dispose()
    path.write_bytes(b"x" * path.stat().st_size)
    assert_told(send(), "database is damaged")


def test_a_mistake_of_our_own_at_the_gate_is_not_called_the_fault_of_who_sends(
    far: Site, postgres_server: Postgres, database: str
) -> None:
    send = rating(far)
    postgres_server.run("ALTER TABLE users ALTER active TYPE text", database)
    assert (send().status_code, send().json()["type"]) == (500, "/problems/internal-error")  # 422 would drop the batch


def test_nobody_waits_longer_than_the_page_does() -> None:
    page = Path("web/pages/static/train/wire.js").read_text()
    (seconds,) = re.findall(r"TIMEOUT_MS = (\d+)_000", page)
    assert int(seconds) > QUEUED + HELD
