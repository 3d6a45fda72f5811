"""Winners of A/B tests that something else overtakes, on real databases; and pairs of which raters did one half."""

from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import Conflict
from tests.clock import FixedClock
from tests.unit.abtests.test_verdicts import candidate, judge_pairs, live, now, opened, pairs
from tests.world import World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.abtests.abtest import ABTest, Design
from web.domain.access import Actor
from web.domain.job import Job
from web.domain.jobs import pairs_job
from web.domain.rating.lease import LEASE_TIME
from web.jobs.schedule import tick
from web.services.abtests import abtests, verdicts
from web.services.abtests.abtests import Challenge
from web.services.evolution import evolving
from web.services.prompts import pointers, promotion
from web.services.rating import training
from web.services.rating.training import Held


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=8)


def won(world: World, policy: str = "approve") -> ABTest:
    """Return a test that is decided, and whose winner waits for an admin."""
    test = opened(world, policy=policy)
    judge_pairs(world, test, 3)
    assert now(world, test).waits_for_approval
    return test


def promote(world: World, version_id: str) -> None:
    with world.parts.store.read() as tx:
        pointer = pointers.find(tx, world.study.prompt_key)
    assert pointer is not None
    promotion.promote(world.parts, world.admin, world.study.prompt_key, version_id, pointer.revision)


def let_time_do_its_work(world: World) -> None:
    tick(world.parts)
    world.work()


def test_a_winner_that_waited_while_another_version_went_live_is_outdated_and_rounds_go_on(world: World) -> None:
    test = won(world)
    with world.parts.store.read() as tx:
        assert evolving.test_under_way(tx, world.study) == test.id
    promote(world, candidate(world, "cooler").id)
    let_time_do_its_work(world)
    done = now(world, test)
    assert done.decision is not None
    assert (done.state, done.decision.outcome, done.decision.winner) == ("stopped", "outdated", test.challengers[0])
    assert done.settled_at is not None
    with world.parts.store.read() as tx:
        assert evolving.test_under_way(tx, world.study) is None
        events = [event.action for event in tx.events.all(object_type="abtest", object_id=test.id)]
    assert events[-2:] == ["abtest.decided", "abtest.outdated"]
    with pytest.raises(Conflict, match="test its winner against that one"):
        verdicts.approve(world.parts, world.person("admin"), test.id, test.prompt_key)
    with pytest.raises(Conflict):
        abtests.decline(world.parts, world.admin, test.id)
    again = abtests.open_test(world.parts, world.admin, world.study.id, Challenge(test.challengers))
    assert again.champion == live(world).id


def test_what_was_decided_stays_as_it_was_when_it_is_outdated(world: World) -> None:
    test = won(world)
    before = now(world, test)
    promote(world, candidate(world, "cooler").id)
    let_time_do_its_work(world)
    done = now(world, test)
    assert before.decision is not None
    assert done.decision == replace(before.decision, outcome="outdated")
    assert done.decided_at == before.decided_at


def test_a_job_that_was_set_aside_at_such_a_winner_is_ended(world: World) -> None:
    test = won(world)
    at = world.clock.now()
    aside: Job = replace(pairs_job(test.id, test.study_id, at), state="parked", error="Conflict: ...", finished_at=at)
    with world.parts.store.begin() as tx:
        tx.of_jobs.add_once([aside])
    promote(world, candidate(world, "cooler").id)
    let_time_do_its_work(world)
    with world.parts.store.read() as tx:
        assert tx.jobs.get(aside.id).state == "done"
        assert tx.of_jobs.parked() == ()


def test_a_winner_that_somebody_makes_live_by_hand_is_settled_and_watched(world: World) -> None:
    test = won(world)
    promote(world, test.challengers[0])
    let_time_do_its_work(world)
    done = now(world, test)
    assert done.decision is not None
    assert (done.state, done.decision.outcome, done.waits_for_approval) == ("decided", "promote", False)
    with world.parts.store.read() as tx:
        watch = tx.ab_tests.find(kind="hold_back", prompt_key=test.prompt_key)
    assert watch is not None
    assert (watch.champion, watch.challengers) == (live(world).id, (test.champion,))


def held_pair(world: World, rater: Actor, test: ABTest) -> Held:
    turn = world.hold(rater, wanted=8)
    mine = {pair.experiment_id for pair in pairs(world, test)}
    return next(held for held in turn.held if held.lease.experiment_id in mine)


def leave(world: World) -> None:
    """Let every lease run out."""
    world.clock.advance(minutes=LEASE_TIME.total_seconds() / 60 + 1)
    tick(world.parts)
    world.work()


def test_two_raters_who_did_one_half_each_leave_the_pair_to_one_who_does_both(world: World) -> None:
    test = opened(world, design=Design())
    first, second = world.person(), world.person()
    held = held_pair(world, first, test)
    world.rate(first, answer(held.options[0].option_id, 5))
    leave(world)
    turn = training.next_items(world.parts, second, "tab", 20)
    again = next(one for one in turn.held if one.lease.experiment_id == held.lease.experiment_id)
    other = next(one for one in again.options if one.option_id != held.options[0].option_id)
    world.rate(second, answer(other.option_id, 2))
    leave(world)
    verdicts.follow(world.parts, test.id)
    (open_pair,) = [pair for pair in pairs(world, test) if pair.experiment_id == held.lease.experiment_id]
    assert open_pair.state == "open"
    turn = training.next_items(world.parts, second, "tab", 20)
    rest = next(one for one in turn.held if one.lease.experiment_id == held.lease.experiment_id)
    assert [one.option_id for one in rest.options] == [held.options[0].option_id]
    world.rate(second, answer(rest.options[0].option_id, 4))
    leave(world)
    verdicts.follow(world.parts, test.id)
    (closed,) = [pair for pair in pairs(world, test) if pair.experiment_id == held.lease.experiment_id]
    assert (closed.state, closed.raters, abs(closed.difference or 0)) == ("closed", (second.user_id,), 2.0)
