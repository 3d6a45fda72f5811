"""A clock that jumps: what waits is done in time, nobody is let in by it, and it is said."""

import logging
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from ml_service.errors import Gone, Throttled, Unauthorized
from tests.clock import FixedClock
from tests.journeys.server import until
from tests.world import World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.job import CLAIM_TIME, Job
from web.domain.jobs import learn_job, plan_job
from web.domain.rating.lease import LEASE_TIME
from web.jobs.schedule import tick
from web.jobs.worker import Worker, run_workers
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.accounts.sessions import actor_of, digest
from web.services.accounts.throttle import LINK, Throttle
from web.services.prompts.watch import Watch
from web.services.rating import training

pytestmark = pytest.mark.storage
DAY = 1


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path)


def waiting(world: World) -> dict[str, Job]:
    with world.parts.store.read() as tx:
        return {job.task: job for job in tx.jobs.all(state="waiting", study_id=world.study.id)}


def test_what_was_dated_by_a_clock_a_day_ahead_is_due_as_soon_as_it_would_have_been(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.clock.advance(days=DAY)
    with world.parts.store.begin() as tx:
        tx.jobs.remove(state="waiting")
        now = world.clock.now()
        tx.of_jobs.add_once([plan_job(world.study.id, now), learn_job(world.study.id, now)])
    world.clock.advance(days=-DAY)
    tick(world.parts)
    found, now = waiting(world), world.clock.now()
    assert found["plan"].due_at == now
    assert found["learn"].due_at == now + timedelta(seconds=1)
    assert "the clock went back" in caplog.text
    caplog.clear()
    tick(world.parts)
    assert "the clock went back" not in caplog.text


def test_a_retry_dated_by_a_clock_a_day_ahead_is_due_as_soon_as_it_would_have_been(world: World) -> None:
    def failing(_: Parts, __: Mapping[str, str]) -> None:
        raise RuntimeError("a fault")

    with world.parts.store.begin() as tx:
        tx.jobs.remove(state="waiting")
        tx.of_jobs.add_once([learn_job(world.study.id, world.clock.now())])
    world.clock.advance(days=DAY)
    Worker(world.parts, {"learn": failing}).step()
    world.clock.advance(days=-DAY)
    tick(world.parts)
    assert waiting(world)["learn"].due_at == world.clock.now() + timedelta(seconds=1)


def test_a_claim_of_a_day_ahead_is_taken_over_in_time(world: World) -> None:
    with world.parts.store.begin() as tx:
        tx.jobs.remove(state="waiting")
        tx.of_jobs.add_once([learn_job(world.study.id, world.clock.now())])
    world.clock.advance(days=DAY)
    with world.parts.store.begin() as tx:
        assert tx.of_jobs.claim("a worker that is killed then", world.clock.now(), {})
    world.clock.advance(days=-DAY)
    tick(world.parts)
    with world.parts.store.read() as tx:
        (held,) = tx.jobs.all(state="claimed")
    assert held.claimed_until == world.clock.now() + CLAIM_TIME


def test_a_lease_of_a_day_ahead_is_given_up_in_time_and_its_answer_counts(world: World) -> None:
    rater = world.person()
    world.clock.advance(days=DAY)
    world.hold(rater)
    world.clock.advance(days=-DAY)
    tick(world.parts)
    with world.parts.store.read() as tx:
        held = tx.leases.all(rater_id=rater.user_id, state="held")
    assert held
    assert {lease.until for lease in held} == {world.clock.now() + LEASE_TIME}
    turn = training.next_items(world.parts, rater, "tab", 4)
    options = [shown.option_id for each in turn.held for shown in each.options]
    assert set(world.rate(rater, *[answer(option) for option in options])) == {"stored"}


def test_a_link_and_a_session_made_by_a_clock_ahead_let_nobody_in_until_it_is_that_late(world: World) -> None:
    world.clock.advance(days=DAY)
    link = accounts.invite(world.parts, world.admin, "rater", "early@example.org")
    session = accounts.use_link(world.parts, accounts.invite(world.parts, world.admin, "rater", "in@example.org"))
    world.clock.advance(days=-DAY)
    with pytest.raises(Gone, match="clock"):
        accounts.use_link(world.parts, link)
    assert actor_of(world.parts, digest(session)) is None
    world.clock.advance(days=DAY)
    assert actor_of(world.parts, digest(session)) is not None
    assert accounts.use_link(world.parts, link)


def test_wrong_tries_dated_ahead_shut_nobody_out_for_a_day(world: World) -> None:
    throttle = Throttle(world.parts, b"key", "network")

    def guess() -> None:
        with throttle.guessing(LINK, "network", Unauthorized):
            raise Unauthorized("wrong")

    world.clock.advance(days=DAY)
    for _ in range(LINK.most):
        with pytest.raises(Unauthorized):
            guess()
    with pytest.raises(Throttled):
        guess()
    world.clock.advance(days=-DAY)
    for _ in range(LINK.most):
        with pytest.raises(Unauthorized):
            guess()
    with pytest.raises(Throttled):
        guess()


def test_files_are_looked_at_whole_again_though_the_clock_went_back(world: World) -> None:
    watch = Watch()
    assert watch.suspects(world.parts).whole
    assert not watch.suspects(world.parts).whole
    world.clock.advance(days=-DAY)
    assert watch.suspects(world.parts).whole


def test_a_jump_of_more_than_ten_minutes_is_said(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "palate.worker")
    monkeypatch.setattr("web.jobs.worker.TICK_SECONDS", 0.05)
    with world.parts.store.begin() as tx:
        tx.jobs.remove(state="waiting")
    stop = threading.Event()
    worker = threading.Thread(target=run_workers, args=(world.parts, stop, 0))
    worker.start()
    until("a tick", lambda: waiting(world))
    world.clock.advance(minutes=9)
    world.clock.advance(hours=-3)
    until("a word of the jump", lambda: "the clock jumped" in caplog.text)
    stop.set()
    worker.join()
    (said,) = [vars(record)["by_s"] for record in caplog.records if "jumped" in record.getMessage()]
    assert said == pytest.approx(-3 * 3600 + 540, abs=60)
