"""Outputs that are made later: begun once, looked at until they are done, by as many workers as a generator takes."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ml_service.errors import InvalidRequest, Unavailable
from ml_service.wire.contract import ParameterSpace
from tests.clock import FixedClock
from tests.pictures import BARE, metadata, picture, saved, segments
from tests.samples.profiles import P3, matrix
from tests.world import SPACE, World, make_world, photo
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.domain.job import CLAIM_TIME, Job
from web.domain.jobs import FETCHES, FETCHING, URGENT, make_job, making_with
from web.domain.studies.experiment import Option
from web.jobs import tasks
from web.jobs.worker import Worker
from web.ports.making import Generated, GenerateRequest, Outcome, Refused, Ticket, Unknown, Waiting
from web.services.rating import uploads
from web.services.studies import intake, previews

SECONDS = 60.0


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=2)


class Slow:
    """A provider that takes its time: it numbers what was begun, and makes it once it is told to."""

    name = "local"

    def __init__(self, at_once: int | None = None, price: int = 0) -> None:
        self.at_once, self.cost = at_once, price
        self.begun: dict[str, Outcome] = {}

    def space(self) -> ParameterSpace:
        return SPACE

    def limits(self) -> Mapping[str, int]:
        return {}

    def price(self, request: GenerateRequest) -> int:
        assert request.seed >= 0
        return self.cost

    def begin(self, request: GenerateRequest) -> Ticket:
        if not request.source:
            raise InvalidRequest("There is no picture.")
        ticket = Ticket(f"job {len(self.begun)}")
        self.begun[ticket.id] = Waiting(timedelta(seconds=30))
        return ticket

    def look(self, ticket: Ticket) -> Outcome:
        return self.begun.get(ticket.id, Unknown())

    def finish(self, outcome: Outcome | None = None) -> None:
        """Let all that was begun be done, each with its own picture, or all of it with one outcome."""
        for number, ticket in enumerate(self.begun):
            self.begun[ticket] = outcome or Generated(photo(number), "image/jpeg", 48, 48, 7)


def plan_one(world: World, generator: Slow) -> tuple[Option, ...]:
    """Plan one experiment, and return its options as they are once what is due was done."""
    world.parts = replace(world.parts, generators={"local": generator})
    tasks.plan(world.parts, world.study.id, depth=1)
    world.work()
    return options(world)


def options(world: World) -> tuple[Option, ...]:
    with world.parts.store.read() as tx:
        return tx.options.all(study_id=world.study.id)


def state(world: World, option: Option) -> str:
    with world.parts.store.read() as tx:
        return tx.experiments.get(option.experiment_id).state


def test_what_waits_is_a_later_job_that_looks_again_and_begins_nothing(world: World) -> None:
    slow = Slow()
    first, second = plan_one(world, slow)
    assert (first.state, second.state, state(world, first)) == ("generating", "generating", "generating")
    with world.parts.store.read() as tx:
        waiting = tx.jobs.all(task="make", state="waiting")
        assert tx.jobs.all(task="make", state="claimed") == ()
    assert {job.due_at for job in waiting} == {world.clock.now() + timedelta(seconds=30)}
    assert {job.arguments["ticket"] for job in waiting} == {"job 0", "job 1"}
    world.clock.advance(seconds=31)
    world.work()
    assert {one.state for one in options(world)} == {"generating"}
    slow.finish()
    world.work()
    assert {one.state for one in options(world)} == {"generating"}, "nobody looks before the time that was given"
    world.clock.advance(seconds=31)
    world.work()
    assert [(one.state, one.cost_micros) for one in options(world)] == [("ready", 7), ("ready", 7)]
    assert state(world, first) == "ready"
    assert len(slow.begun) == 2


def test_what_a_provider_sends_is_cleaned_as_an_upload_is(world: World) -> None:
    slow = Slow()
    plan_one(world, slow)
    words = PngInfo()
    words.add_itxt("workflow", '{"nodes": []}' * 500_000, zip=True)
    sent = saved(picture().convert("P"), "PNG", pnginfo=words, icc_profile=matrix(P3), exif=metadata(6))
    slow.finish(Generated(sent, "image/png", 96, 64, 7))
    world.clock.advance(seconds=31)
    world.work()
    with world.parts.store.read() as tx:
        (output,) = {tx.outputs.get(one.output_id) for one in options(world) if one.output_id}
    kept = world.parts.objects.read(output.object_key)
    assert (output.media_type, output.width, output.height) == ("image/jpeg", 64, 96)
    assert segments(kept) <= BARE
    assert b"Spycam" not in kept
    assert Image.open(BytesIO(kept)).size == (64, 96)


def test_what_a_provider_sends_that_is_no_picture_fails_in_words(world: World) -> None:
    slow = Slow()
    plan_one(world, slow)
    slow.finish(Generated(b"<html>Out of credit</html>", "image/png", 96, 64, cost_micros=7))
    world.clock.advance(seconds=31)
    world.work()
    assert {(one.state, one.cost_micros) for one in options(world)} == {("failed", 7)}
    assert all((one.error or "").startswith("This is a web page") for one in options(world))


class Away(Slow):
    """A provider that is not reached when it is first asked how far it is."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def look(self, ticket: Ticket) -> Outcome:
        self.looks += 1
        if self.looks <= 2:
            raise Unavailable("The provider does not answer.")
        return super().look(ticket)


