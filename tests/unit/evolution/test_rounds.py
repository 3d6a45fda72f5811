"""Rounds of evolution on real databases: asked for once, run to one clear end, and nothing half-released."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import Conflict, Forbidden, InvalidRequest, NotFound
from ml_service.wire.contract import Interval
from tests.clock import FixedClock
from tests.rows import diagnosis
from tests.world import World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.abtests.abtest import Decision, Evidence
from web.domain.access import Actor
from web.domain.evolution.evolution import Round
from web.domain.ids import new_id
from web.domain.studies.study import Learnt
from web.jobs.schedule import tick
from web.services.abtests import abtests
from web.services.evolution import evolution
from web.services.evolution.material import gather
from web.services.prompts import pointers


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=12)


def sample(
    world: World, count: int = 10, score: float = 2, comment: str = "", tags: tuple[str, ...] = ("too_dark",)
) -> Actor:
    """Rate so many experiments whole; nothing is done about it yet."""
    rater = world.person()
    for _ in range(count):
        held = world.hold(rater, wanted=1).held[0]
        world.rate(rater, *(answer(option.option_id, score, tags=tags, comment=comment) for option in held.options))
    return rater


def rounds(world: World) -> tuple[Round, ...]:
    return evolution.rounds(world.parts, world.admin, world.study.prompt_key)


def asked(world: World) -> Round:
    """Ask for a round, have it done, and return it as it ended."""
    made = evolution.evolve(world.parts, world.admin, world.study.id)
    world.work()
    return next(one for one in rounds(world) if one.id == made.id)


def test_ten_samples_lead_to_a_test_of_candidates_by_the_script(world: World) -> None:
    sample(world, 9)
    tick(world.parts)
    world.work()
    assert rounds(world) == ()
    sample(world, 1)
    world.clock.advance(seconds=2)
    tick(world.parts)
    world.work()
    (done,) = rounds(world)
    assert (done.state, done.model, done.error, done.cost_micros, done.asked_by) == (
        "proposed",
        "scripted",
        "",
        0,
        None,
    )
    assert done.samples == 10
    assert "dark" in done.diagnosis
    assert done.finished_at is not None
    with world.parts.store.read() as tx:
        test, live = tx.ab_tests.get(str(done.test_id)), pointers.live_version(tx, world.study.prompt_key)
        made = tx.versions.all(id=test.challengers)
    assert (test.state, test.champion, test.opened_by) == ("running", live.id, None)
    assert test.challengers == tuple(one.version_id for one in done.proposed if one.version_id)
    assert {one.status for one in made} == {"candidate"}
    assert {(one.created_by, one.parents) for one in made} == {("evolution", (live.id,))}
    assert all(one.parameter_defaults == live.parameter_defaults for one in made)
    assert all(one.components != live.components for one in made)
    tick(world.parts)
    world.work()
    assert len(rounds(world)) == 1


def test_twenty_triggers_at_once_make_one_round(world: World) -> None:
    sample(world)
    made, started = [], threading.Barrier(20)

    def ask() -> None:
        started.wait()
        made.append(evolution.trigger(world.parts, world.study.id))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 20
    assert len([one for one in made if one is not None]) == 1
    assert len(rounds(world)) == 1


def test_an_admin_asks_once_by_id_and_not_while_a_round_or_its_test_is_open(world: World) -> None:
    sample(world, 2)
    name = new_id()
    first = evolution.evolve(world.parts, world.admin, world.study.id, name)
    assert (first.id, first.state, first.asked_by) == (name, "waiting", world.admin.user_id)
    assert evolution.evolve(world.parts, world.admin, world.study.id, name) == first
    with pytest.raises(Conflict, match=name):
        evolution.evolve(world.parts, world.admin, world.study.id)
    world.work()
    assert rounds(world)[0].state == "proposed"
    with pytest.raises(Conflict, match="is open"):
        evolution.evolve(world.parts, world.admin)


def test_who_may_not_steer_may_not_ask_and_another_projects_study_is_not_found(world: World) -> None:
    with pytest.raises(Forbidden):
        evolution.evolve(world.parts, world.person(), world.study.id)
    with pytest.raises(NotFound):
        evolution.evolve(world.parts, Actor("x", "x", new_id(), "admin"), world.study.id)
    with pytest.raises(InvalidRequest):
        evolution.evolve(world.parts, world.admin, world.study.id, "no id")


def test_without_ratings_a_round_fails_and_says_so(world: World) -> None:
    done = asked(world)
    assert (done.state, done.test_id, done.proposed) == ("failed", None, ())
    assert "no ratings yet" in done.error
    assert asked(world).state == "failed"


def test_a_round_whose_worker_has_died_is_given_up_after_an_hour(world: World) -> None:
    sample(world)
    made = evolution.trigger(world.parts, world.study.id)
    assert made is not None
    assert evolution._begun(world.parts, made.id) is not None
    world.clock.advance(minutes=61)
    evolution.trigger(world.parts, world.study.id)
    (done,) = rounds(world)
    assert done.state == "failed"
    assert "an hour" in done.error


def learn(world: World, mean: float, low: float) -> None:
    """Let the optimizer have learnt settings of an expected gain."""
    told = diagnosis("anna", 20, 4.5)
    assert told.best is not None
    gain = Interval(mean=mean, low=low, high=mean + 0.3)
    told = told.model_copy(update={"best": told.best.model_copy(update={"gain": gain})})
    with world.parts.store.begin() as tx:
        tx.diagnoses.add(Learnt(new_id(), world.study.id, new_id(), told, world.clock.now()))


def test_better_parameters_get_a_test_of_their_own_and_words_have_the_next_turn(world: World) -> None:
    sample(world, 3)
    learn(world, mean=0.4, low=0.1)
    done = asked(world)
    assert (done.state, done.model, [one.operator for one in done.proposed]) == (
        "proposed",
        "optimizer",
        ["parameters"],
    )
    with world.parts.store.read() as tx:
        test, live = tx.ab_tests.get(str(done.test_id)), pointers.live_version(tx, world.study.prompt_key)
        (made,) = tx.versions.all(id=test.challengers)
    assert (made.created_by, made.components, made.status) == ("optimizer", live.components, "candidate")
    assert made.parameter_defaults == {"local": {"exposure": 0.25}}
    abtests.move_test(world.parts, world.admin, test.id, "stop")
    world.clock.advance(seconds=1)
    later = asked(world)
    assert (later.state, later.model) == ("proposed", "scripted")
    abtests.move_test(world.parts, world.admin, str(later.test_id), "stop")
    world.clock.advance(seconds=1)
    learn(world, mean=0.4, low=0.1)
    assert asked(world).model == "scripted"  # these parameters have been tested


@pytest.mark.parametrize(("mean", "low"), [(0.15, 0.1), (0.6, -0.1)])
def test_parameters_that_are_not_worth_a_test_get_none(world: World, mean: float, low: float) -> None:
    sample(world, 2)
    learn(world, mean, low)
    assert asked(world).model == "scripted"


def test_a_candidate_that_a_test_gave_up_is_no_parent(world: World) -> None:
    sample(world, 3)
    with world.parts.store.read() as tx:
        live = pointers.live_version(tx, world.study.prompt_key)
    done = asked(world)
    with world.parts.store.begin() as tx:
        test = tx.ab_tests.get(str(done.test_id))
        loser = test.challengers[0]
        for option in tx.of_experiments.rated(world.study.id):
            tx.options.replace(replace(option, version=loser))

    def parent() -> str:
        with world.parts.store.read() as tx:
            return gather(tx, world.study, 1, world.parts.scanner).parent.id

    assert parent() == loser
    for high, led in ((2.0, loser), (0.1, live.id)):  # overtaken while it was open, and refuted
        told = tuple(Evidence(name, pairs=40, raters=2, high=high) for name in test.challengers)
        with world.parts.store.begin() as tx:
            now = world.clock.now()
            decided = tx.ab_tests.get(test.id).decided(Decision("no_gain", None, told), now)
            tx.ab_tests.replace(replace(decided, settled_at=now))
        assert parent() == led
