"""Jobs on both engines: one at a time for each key, taken over when a worker is lost, parked when they keep failing."""

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ml_service.errors import Conflict, StorageFull, Unavailable
from tests.clock import FixedClock
from tests.taken import taking
from tests.world import World, make_world
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.domain.job import MAX_ATTEMPTS, Job
from web.domain.jobs import fetch_job
from web.jobs.tasks import TASKS
from web.jobs.worker import Worker
from web.ports.parts import Parts
from web.rows.transaction import Store, Transaction
from web.services.operations import jobs

pytestmark = pytest.mark.storage


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path)


def job(key: str = "k", task: str = "poison") -> Job:
    now = FixedClock().now()
    return Job(new_id(), key, task, {}, now, now)


def enqueue(world: World, *jobs: Job) -> None:
    with world.parts.store.begin() as tx:
        tx.of_jobs.add_once(jobs)


def test_a_job_enqueued_twice_is_one_until_it_is_claimed(world: World) -> None:
    enqueue(world, job(), job())
    enqueue(world, job())
    with world.parts.store.begin() as tx:
        assert len(tx.jobs.all(key="k")) == 1
        assert tx.of_jobs.claim("worker", world.clock.now(), {}) is not None
    enqueue(world, job())
    with world.parts.store.begin() as tx:
        assert len(tx.jobs.all(key="k")) == 2
        waiting = [row.key for row in tx.jobs.all(state="waiting")]
        assert waiting.count("k") == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_old_jobs_are_forgotten_without_a_look_at_those_that_stay(world: World, store: SqlStore) -> None:
    done = [replace(job(str(number)), state="done", finished_at=world.clock.now()) for number in range(2000)]
    with store.begin() as tx:
        tx.jobs.add_all(done)
        tx.jobs.add(replace(done[0], id=new_id(), finished_at=world.clock.now() - timedelta(days=2)))
    with taking(store.engines.writer) as taken, store.begin() as tx:
        tx.of_jobs.prune(world.clock.now() - timedelta(days=1))
    assert taken.steps < 10
    with store.read() as tx:
        assert len(tx.jobs.all(state="done")) == 2000


def test_two_jobs_of_one_key_are_never_done_at_the_same_time(world: World) -> None:
    enqueue(world, job())
    with world.parts.store.begin() as tx:
        first = tx.of_jobs.claim("one", world.clock.now(), {})
    enqueue(world, job())
    with world.parts.store.begin() as tx:
        assert not tx.of_jobs.any_due(world.clock.now(), {})
        assert tx.of_jobs.claim("two", world.clock.now(), {}) is None
    assert first is not None
    assert first.key == "k"


def test_a_lost_workers_job_is_taken_over_and_its_late_word_does_not_count(world: World) -> None:
    enqueue(world, job())
    with world.parts.store.begin() as tx:
        lost = tx.of_jobs.claim("lost", world.clock.now(), {})
    world.clock.advance(minutes=2)
    with world.parts.store.begin() as tx:
        taken = tx.of_jobs.claim("other", world.clock.now(), {})
        assert lost is not None
        assert taken is not None
        assert taken.id == lost.id
        assert taken.attempts == 2
        assert not tx.of_jobs.finish(lost, world.clock.now())
        assert tx.of_jobs.finish(taken, world.clock.now())
        assert not tx.of_jobs.finish(taken, world.clock.now())


def test_a_poison_job_is_parked_with_its_error_and_can_be_retried(world: World) -> None:
    calls: list[Mapping[str, str]] = []

    def poison(_: Parts, arguments: Mapping[str, str]) -> None:
        calls.append(arguments)
        if len(calls) <= MAX_ATTEMPTS:
            raise StorageFull("no room")

    enqueue(world, job())
    worker = Worker(world.parts, {**TASKS, "poison": poison})
    for _ in range(MAX_ATTEMPTS + 2):
        while worker.step():
            pass
        world.clock.advance(minutes=5)
    with world.parts.store.read() as tx:
        (parked,) = tx.of_jobs.parked()
    assert len(calls) == MAX_ATTEMPTS
    assert parked.error == "StorageFull: no room"
    jobs.retry_job(world.parts, world.admin, parked.id)
    worker.step()
    with world.parts.store.read() as tx:
        assert tx.jobs.get(parked.id).state == "done"
    with pytest.raises(Conflict):
        jobs.retry_job(world.parts, world.admin, parked.id)