def test_what_was_begun_is_not_begun_again_where_the_provider_is_away_right_after(world: World) -> None:
    away = Away()
    plan_one(world, away)
    away.finish()
    world.clock.advance(seconds=31)
    world.work()
    assert {one.state for one in options(world)} == {"ready"}
    assert len(away.begun) == 2


def test_what_was_begun_is_not_begun_again_by_whoever_takes_the_job_over(world: World) -> None:
    slow = Slow()
    first, _ = plan_one(world, slow)
    with world.parts.store.begin() as tx:  # the worker was killed before it wrote down that it had noted the ticket
        (job,) = (one for one in tx.jobs.all(task="make", state="done") if one.arguments == {"option": first.id})
        tx.jobs.replace(replace(job, state="claimed", claimed_until=world.clock.now()))
    world.work()
    assert len(slow.begun) == 2
    slow.finish()
    world.clock.advance(seconds=31)
    world.work()
    assert {one.state for one in options(world)} == {"ready"}


def test_what_somebody_waits_for_is_looked_at_first(world: World) -> None:
    world.parts = replace(world.parts, generators={"local": Slow()})
    source = world.add_input(50)
    uploads.upload_to_rate(world.parts, world.person(), "tab", input_id=source.id)
    world.work()
    with world.parts.store.read() as tx:
        waiting = [job for job in tx.jobs.all(task="make", state="waiting") if "ticket" in job.arguments]
        urgent = {one.id for one in tx.options.all(input_id=source.id)}
    assert {job.priority for job in waiting if job.arguments["option"] in urgent} == {URGENT}


@pytest.mark.parametrize(
    ("outcome", "said"), [(Refused("It shows a face."), "It shows a face."), (Unknown(), "local knows nothing of")]
)
def test_what_is_refused_or_lost_fails_with_words(world: World, outcome: Outcome, said: str) -> None:
    slow = Slow()
    first, _ = plan_one(world, slow)
    slow.finish(outcome)
    world.clock.advance(seconds=31)
    world.work()
    assert all(one.state == "failed" and (one.error or "").startswith(said) for one in options(world))
    assert state(world, first) == "void"


def test_what_is_refused_before_it_is_begun_fails_too(world: World) -> None:
    class Strict(Slow):
        def begin(self, request: GenerateRequest) -> Ticket:
            raise InvalidRequest("The prompt is too long.")

    assert {(one.state, one.error) for one in plan_one(world, Strict())} == {("failed", "The prompt is too long.")}


def test_an_input_taken_down_meanwhile_ends_the_looking(world: World) -> None:
    slow = Slow()
    first, _ = plan_one(world, slow)
    intake.take_down(world.parts, world.admin, first.input_id)
    slow.finish()
    world.clock.advance(seconds=31)
    world.work()
    assert state(world, first) == "dropped"
    with world.parts.store.read() as tx:
        left = tx.jobs.all(task="make", state=("waiting", "parked"))
    assert first.id not in {job.arguments["option"] for job in left}
    assert [name for name in world.parts.objects.list() if name.startswith("outputs/")] == []


def test_pictures_to_look_at_are_made_where_they_cost_nothing(world: World) -> None:
    key = world.study.prompt_key
    with world.parts.store.read() as tx:
        (source, _) = tx.inputs.all(study_id=world.study.id)
        assert previews.samples(tx, world.parts, world.admin, key) != ()
    assert previews.picture(world.parts, previews.recipe(world.parts, world.admin, key, "v1.0.0", source.id)).body
    world.parts = replace(world.parts, generators={"local": Slow(price=1)})
    with world.parts.store.read() as tx:
        assert previews.samples(tx, world.parts, world.admin, key) == ()
    with pytest.raises(InvalidRequest, match="costs money"):
        previews.recipe(world.parts, world.admin, key, "v1.0.0", source.id)
    world.parts = replace(world.parts, generators={"local": Slow()})
    with pytest.raises(Unavailable, match="takes its time"):
        previews.picture(world.parts, previews.recipe(world.parts, world.admin, key, "v1.0.0", source.id))


