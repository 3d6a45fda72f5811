"""A worker whose database takes no changes: it says why it stands, keeps its job, and goes on by itself."""

import logging
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from ml_service.errors import Unavailable
from tests.clock import FixedClock
from tests.failing import held_by_another, only_reading
from tests.journeys.server import until
from tests.postgres import Postgres
from tests.world import World, make_world
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.domain.job import MAX_ATTEMPTS, Job
from web.jobs.worker import Worker
from web.ports.parts import Parts

REASONS = {
    "The database takes no changes for now, it can only be read; try again in a moment.",
    "Another program holds the database; try again in a moment.",
}


@pytest.fixture(params=["sqlite", "postgres"])
def standing(
    request: pytest.FixtureRequest,
    postgres_server: Postgres,
    postgres_template: str,
    sqlite_template: Path,
    tmp_path: Path,
) -> Iterator[World]:
    """A world without any job, on a database that can be made to take no changes."""
    name = postgres_server.make(postgres_template)
    shutil.copy(sqlite_template, tmp_path / "palate.db")
    url = postgres_server.url(name) if request.param == "postgres" else f"sqlite:///{tmp_path / 'palate.db'}"
    store = SqlStore.open(url)
    world = make_world(store, FixedClock(), tmp_path, inputs=1)
    with store.begin() as tx:
        tx.jobs.remove(state="waiting")
    yield world
    store.close()
    postgres_server.drop(name)


@contextmanager
def taking_no_changes(world: World, server: Postgres) -> Iterator[None]:
    store = world.parts.store
    assert isinstance(store, SqlStore)
    address = store.engines.writer.url
    failing = only_reading(server, str(address.database))
    with failing if address.get_backend_name() == "postgresql" else held_by_another(str(address.database)):
        yield


def found(world: World) -> Job:
    with world.parts.store.read() as tx:
        (job,) = tx.jobs.all(key="k")
    return job


def reasons(caplog: pytest.LogCaptureFixture) -> dict[int | None, list[str]]:
    """Return why each thread of work said that it stands."""
    told: dict[int | None, list[str]] = {}
    for record in caplog.records:
        if "stands still" in record.getMessage():
            told.setdefault(record.thread, []).append(str(vars(record)["why"]))
    return told


def all_told(caplog: pytest.LogCaptureFixture, workers: int) -> bool:
    told = reasons(caplog)
    return len(told) == workers and bool(REASONS & {why for said in told.values() for why in said})


@contextmanager
def at_work(*workers: Worker) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=worker.run, args=(stop,)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_job_that_was_done_meanwhile_is_done_once_and_every_standing_is_told_once(
    standing: World, postgres_server: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    began, go_on, done = threading.Event(), threading.Event(), list[str]()

    def task(_: Parts, __: Mapping[str, str]) -> None:
        began.set()
        go_on.wait(60)
        done.append("done")
        standing.clock.advance(minutes=5)  # so long the database stays away: every claim is over by then

    caplog.set_level(logging.INFO, "palate.worker")
    now = standing.clock.now()
    with standing.parts.store.begin() as tx:
        tx.of_jobs.add_once([Job(new_id(), "k", "task", {}, now, now), Job(new_id(), "other", "task", {}, now, now)])
    workers = [Worker(standing.parts, {"task": task}) for _ in range(2)]
    with at_work(*workers):
        until("a job in hand", began.is_set)
        with taking_no_changes(standing, postgres_server):
            go_on.set()
            until("a word of both of why they stand", lambda: all_told(caplog, len(workers)))
        until("the job's end", lambda: found(standing).state == "done")
    assert (found(standing).attempts, len(done)) == (1, 2)
    assert all(
        len(said) == len(set(said)) for said in reasons(caplog).values()
    )  # each reason once, not ten times a second
    assert [record.getMessage() for record in caplog.records].count("the worker goes on") == len(workers)


def test_what_was_away_counts_no_attempt_however_often(standing: World) -> None:
    is_away, fails = [True], [True] * (MAX_ATTEMPTS - 1)

    def task(_: Parts, __: Mapping[str, str]) -> None:
        if is_away:
            raise Unavailable("The optimizer does not answer.")
        if fails:
            fails.pop()
            raise RuntimeError("a fault")

    now = standing.clock.now()
    with standing.parts.store.begin() as tx:
        tx.of_jobs.add_once([Job(new_id(), "k", "task", {}, now, now)])
    worker = Worker(standing.parts, {"task": task})
    for step in range(40):
        if step == 20:
            is_away.clear()
        worker.step()
        standing.clock.advance(minutes=2)
    assert (found(standing).state, found(standing).attempts) == ("done", MAX_ATTEMPTS)
