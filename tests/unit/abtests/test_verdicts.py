"""A/B tests on real databases: pairs are blind, equal and closed once; what they decide is done once, by who may."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ml_service.errors import Conflict, Forbidden, InvalidRequest, NotFound
from tests.clock import FixedClock
from tests.world import UNLEARNING, World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.abtests.abtest import ABTest, Design, Pair
from web.domain.access import Actor
from web.domain.audit.audit import Event
from web.domain.ids import new_id
from web.domain.prompts.prompt import PromptVersion
from web.domain.rating.rating import Exclusion, Rating
from web.jobs import tasks
from web.services.abtests import abtests, verdicts
from web.services.abtests.abtests import Challenge
from web.services.audit.chain import check_chain, check_rows
from web.services.operations import erasure
from web.services.prompts import pointers, promotion
from web.services.prompts.versions import load_current
from web.services.rating import training
from web.services.studies.studies import StudyDraft, change_study

QUICK = Design(least_pairs=2, most_pairs=6, threshold=10, least_raters=1)


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=8)


def live(world: World) -> PromptVersion:
    with world.parts.store.read() as tx:
        return pointers.live_version(tx, world.study.prompt_key)


def candidate(world: World, phrase: str) -> PromptVersion:
    """Return a version that asks for something else than what is live."""
    parent = live(world)
    with world.parts.store.begin() as tx:
        number = tx.of_prompts.lines(parent.prompt_key)[-1].number + 1
        components = {"local": parent.components["local"] | {"prompt": f"Enhance this photo: {phrase}."}}
        made = replace(
            parent,
            id=new_id(),
            number=number,
            name=None,
            status="candidate",
            components=components,
            parents=(parent.id,),
            sha256="",
            revision=0,
        )
        return tx.versions.add(made)


def opened(world: World, *phrases: str, **more: Any) -> ABTest:
    asked = tuple(candidate(world, phrase).id for phrase in phrases or ("brighter",))
    challenge = replace(Challenge(asked, design=QUICK, policy="auto"), **more)
    return abtests.open_test(world.parts, world.admin, world.study.id, challenge)


def now(world: World, test: ABTest) -> ABTest:
    with world.parts.store.read() as tx:
        return tx.ab_tests.get(test.id)


def pairs(world: World, test: ABTest, state: str | None = None) -> Sequence[Pair]:
    with world.parts.store.read() as tx:
        return [pair for pair in tx.ab_pairs.all(test_id=test.id) if state in (None, pair.state)]


def rate_pairs(world: World, rater: Actor, test: ABTest, better: int, worse: int, most: int = 50) -> int:
    """Rate what comes, the challenger's option with the one score and the champion's with the other."""
    done = 0
    for _ in range(most):
        turn = world.hold(rater, wanted=4, tasks=UNLEARNING)
        options = [option for held in turn.held for option in held.options]
        if not options:
            return done
        with world.parts.store.read() as tx:
            rows = {row.id: row for row in tx.options.all(id=tuple(option.option_id for option in options))}
            ours = {pair.experiment_id: pair.challenger for pair in tx.ab_pairs.all(test_id=test.id)}
        for row in rows.values():
            score = 3 if row.experiment_id not in ours else better if row.version == ours[row.experiment_id] else worse
            world.rate(rater, answer(row.id, score))
            done += row.experiment_id in ours
        if now(world, test).state != "running":
            return done
        world.clock.advance(minutes=11)
        verdicts.follow(world.parts, test.id)
    return done


def judge_pairs(world: World, test: ABTest, difference: float) -> None:
    """Close pairs as if raters had judged all of them with the same difference, until the test is decided."""
    while now(world, test).state == "running":
        tasks.plan(world.parts, world.study.id)
        at, closed = world.clock.now(), len(pairs(world, test, "closed"))
        with world.parts.store.begin() as tx:
            planned = tx.ab_pairs.all(test_id=test.id, state="open")
            for number, pair in enumerate(planned, closed + 1):
                verdict = {"number": number, "difference": difference, "given": {world.admin.user_id: difference}}
                tx.ab_pairs.replace(replace(pair, state="closed", closed_at=at, **verdict))  # type: ignore[arg-type]
            tx.of_experiments.move([pair.experiment_id for pair in planned], "closed", at)
        verdicts.follow(world.parts, test.id)


def test_what_a_model_says_closes_no_pair_and_is_in_none(world: World) -> None:
    test = opened(world)
    world.work()
    rater = world.person()
    held = next(one for one in world.hold(rater, wanted=4).held if len(one.options) == 2 and _is_pair(world, test, one))
    with world.parts.store.begin() as tx:
        options = tx.options.all(id=tuple(option.option_id for option in held.options))
        for option, score in zip(options, (1, 5), strict=True):
            said = Rating.of(answer(option.id, score), option, "a model", world.clock.now(), late=False)
            tx.ratings.add(replace(said, judge_kind="model"))
    world.clock.advance(minutes=1)
    verdicts.follow(world.parts, test.id)
    assert pairs(world, test, "closed") == []
    assert world.rate(rater, *(answer(option.id, 4) for option in options)) == ["stored", "stored"]
    world.clock.advance(minutes=11)
    verdicts.follow(world.parts, test.id)
    (closed,) = [pair for pair in pairs(world, test, "closed") if pair.experiment_id == options[0].experiment_id]
    assert (closed.raters, closed.difference) == ((rater.user_id,), 0.0)


def _is_pair(world: World, test: ABTest, held: training.Held) -> bool:
    return held.lease.experiment_id in {pair.experiment_id for pair in pairs(world, test, "open")}


def test_a_pair_is_the_same_photo_and_seed_and_differs_in_the_version_alone(world: World) -> None:
    test = opened(world)
    world.work()
    with world.parts.store.read() as tx:
        planned = tx.ab_pairs.all(test_id=test.id)
        for pair in planned:
            first, second = tx.options.all(experiment_id=pair.experiment_id)
            assert (first.input_id, first.generator, first.seed, first.point) == (
                second.input_id,
                second.generator,
                second.seed,
                second.point,
            )
            assert {first.version, second.version} == {test.champion, test.challengers[0]}
            assert first.output_id != second.output_id
            assert tx.experiments.get(pair.experiment_id).state == "ready"
    assert len({pair.input_id for pair in planned}) == len(planned) >= 2


def test_raters_hold_both_options_of_a_pair_and_are_told_nothing_of_the_test(world: World) -> None:
    test = opened(world)
    turn = world.hold(world.person(), wanted=6)
    mine = {pair.experiment_id for pair in pairs(world, test)}
    blind = [held for held in turn.held if held.lease.experiment_id in mine]
    assert blind
    assert all(len(held.options) == 2 for held in blind)
    known = {test.champion, *test.challengers, test.id}
    assert not known & {str(value) for held in blind for option in held.options for value in vars(option).values()}


def test_a_winner_goes_live_by_itself_and_the_version_before_challenges_it(world: World) -> None:
    test = opened(world)
    before = live(world)
    assert rate_pairs(world, world.person(), test, better=5, worse=2) > 0
    done = now(world, test)
    assert done.state == "decided"
    assert done.decision is not None
    assert (done.decision.outcome, done.decision.winner) == ("promote", test.challengers[0])
    assert done.settled_at is not None
    assert live(world).id == test.challengers[0]
    assert load_current(world.parts.published).version == live(world).name == "v1.1.0"
    assert promotion.history(world.parts, world.admin, test.prompt_key)[0].actor == "Palate"
    with world.parts.store.read() as tx:
        watch = tx.ab_tests.find(kind="hold_back", prompt_key=test.prompt_key)
    assert watch is not None
    assert (watch.state, watch.champion, watch.challengers) == ("running", live(world).id, (before.id,))


def test_what_harms_after_all_is_rolled_back_and_never_tested_again_as_it_is(world: World) -> None:
    test = opened(world)
    before, rater = live(world), world.person()
    judge_pairs(world, test, 3)
    with world.parts.store.read() as tx:
        watch = tx.ab_tests.find(kind="hold_back", prompt_key=test.prompt_key)
    assert watch is not None
    for seed in range(100, 112):
        world.add_input(seed)
    rate_pairs(world, rater, watch, better=5, worse=1)
    assert live(world).id == before.id
    assert load_current(world.parts.published).version == before.name
    told = promotion.history(world.parts, world.admin, test.prompt_key)[0]
    assert (told.action, told.actor) == (promotion.ROLLED_BACK, "Palate")
    with pytest.raises(Conflict, match="was rolled back"):
        abtests.open_test(world.parts, world.admin, world.study.id, Challenge(test.challengers))


def test_a_challenger_that_is_worse_stays_out(world: World) -> None:
    test, before = opened(world), live(world)
    rate_pairs(world, world.person(), test, better=1, worse=4)
    done = now(world, test)
    assert done.decision is not None
    assert (done.state, done.decision.winner) == ("decided", None)
    assert done.decision.outcome in ("harm", "no_gain")
    assert live(world).id == before.id
    assert all(pair.state != "open" or pair.number is None for pair in pairs(world, test))


def test_a_pair_is_closed_once_its_ratings_cannot_be_undone_and_then_never_changes(world: World) -> None:
    test, rater = opened(world, design=Design()), world.person()
    turn = world.hold(rater, wanted=8)
    mine = {pair.experiment_id for pair in pairs(world, test)}
    held = next(held for held in turn.held if held.lease.experiment_id in mine)
    given = [answer(option.option_id, 4) for option in held.options]
    world.rate(rater, *given)
    verdicts.follow(world.parts, test.id)
    assert pairs(world, test, "closed") == []
    world.clock.advance(minutes=10)
    verdicts.follow(world.parts, test.id)
    (closed,) = pairs(world, test, "closed")
    assert (closed.number, closed.difference, closed.raters) == (1, 0.0, (rater.user_id,))
    training.undo(world.parts, rater, given[0].id)
    verdicts.follow(world.parts, test.id)
    assert pairs(world, test, "closed") == [closed]
    with world.parts.store.read() as tx:
        assert tx.experiments.get(closed.experiment_id).state == "closed"


def test_undone_in_time_a_pair_waits_for_its_rating_again(world: World) -> None:
    test, rater = opened(world, design=Design()), world.person()
    turn = world.hold(rater, wanted=8)
    mine = {pair.experiment_id for pair in pairs(world, test)}
    held = next(held for held in turn.held if held.lease.experiment_id in mine)
    given = [answer(option.option_id, 4) for option in held.options]
    world.rate(rater, *given)
    training.undo(world.parts, rater, given[0].id)
    world.clock.advance(minutes=10)
    verdicts.follow(world.parts, test.id)
    assert pairs(world, test, "closed") == []


def test_who_is_excluded_before_a_pair_is_closed_does_not_count_in_either_arm(world: World) -> None:
    test, rater = opened(world, design=Design()), world.person()
    turn = world.hold(rater, wanted=8)
    mine = {pair.experiment_id for pair in pairs(world, test)}
    rated = [held for held in turn.held if held.lease.experiment_id in mine]
    for held in rated:
        world.rate(rater, *(answer(option.option_id, 5) for option in held.options))
    with world.parts.store.begin() as tx:
        since = world.clock.now() - timedelta(hours=1)
        tx.exclusions.add(Exclusion(new_id(), world.study.id, rater.user_id, since, "clicks", since))
    world.clock.advance(minutes=10)
    verdicts.follow(world.parts, test.id)
    assert len(pairs(world, test, "dropped")) == len(rated)
    assert pairs(world, test, "closed") == []


def test_a_spoilt_option_closes_its_pair_as_a_failure_of_that_arm(world: World) -> None:
    test, rater = opened(world, design=Design()), world.person()
    turn = world.hold(rater, wanted=8)
    ours = {pair.experiment_id: pair.challenger for pair in pairs(world, test)}
    held = next(held for held in turn.held if held.lease.experiment_id in ours)
    with world.parts.store.read() as tx:
        version = {option.option_id: tx.options.get(option.option_id).version for option in held.options}
    for option in held.options:
        spoilt = version[option.option_id] == test.challengers[0]
        more: dict[str, Any] = {"skip": "broken"} if spoilt else {}
        world.rate(rater, answer(option.option_id, None if spoilt else 4, **more))
    world.clock.advance(minutes=10)
    verdicts.follow(world.parts, test.id)
    (failed,) = pairs(world, test, "failed")
    assert (failed.failed, failed.difference) == (1, None)


def test_twenty_admins_at_once_open_one_test(world: World) -> None:
    versions = [candidate(world, f"brighter {number}") for number in range(8)]
    told: list[str] = []

    def ask(version: PromptVersion) -> None:
        try:
            abtests.open_test(world.parts, world.admin, world.study.id, Challenge((version.id,)))
            told.append("opened")
        except Conflict:
            told.append("refused")

    threads = [threading.Thread(target=ask, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["opened"] + ["refused"] * 7


def test_the_same_request_opens_one_test(world: World) -> None:
    version, name = candidate(world, "warmer"), new_id()
    first = abtests.open_test(world.parts, world.admin, world.study.id, Challenge((version.id,), id=name))
    assert abtests.open_test(world.parts, world.admin, world.study.id, Challenge((version.id,), id=name)) == first


def test_whoever_opened_a_test_does_not_approve_it_under_four_eyes(world: World) -> None:
    other = world.person("admin")
    test = opened(world, policy="approve")
    judge_pairs(world, test, 3)
    waiting = now(world, test)
    assert waiting.waits_for_approval
    assert live(world).id == test.champion
    with pytest.raises(InvalidRequest, match="to confirm"):
        verdicts.approve(world.parts, other, test.id, "yes")
    with pytest.raises(Forbidden, match="Another admin"):
        verdicts.approve(world.parts, world.admin, test.id, test.prompt_key)
    done = verdicts.approve(world.parts, other, test.id, test.prompt_key)
    assert done.settled_by == other.user_id
    assert promotion.history(world.parts, other, test.prompt_key)[0].actor == other.email
    assert live(world).id == test.challengers[0]
    assert verdicts.approve(world.parts, other, test.id, test.prompt_key) == done


def test_a_winner_that_is_declined_does_not_go_live(world: World) -> None:
    test = opened(world, policy="manual")
    judge_pairs(world, test, 3)
    abtests.decline(world.parts, world.admin, test.id, "not now")
    verdicts.follow(world.parts, test.id)
    assert live(world).id == test.champion
    with pytest.raises(Conflict):
        verdicts.approve(world.parts, world.admin, test.id, test.prompt_key)


def test_a_pair_of_two_raters_keeps_what_each_of_them_gave(world: World) -> None:
    draft = StudyDraft("Photos", world.study.spaces, raters_wanted=2)
    change_study(world.parts, world.admin, world.study.id, 0, draft)
    test = opened(world, design=Design(raters=2))
    both = world.person(), world.person()
    scores = dict(zip((rater.user_id for rater in both), ((5, 2), (3, 4)), strict=True))
    for rater in both:
        turn = world.hold(rater, wanted=8)
        mine = {pair.experiment_id: pair.challenger for pair in pairs(world, test)}
        for held in turn.held:
            with world.parts.store.read() as tx:
                options = tx.options.all(id=tuple(option.option_id for option in held.options))
            better, worse = scores[rater.user_id]
            challenger = mine.get(held.lease.experiment_id)
            world.rate(rater, *(answer(one.id, better if one.version == challenger else worse) for one in options))
    world.clock.advance(minutes=11)
    verdicts.follow(world.parts, test.id)
    closed = pairs(world, test, "closed")
    assert closed
    for pair in closed:
        assert pair.given == {both[0].user_id: 3.0, both[1].user_id: -1.0}
        assert (pair.difference, set(pair.raters)) == (1.0, {rater.user_id for rater in both})


def test_a_test_ends_when_something_else_goes_live(world: World) -> None:
    test = opened(world)
    other = candidate(world, "cooler")
    with world.parts.store.read() as tx:
        pointer = pointers.find(tx, test.prompt_key)
    assert pointer is not None
    promotion.promote(world.parts, world.admin, test.prompt_key, other.id, pointer.revision)
    verdicts.follow(world.parts, test.id)
    done = now(world, test)
    assert (done.state, done.decision and done.decision.outcome) == ("stopped", "outdated")


def test_how_many_raters_a_pair_has_stays_as_the_test_fixed_it(world: World) -> None:
    opened(world)
    draft = StudyDraft("Photos", world.study.spaces, raters_wanted=2)
    with pytest.raises(Conflict, match="A/B test fixed"):
        change_study(world.parts, world.admin, world.study.id, 0, draft)
    assert change_study(world.parts, world.admin, world.study.id, 0, replace(draft, raters_wanted=1)).name == "Photos"


def test_what_became_of_a_test_is_on_record_and_its_row_is_held_against_that(world: World) -> None:
    test = opened(world)
    judge_pairs(world, test, 3)
    last: dict[tuple[str, str], Event] = {}
    assert check_chain(world.parts, world.admin.project_id, last=last).faults == ()
    assert {event.action for event in last.values()} >= {"abtest.settled", "abtest.watched"}
    assert check_rows(world.parts, world.admin.project_id, last)[1] == ()
    with world.parts.store.begin() as tx:
        tx.ab_tests.replace(replace(tx.ab_tests.get(test.id), policy="manual"))
    assert len(check_rows(world.parts, world.admin.project_id, last)[1]) == 1


def test_an_erased_person_leaves_no_word_in_a_test(world: World) -> None:
    test = opened(world, hypothesis="planted words")
    other = world.person("admin")
    erasure.erase_person(world.parts, other, world.admin.user_id, world.admin.email)
    assert now(world, test).hypothesis == ""
    last: dict[tuple[str, str], Event] = {}
    check_chain(world.parts, world.admin.project_id, last=last)
    assert check_rows(world.parts, world.admin.project_id, last)[1] == ()


def test_the_default_policy_asks_for_a_second_admin_as_soon_as_there_is_one(world: World) -> None:
    with world.parts.store.read() as tx:
        assert abtests.policy_of(tx, world.study) == "auto"
    world.person("admin")
    with world.parts.store.read() as tx:
        assert abtests.policy_of(tx, world.study) == "approve"


def test_what_is_live_and_what_there_is_not_cannot_be_tested(world: World) -> None:
    for wrong in ((), (live(world).id,), (new_id(),), (candidate(world, "a").id,) * 2):
        with pytest.raises(InvalidRequest):
            abtests.open_test(world.parts, world.admin, world.study.id, Challenge(wrong))


def test_a_rater_sees_and_steers_no_test(world: World) -> None:
    test, rater = opened(world), world.person()
    with pytest.raises(Forbidden):
        abtests.one_test(world.parts, rater, test.id)
    with pytest.raises(Forbidden):
        abtests.move_test(world.parts, rater, test.id, "stop")
    with pytest.raises(NotFound):
        abtests.one_test(world.parts, world.admin, new_id())


def test_a_paused_test_plans_no_pairs_and_a_stopped_one_drops_what_nobody_holds(world: World) -> None:
    test = opened(world)
    abtests.move_test(world.parts, world.admin, test.id, "pause")
    world.work()
    assert pairs(world, test) == []
    abtests.move_test(world.parts, world.admin, test.id, "resume")
    world.work()
    assert pairs(world, test, "open")
    abtests.move_test(world.parts, world.admin, test.id, "stop")
    tasks.plan(world.parts, world.study.id)
    verdicts.follow(world.parts, test.id)
    assert not pairs(world, test, "open")