def test_two_workers_make_the_options_of_one_experiment_and_it_is_settled_once(world: World) -> None:
    meeting = threading.Barrier(2, timeout=SECONDS)

    class Meeting(Slow):
        def begin(self, request: GenerateRequest) -> Ticket:
            ticket = super().begin(request)
            meeting.wait()  # passes only if both options are being made at the same time
            return ticket

        def look(self, ticket: Ticket) -> Outcome:
            return Generated(photo(int(ticket.id[4:])), "image/jpeg", 48, 48)

    world.parts = replace(world.parts, generators={"local": Meeting()})
    tasks.plan(world.parts, world.study.id, depth=1)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: Worker(world.parts).step(), range(2))) == [True, True]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: Worker(world.parts).step(), range(2))) == [True, True]
    first, second = options(world)
    assert (first.state, second.state, state(world, first)) == ("ready", "ready", "ready")


def enqueue(world: World, *generators: str) -> list[Job]:
    jobs = [make_job(new_id(), name, world.study.id, world.clock.now()) for name in generators]
    with world.parts.store.begin() as tx:
        tx.jobs.remove(state="waiting")
        tx.of_jobs.add_once(jobs)
    return jobs


def test_no_more_jobs_are_claimed_of_a_resource_than_it_takes_however_many_workers_ask(world: World) -> None:
    limits = {making_with("paid"): 2}
    enqueue(world, *["paid"] * 8, "free")
    barrier = threading.Barrier(6)

    def claim(number: int) -> Job | None:
        barrier.wait(SECONDS)
        found: Job | None = None
        while found is None and is_any_due():
            with world.parts.store.begin() as tx:
                found = tx.of_jobs.claim(f"worker {number}", world.clock.now(), limits)
        return found

    def is_any_due() -> bool:
        with world.parts.store.read() as tx:
            return tx.of_jobs.any_due(world.clock.now(), limits)

    with ThreadPoolExecutor(6) as pool:
        claimed = [job for job in pool.map(claim, range(6)) if job is not None]
    assert sorted(job.resource for job in claimed) == ["generator:free", "generator:paid", "generator:paid"]
    with world.parts.store.begin() as tx:
        assert not tx.of_jobs.any_due(world.clock.now(), limits)
        assert tx.of_jobs.any_due(world.clock.now(), {})
        assert tx.of_jobs.claim("late", world.clock.now(), limits) is None
        done = next(job for job in claimed if job.resource == making_with("paid"))
        assert tx.of_jobs.finish(done, world.clock.now())
        assert tx.of_jobs.any_due(world.clock.now(), limits)
        assert tx.of_jobs.claim("late", world.clock.now(), limits) is not None
        assert tx.of_jobs.claim("late", world.clock.now(), limits) is None


def test_a_lost_worker_holds_no_place(world: World) -> None:
    limits = {making_with("paid"): 1}
    enqueue(world, "paid", "paid")
    with world.parts.store.begin() as tx:
        assert tx.of_jobs.claim("lost", world.clock.now(), limits) is not None
        assert tx.of_jobs.claim("other", world.clock.now(), limits) is None
        later = world.clock.now() + CLAIM_TIME
        assert tx.of_jobs.claim("other", later, limits) is not None
        assert tx.of_jobs.claim("third", later, limits) is None


@pytest.mark.storage
def test_a_generator_may_have_as_long_a_name_as_an_option_keeps(world: World) -> None:
    name = "g" * 64
    enqueue(world, name)
    with world.parts.store.begin() as tx:
        found = tx.of_jobs.claim("worker", world.clock.now(), {})
    assert found is not None
    assert found.resource == making_with(name)


def test_workers_know_the_limits_of_their_generators(world: World) -> None:
    world.parts = replace(world.parts, generators={"local": Slow(at_once=3)})
    fetching = {FETCHING: FETCHES}  # whatever is made
    assert Worker(world.parts).limits == {"generator:local": 3, **fetching}
    world.parts = replace(world.parts, generators={"local": Slow()})
    assert Worker(world.parts).limits == fetching
