"""The ready queue: planned ahead, generated once, learnt from once for each history."""

from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import Unavailable
from ml_service.wire.contract import (
    DiagnoseRequest,
    Diagnosis,
    Interval,
    Suggestion,
    SuggestRequest,
    Why,
)
from tests.clock import FixedClock
from tests.rows import diagnosis
from tests.world import SPACE, World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.domain.job import MAX_ATTEMPTS
from web.domain.rating.lease import Asker
from web.domain.studies.study import Learnt
from web.jobs import schedule, tasks
from web.ports.parts import Parts
from web.services.learning import learn, planning, requests
from web.services.making import generation
from web.services.rating import training
from web.services.studies.studies import move_study


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path)


def states(world: World) -> dict[str, int]:
    with world.parts.store.read() as tx:
        rows = tx.experiments.all(study_id=world.study.id)
    return {state: sum(row.state == state for row in rows) for state in {row.state for row in rows}}


def test_a_new_study_has_four_experiments_waiting(world: World) -> None:
    schedule.tick(world.parts)
    world.work()
    assert states(world) == {"ready": 4}


def test_the_queue_grows_by_two_for_each_active_rater(world: World) -> None:
    one, two = world.person(), world.person()
    world.hold(one, 1)
    world.hold(two, 1)
    schedule.tick(world.parts)
    world.work()
    with world.parts.store.read() as tx:
        assert tx.of_turns.count_open(Asker(world.study.id, one.user_id, 1, world.clock.now())) == 8


def test_the_default_is_the_first_option_and_every_option_names_its_version(world: World) -> None:
    schedule.tick(world.parts)
    world.work()
    with world.parts.store.read() as tx:
        options = tx.options.all(study_id=world.study.id)
        version = tx.versions.get(options[0].version)
    assert SPACE.default() in [option.point for option in options]
    assert {option.version for option in options} == {version.id}
    assert version.name == "v1.0.0"
    assert all(not SPACE.faults(option.point) for option in options)


def test_generating_twice_changes_nothing(world: World) -> None:
    schedule.tick(world.parts)
    world.work()
    with world.parts.store.read() as tx:
        before = tx.options.all(study_id=world.study.id)
    generation.make(world.parts, before[0].id)
    with world.parts.store.read() as tx:
        assert tx.options.all(study_id=world.study.id) == before


def test_equal_outputs_are_one_object_named_by_its_content(world: World) -> None:
    schedule.tick(world.parts)
    world.work()
    with world.parts.store.read() as tx:
        outputs = tx.outputs.all()
    assert all(world.parts.objects.read(output.object_key)[:2] == b"\xff\xd8" for output in outputs)


def test_inputs_take_turns(world: World) -> None:
    tasks.plan(world.parts, world.study.id, depth=12)
    with world.parts.store.read() as tx:
        used = [e.input_id for e in tx.experiments.all(study_id=world.study.id)]
    assert sorted(used.count(source) for source in set(used)) == [2] * 6


def test_a_paused_study_plans_nothing(world: World) -> None:
    move_study(world.parts, world.admin, world.study.id, "paused")
    tasks.plan(world.parts, world.study.id)
    assert states(world) == {}


def test_what_a_newer_belief_would_not_choose_is_dropped_unless_somebody_has_held_it(world: World) -> None:
    held = {one.lease.experiment_id for one in world.hold(world.person(), 1).held}
    with world.parts.store.begin() as tx:
        ready = tx.experiments.all(study_id=world.study.id, state="ready")
        outdone, hopeful, weak = [one.id for one in ready if one.id not in held][:3]
        bounds = {**dict.fromkeys((outdone, *held), (3.9, 3.9)), hopeful: (3.9, 4.1), weak: (3.1, 3.1)}
        for option in tx.options.all(experiment_id=tuple(bounds)):
            expected = Interval(mean=3, low=2, high=bounds[option.experiment_id][option.position])
            evidence = Why(best=3.5, chance=0.5, rated=0, differs=())
            tx.options.replace(replace(option, expected=expected, evidence=evidence))
        tx.diagnoses.add(Learnt(new_id(), world.study.id, "h", diagnosis("anna", 4, mean=4.0), world.clock.now()))
    tasks.plan(world.parts, world.study.id)
    with world.parts.store.read() as tx:
        dropped = {one.id for one in tx.experiments.all(study_id=world.study.id, state="dropped")}
        assert tx.of_turns.count_open(Asker(world.study.id, new_id(), 1, world.clock.now())) >= planning.READY_AHEAD
    assert dropped == {outdone}


def test_learning_is_done_once_for_each_history(world: World) -> None:
    rater = world.person()
    held = world.hold(rater).held
    world.rate(rater, *(answer(option.option_id) for item in held for option in item.options))
    first = learn.learn(world.parts, world.study.id)
    assert learn.learn(world.parts, world.study.id) == first
    assert first.diagnosis.ratings_used == 8
    world.rate(rater, answer(world.hold(rater).held[0].options[0].option_id))
    assert learn.learn(world.parts, world.study.id).diagnosis.ratings_used == 9
    more = answer(world.hold(rater).held[0].options[0].option_id)
    world.rate(rater, more)
    world.clock.advance(minutes=1)
    assert learn.learn(world.parts, world.study.id).diagnosis.ratings_used == 10
    training.undo(world.parts, rater, more.id)
    world.clock.advance(minutes=1)
    again = learn.learn(world.parts, world.study.id)
    with world.parts.store.read() as tx:
        assert tx.of_studies.newest_diagnosis(world.study.id) == again
    assert again.diagnosis.ratings_used == 9


def test_the_same_history_gives_the_same_suggestion_after_a_restart(world: World) -> None:
    rater = world.person()
    for _ in range(2):
        held = world.hold(rater).held
        world.rate(rater, *(answer(option.option_id) for item in held for option in item.options))
    with world.parts.store.read() as tx:
        source = tx.of_experiments.next_inputs(world.study.id, 1)
        request = requests.suggest_request(tx, world.study, 2, source)
    assert world.parts.optimizer.suggest(request) == world.parts.optimizer.suggest(
        SuggestRequest.model_validate_json(request.model_dump_json())
    )


class Away:
    """An ML service that does not answer."""

    def suggest(self, request: SuggestRequest) -> Suggestion:
        raise Unavailable("The ML service does not answer.")

    def diagnose(self, request: DiagnoseRequest) -> Diagnosis:
        raise Unavailable("The ML service does not answer.")


def test_ratings_are_stored_while_the_ml_service_is_away_and_the_queue_catches_up(world: World) -> None:
    rater = world.person()
    held = world.hold(rater).held
    here = world.parts
    world.parts = Parts(**{**here.__dict__, "optimizer": Away()})
    assert world.rate(rater, answer(held[0].options[0].option_id)) == ["stored"]
    for _ in range(MAX_ATTEMPTS + 2):
        schedule.tick(world.parts)
        world.work()
        world.clock.advance(minutes=1)
    with here.store.read() as tx:
        assert tx.of_jobs.parked() == ()
    world.parts = here
    schedule.tick(world.parts)
    world.work()
    assert len(world.hold(rater, 6).held) == 6