def test_a_failed_job_whose_work_waits_again_is_closed_and_forgotten_in_time(world: World) -> None:
    enqueue(world, first := job())
    now = world.clock.now()
    with world.parts.store.begin() as tx:
        claimed = tx.of_jobs.claim("worker", now, {})
        assert claimed is not None
        assert claimed.id == first.id
    enqueue(world, second := job())
    with world.parts.store.begin() as tx:
        assert tx.of_jobs.retry(claimed, now, timedelta(0), "Conflict: Taken.")
        assert tx.jobs.get(first.id).state == "done"
        tx.of_jobs.prune(now + timedelta(days=1))
        assert [row.id for row in tx.jobs.all(key="k")] == [second.id]


def test_the_first_fault_after_what_was_away_is_back_parks_nothing(world: World) -> None:
    faults = [*[Unavailable("Away.")] * MAX_ATTEMPTS, Conflict("That is taken already.")]

    def asking(_: Parts, __: Mapping[str, str]) -> None:
        if faults:
            raise faults.pop(0)

    enqueue(world, job(task="asking"))
    worker = Worker(world.parts, {**TASKS, "asking": asking})
    for _ in range(MAX_ATTEMPTS + 2):
        while worker.step():
            pass
        world.clock.advance(minutes=5)
    with world.parts.store.read() as tx:
        assert [(row.state, row.attempts) for row in tx.jobs.all(key="k")] == [("done", 2)]


def test_a_job_whose_part_is_away_for_an_hour_waits_and_is_done_when_it_is_back(world: World) -> None:
    is_away = True

    def asking(_: Parts, __: Mapping[str, str]) -> None:
        if is_away:
            raise Unavailable("The optimizer does not answer.")

    enqueue(world, job(task="asking"))
    worker = Worker(world.parts, {**TASKS, "asking": asking})
    for _ in range(120):
        while worker.step():
            pass
        world.clock.advance(seconds=30)
    is_away = False
    while worker.step():
        pass
    with world.parts.store.read() as tx:
        assert [row.state for row in tx.jobs.all(key="k")] == ["done"]


class Refusing:
    """A store that refuses one writing transaction, as a race lost on Postgres does."""

    def __init__(self, store: Store, refuse: int) -> None:
        self.store, self.writes, self.refuse = store, 0, refuse
        self.read = store.read

    def begin(self) -> AbstractContextManager[Transaction]:
        self.writes += 1
        if self.writes == self.refuse:
            raise Conflict("That is taken already.")
        return self.store.begin()

    def snapshot(self) -> AbstractContextManager[Transaction]:
        return self.store.snapshot()


def test_a_worker_that_cannot_write_down_what_it_did_goes_on_and_the_job_is_done_again(world: World) -> None:
    done: list[str] = []
    stop = threading.Event()

    def task(_: Parts, __: Mapping[str, str]) -> None:
        done.append("done")
        if len(done) == 2:
            stop.set()
        else:
            world.clock.advance(minutes=2)

    with world.parts.store.begin() as tx:
        for waiting in tx.jobs.all(state="waiting"):
            tx.jobs.replace(replace(waiting, state="done"))
    enqueue(world, job())
    store = Refusing(world.parts.store, refuse=2)
    Worker(replace(world.parts, store=store), {"poison": task}).run(stop)
    with world.parts.store.read() as tx:
        (again,) = tx.jobs.all(key="k")
    assert (again.state, again.attempts) == ("done", 2)


def test_jobs_that_ask_addresses_run_one_at_a_time_and_leave_the_other_workers_to_other_work(world: World) -> None:
    now = world.clock.now()
    enqueue(world, fetch_job("one", world.study.id, now), fetch_job("two", world.study.id, now), job("other"))
    first, second = Worker(world.parts), Worker(world.parts)
    taken = [claimed.key for claimed in (first._claim(), second._claim(), second._claim()) if claimed]
    assert [key for key in taken if key.startswith("fetch:")] == ["fetch:one"]
    assert "other" in taken
    world.clock.advance(minutes=2)  # its worker is lost
    assert {claimed.key for claimed in (first._claim(), first._claim()) if claimed} & {"fetch:one", "fetch:two"}
