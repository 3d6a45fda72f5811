"""The ready queue on both engines: planned ahead, generated once, taken over when a worker is lost."""

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import Conflict, InvalidRequest, NotFound, StorageFull, Unavailable
from ml_service.wire.contract import (
    DiagnoseRequest,
    Diagnosis,
    FloatParameter,
    Interval,
    ParameterSpace,
    Suggestion,
    SuggestRequest,
    Why,
)
from tests.clock import FixedClock
from tests.rows import diagnosis
from tests.world import SPACE, World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.domain.job import MAX_ATTEMPTS, Job
from web.domain.rating.lease import Asker
from web.domain.studies.study import Learnt
from web.jobs import schedule, tasks
from web.jobs.tasks import TASKS
from web.jobs.worker import Worker
from web.ports.parts import Parts
from web.rows.transaction import Store, Transaction
from web.services.learning import learn, planning, requests
from web.services.making import generation
from web.services.operations import jobs
from web.services.rating import training, uploads
from web.services.studies import intake
from web.services.studies.studies import StudyDraft, change_study, clone_study, move_study


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


def test_two_jobs_of_one_key_are_never_done_at_the_same_time(world: World) -> None:
    enqueue(world, job())
    with world.parts.store.begin() as tx:
        first = tx.of_jobs.claim("one", world.clock.now(), {})
    enqueue(world, job())
    with world.parts.store.begin() as tx:
        second = tx.of_jobs.claim("two", world.clock.now(), {})
    assert first is not None
    assert second is None or second.key != "k"


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


def test_an_upload_is_made_for_its_uploader_alone_and_watched_until_ready(world: World) -> None:
    rater, other = world.person(), world.person()
    with world.parts.store.read() as tx:
        source = tx.inputs.all(study_id=world.study.id)[0]
    made = uploads.upload_to_rate(world.parts, rater, "tab", input_id=source.id)
    assert (made.state, made.done, made.of) == ("planned", 0, 2)
    world.work()
    ready = uploads.watch_upload(world.parts, rater, made.experiment_id)
    assert (ready.state, len(ready.shown)) == ("ready", 2)
    assert made.experiment_id not in [h.lease.experiment_id for h in world.hold(other, 20).held]
    with pytest.raises(NotFound):
        uploads.watch_upload(world.parts, other, made.experiment_id)
    verdicts = world.rate(rater, *(answer(option.option_id) for option in ready.shown))
    assert verdicts == ["stored", "stored"]


def test_an_upload_that_was_left_goes_to_the_others(world: World) -> None:
    rater, other = world.person(), world.person()
    with world.parts.store.read() as tx:
        source = tx.inputs.all(study_id=world.study.id)[0]
    made = uploads.upload_to_rate(world.parts, rater, "tab", input_id=source.id)
    world.work()
    world.clock.advance(minutes=11)
    schedule.tick(world.parts)
    assert made.experiment_id in [h.lease.experiment_id for h in world.hold(other, 20).held]


def test_an_input_taken_down_takes_all_it_led_to_along(world: World) -> None:
    rater = world.person()
    held = world.hold(rater).held[0]
    world.rate(rater, *(answer(option.option_id) for option in held.options))
    input_id = held.options[0].input_id
    with world.parts.store.read() as tx:
        before = len(requests.observations(tx, world.study))
        outputs = [tx.outputs.get(o.output_id or "") for o in tx.options.all(input_id=input_id)]
    intake.take_down(world.parts, world.admin, input_id)
    intake.take_down(world.parts, world.admin, input_id)
    with world.parts.store.read() as tx:
        assert len(requests.observations(tx, world.study)) == before - 2
        source = tx.inputs.get(input_id)
    for key in (source.object_key, intake.view_key(source), *(output.object_key for output in outputs)):
        with pytest.raises(NotFound):
            world.parts.objects.read(key)
    assert input_id not in [h.options[0].input_id for h in world.hold(rater, 20).held]


def test_old_ratings_count_after_a_range_changed_and_a_parameter_was_added(world: World) -> None:
    rater = world.person()
    held = world.hold(rater).held
    world.rate(rater, *(answer(option.option_id) for item in held for option in item.options))
    wider = ParameterSpace(
        parameters={
            **SPACE.parameters,
            "exposure": FloatParameter(low=-2, high=2, default=0),
            "saturation": FloatParameter(low=0.5, high=1.5, default=1),
        }
    )
    draft = StudyDraft("Photos", {"local": wider})
    with world.parts.store.read() as tx:
        revision = tx.studies.get(world.study.id).revision
    changed = change_study(world.parts, world.admin, world.study.id, revision, draft)
    assert learn.learn(world.parts, changed.id).diagnosis.ratings_used == 8
    with pytest.raises(Conflict):
        change_study(world.parts, world.admin, world.study.id, revision, draft)
    world.hold(rater, 10)
    with world.parts.store.read() as tx:
        fresh = [o for o in tx.options.all(study_id=world.study.id) if "saturation" in o.point]
    assert fresh


def test_a_clone_has_the_inputs_and_none_of_the_ratings(world: World) -> None:
    rater = world.person()
    world.rate(rater, answer(world.hold(rater).held[0].options[0].option_id))
    twin = clone_study(world.parts, world.admin, world.study.id, "Again")
    with world.parts.store.read() as tx:
        assert len(tx.inputs.all(study_id=twin.id)) == 6
        assert tx.of_ratings.count(twin.id) == 0
        assert tx.of_ratings.count(world.study.id) == 1


def test_a_range_beyond_the_generators_own_is_refused(world: World) -> None:
    beyond = ParameterSpace(parameters={"exposure": FloatParameter(low=-90, high=90, default=0)})
    with pytest.raises(InvalidRequest, match="exposure"):
        change_study(world.parts, world.admin, world.study.id, 0, StudyDraft("Photos", {"local": beyond}))


def test_a_second_tab_cannot_take_an_upload_of_another_study(world: World) -> None:
    with pytest.raises(NotFound):
        uploads.upload_to_rate(world.parts, world.person(), "tab", input_id=new_id())
    with pytest.raises(InvalidRequest):
        uploads.upload_to_rate(world.parts, world.person(), "tab")
    assert training.next_items(world.parts, world.person(), "tab", 1).study == world.study


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
