"""A/B tests of versions of which none is live, on real databases: they say which is better, and change nothing."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ml_service.errors import Conflict, InvalidRequest
from tests.clock import FixedClock
from tests.unit.abtests.test_verdicts import QUICK, candidate, judge_pairs, live, now, opened, pairs, rate_pairs
from tests.world import World, make_world
from web.adapters.database.store import SqlStore
from web.domain.abtests.abtest import ABTest
from web.domain.ids import new_id
from web.domain.prompts.prompt import Pointer
from web.jobs.schedule import tick
from web.services.abtests import abtests, verdicts
from web.services.abtests.abtests import Challenge
from web.services.evolution import evolution, evolving
from web.services.evolution.evolving import change_evolving
from web.services.evolution.lives import life
from web.services.prompts import pointers, promotion
from web.services.prompts.versions import load_current


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    """A world in which no round begins by itself, whose test would be the next one."""
    world = make_world(store, clock, tmp_path, inputs=8)
    study = world.study
    change_evolving(world.parts, world.admin, study.id, study.revision, replace(study.evolving, every=None))
    return world


def pointer(world: World) -> Pointer:
    with world.parts.store.read() as tx:
        return pointers.live(tx, world.study.prompt_key)[0]


def comparison(world: World, **more: Any) -> ABTest:
    """Return a test of a candidate against another one."""
    champion, challenger = candidate(world, "cooler"), candidate(world, "brighter")
    challenge = replace(Challenge((challenger.id,), design=QUICK, champion=champion.id), **more)
    return abtests.open_test(world.parts, world.admin, world.study.id, challenge)


def actions(world: World, test: ABTest) -> list[str]:
    with world.parts.store.read() as tx:
        return [event.action for event in tx.events.all(object_type="abtest", object_id=test.id)]


def test_two_versions_that_are_not_live_meet_in_pairs_of_their_own(world: World) -> None:
    test = comparison(world)
    assert (test.kind, test.policy) == ("comparison", "manual")
    world.work()
    planned = pairs(world, test)
    assert planned
    with world.parts.store.read() as tx:
        for pair in planned:
            made = tx.options.all(experiment_id=pair.experiment_id)
            assert {option.version for option in made} == {test.champion, *test.challengers}
            assert live(world).id not in {option.version for option in made}


def test_the_better_of_two_is_told_and_nothing_goes_live_by_it(world: World) -> None:
    test, before = comparison(world), pointer(world)
    assert rate_pairs(world, world.person(), test, better=5, worse=2) > 0
    tick(world.parts)
    world.work()
    done = now(world, test)
    assert done.decision is not None
    assert (done.state, done.decision.outcome, done.decision.winner) == ("decided", "better", test.challengers[0])
    assert not done.waits_for_approval
    assert done.settled_at is not None
    assert pointer(world) == before
    assert load_current(world.parts.published).version == "v1.0.0"
    with world.parts.store.read() as tx:
        assert tx.versions.get(test.challengers[0]).status == "candidate"
        assert tx.ab_tests.find(kind="hold_back") is None
        assert evolving.test_under_way(tx, world.study) is None
    assert actions(world, test) == ["abtest.opened", "abtest.decided"]
    with pytest.raises(Conflict, match="test its winner against what is live"):
        verdicts.approve(world.parts, world.person("admin"), test.id, test.prompt_key)
    with pytest.raises(Conflict, match="no winner that waits"):
        abtests.decline(world.parts, world.admin, test.id)
    assert pointer(world) == before


def test_the_worse_of_two_is_told_too(world: World) -> None:
    test, before = comparison(world), pointer(world)
    judge_pairs(world, test, -4)
    done = now(world, test)
    assert done.decision is not None
    assert (done.state, done.decision.outcome, done.decision.winner) == ("decided", "harm", None)
    assert pointer(world) == before


def test_what_goes_live_meanwhile_ends_no_comparison(world: World) -> None:
    test, other = comparison(world), candidate(world, "sharper")
    promotion.promote(world.parts, world.admin, test.prompt_key, other.id, pointer(world).revision)
    verdicts.follow(world.parts, test.id)
    assert now(world, test).state == "running"
    promotion.promote(world.parts, world.admin, test.prompt_key, test.champion, pointer(world).revision)
    judge_pairs(world, test, 3)
    done = now(world, test)
    assert done.decision is not None
    assert (done.state, done.decision.outcome) == ("decided", "better")
    assert live(world).id == test.champion


def test_the_better_one_challenges_what_is_live_by_the_usual_gate(world: World) -> None:
    first = comparison(world)
    judge_pairs(world, first, 3)
    for seed in range(100, 110):
        world.add_input(seed)
    challenge = Challenge(first.challengers, design=QUICK, policy="auto")
    test = abtests.open_test(world.parts, world.admin, world.study.id, challenge)
    assert (test.kind, test.champion) == ("challenge", live(world).id)
    assert pairs(world, test) == []  # what was seen before proves nothing here
    rate_pairs(world, world.person(), test, better=5, worse=2)
    assert live(world).id == first.challengers[0]


def test_naming_what_is_live_is_a_challenge_as_without_a_name(world: World) -> None:
    challenger = candidate(world, "brighter")
    challenge = Challenge((challenger.id,), policy="auto", champion=live(world).id)
    test = abtests.open_test(world.parts, world.admin, world.study.id, challenge)
    assert (test.kind, test.policy) == ("challenge", "auto")


@pytest.mark.parametrize("first", ["challenge", "comparison"])
def test_one_test_is_open_at_a_time_of_either_kind_and_rounds_wait_for_it(world: World, first: str) -> None:
    test = comparison(world) if first == "comparison" else opened(world)
    with pytest.raises(Conflict, match="is open already"):
        opened(world, "sharper")
    with pytest.raises(Conflict, match="is open already"):
        comparison(world)
    with pytest.raises(Conflict, match="A/B test"):
        evolution.evolve(world.parts, world.admin, world.study.id)
    abtests.move_test(world.parts, world.admin, test.id, "stop")
    assert evolution.evolve(world.parts, world.admin, world.study.id).state == "waiting"


def test_of_a_challenge_and_comparisons_that_are_opened_at_once_one_is(world: World) -> None:
    champion, *others = (candidate(world, f"brighter {number}") for number in range(6))
    told: list[str] = []

    def ask(challenge: Challenge) -> None:
        try:
            told.append(abtests.open_test(world.parts, world.admin, world.study.id, challenge).kind)
        except Conflict:
            told.append("refused")

    asked = [Challenge((one.id,), champion=(champion.id, None)[at % 2]) for at, one in enumerate(others)]
    threads = [threading.Thread(target=ask, args=(challenge,)) for challenge in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told)[1:] == ["refused"] * 4
    with world.parts.store.read() as tx:
        assert len(tx.ab_tests.all()) == 1


def test_the_same_request_opens_one_comparison_and_another_champion_is_another_request(world: World) -> None:
    champion, other, challenger = (candidate(world, phrase) for phrase in ("cooler", "warmer", "brighter"))
    asked = Challenge((challenger.id,), id=new_id(), champion=champion.id)
    first = abtests.open_test(world.parts, world.admin, world.study.id, asked)
    assert abtests.open_test(world.parts, world.admin, world.study.id, asked) == first
    with pytest.raises(Conflict, match="taken by another"):
        abtests.open_test(world.parts, world.admin, world.study.id, replace(asked, champion=other.id))


def test_what_cannot_be_compared_is_refused_with_a_reason(world: World) -> None:
    champion, challenger = candidate(world, "cooler"), candidate(world, "brighter")
    usual = Challenge((challenger.id,), champion=champion.id)
    twin = candidate(world, "brighter")
    for wrong, words in (
        (replace(usual, policy="auto"), "Nothing goes live by a test in which nothing is live"),
        (replace(usual, champion=new_id()), "There is no version"),
        (replace(usual, champion=challenger.id), "says the same as candidate 3"),
        (replace(usual, champion=twin.id), "says the same as candidate 4"),
        (replace(usual, challengers=(live(world).id,)), "let the others challenge that instead"),
        (replace(usual, challengers=()), "Name one to"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            abtests.open_test(world.parts, world.admin, world.study.id, wrong)


def test_what_was_rolled_back_or_withdrawn_is_not_compared_either(world: World) -> None:
    gone, challenger = candidate(world, "cooler"), candidate(world, "brighter")
    promotion.promote(world.parts, world.admin, gone.prompt_key, gone.id, pointer(world).revision)
    promotion.roll_back(world.parts, world.admin, gone.prompt_key, pointer(world).revision)
    challenge = Challenge((challenger.id,), champion=gone.id)
    with pytest.raises(Conflict, match=r"v1\.1\.0 was rolled back"):
        abtests.open_test(world.parts, world.admin, world.study.id, challenge)
    promotion.withdraw(world.parts, world.admin, gone.id)
    with pytest.raises(InvalidRequest, match="There is no version"):
        abtests.open_test(world.parts, world.admin, world.study.id, challenge)


def test_a_comparison_belongs_to_the_life_of_each_of_its_versions(world: World) -> None:
    test = comparison(world)
    for version in (test.champion, *test.challengers):
        (found,) = life(world.parts, world.admin, test.prompt_key, version).tests
        assert found.test.id == test.id
    assert life(world.parts, world.admin, test.prompt_key, live(world).id).tests == ()
