"""What is taken down goes whole, and what is there has its objects, however many upload and take down at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from ml_service.errors import NotFound
from ml_service.objects.local import Folder
from ml_service.wire.contract import ParameterSpace
from tests.clock import FixedClock
from tests.world import SPACE, World, answer, make_world, photo
from web.adapters.database.store import SqlStore
from web.adapters.generators.atonce import AtOnce
from web.domain.studies.experiment import Option
from web.domain.studies.study import Input
from web.jobs import tasks
from web.ports.making import CleanImage, Generated, GenerateRequest
from web.services.rating import uploads
from web.services.studies import intake, objects
from web.services.studies.studies import clone_study

pytestmark = pytest.mark.storage

ROUNDS = 60
SECONDS = 120.0


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=2)


class Constant:
    """A generator that makes the same image of everything, so that all options share one output."""

    name = "local"

    def space(self) -> ParameterSpace:
        return SPACE

    def limits(self) -> dict[str, int]:
        return {}

    def generate(self, request: GenerateRequest) -> Generated:
        return Generated(photo(99), "image/jpeg", 48, 48)


def at_once(*work: Callable[[], object]) -> None:
    """Do several things at the same time, and raise what any of them raises."""
    barrier = threading.Barrier(len(work))

    def begin(task: Callable[[], object]) -> None:
        barrier.wait()
        task()

    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(begin, task) for task in work]:
            done.result(SECONDS)


def present(world: World) -> tuple[Input, ...]:
    with world.parts.store.read() as tx:
        return tx.inputs.all(removed_at=None)


def lost(world: World) -> list[str]:
    """Name the objects that present inputs and their options need and that are not there."""
    inputs = present(world)
    with world.parts.store.read() as tx:
        options = [option for source in inputs for option in tx.options.all(input_id=source.id, state="ready")]
        outputs = tx.outputs.all(id=tuple({option.output_id for option in options}))
    assert all(output.removed_at is None for output in outputs)
    keys = [key for source in inputs for key in (source.object_key, intake.view_key(source))]
    return sorted({*keys, *(output.object_key for output in outputs)} - set(world.parts.objects.list()))


def take_all_down(world: World) -> None:
    for source in present(world):
        intake.take_down(world.parts, world.admin, source.id)


def test_an_acknowledged_input_always_has_its_objects(world: World) -> None:
    over, faults = threading.Event(), list[str]()

    def upload() -> None:
        for _ in range(ROUNDS):
            intake.add_input(world.parts, world.admin, world.study.id, "photo", photo(7))

    def add_clean() -> None:
        for _ in range(ROUNDS * 2):
            world.add_input(7)

    def take_down() -> None:
        while not over.is_set():
            take_all_down(world)

    def watch() -> None:
        while not over.is_set():
            for source in present(world):
                try:
                    world.parts.objects.read(source.object_key)
                    world.parts.objects.read(intake.view_key(source))
                except NotFound:
                    faults.extend(one.id for one in present(world) if one.id == source.id)

    def then_stop() -> None:
        try:
            at_once(upload, add_clean, add_clean)
        finally:
            over.set()

    at_once(then_stop, take_down, take_down, watch)
    assert faults == []
    assert lost(world) == []
    world.add_input(7)
    assert lost(world) == []
    with world.parts.store.read() as tx:
        removed = [source for source in tx.inputs.all() if source.removed_at]
    assert len(removed) > ROUNDS / 4, "the two did not meet often enough to show anything"


def test_an_output_that_several_inputs_share_is_there_while_one_of_them_is(world: World) -> None:
    world.parts = replace(world.parts, generators={"local": AtOnce(Constant())})
    over = threading.Event()

    def generate() -> None:
        for number in range(ROUNDS // 4):
            world.add_input(number % 4)
            tasks.plan(world.parts, world.study.id, depth=2)
            world.work()
        over.set()

    def take_down() -> None:
        while not over.is_set():
            take_all_down(world)

    at_once(generate, take_down)
    take_all_down(world)
    world.work()
    assert world.parts.objects.list() == (), "what was made of a photo went with it"
    world.add_input(1)
    tasks.plan(world.parts, world.study.id, depth=2)
    world.work()
    assert lost(world) == []
    assert len([name for name in world.parts.objects.list() if name.startswith("outputs/")]) == 1


def test_a_clone_keeps_the_objects_that_its_original_loses(world: World) -> None:
    for number in range(8):
        take_all_down(world)
        world.add_inputs(3)
        clone = partial(clone_study, world.parts, world.admin, world.study.id, f"Clone {number}")
        at_once(clone, partial(take_all_down, world))
        assert lost(world) == []


def generated(world: World) -> tuple[Input, tuple[Option, ...]]:
    """Return an input with the options made of it."""
    tasks.plan(world.parts, world.study.id, depth=2)
    world.work()
    source = present(world)[0]
    with world.parts.store.read() as tx:
        return source, tx.options.all(input_id=source.id, state="ready")


def test_name_comments_and_images_go_with_an_input_and_scores_stay(world: World) -> None:
    rater = world.person()
    held = world.hold(rater).held[0]
    world.rate(rater, *(answer(option.option_id, 2, comment="Anna looks green") for option in held.options))
    source_id = held.options[0].input_id
    intake.take_down(world.parts, world.admin, source_id)
    with world.parts.store.read() as tx:
        source = tx.inputs.get(source_id)
        ratings = tx.ratings.all(input_id=source_id)
        outputs = [tx.outputs.get(option.output_id or "") for option in tx.options.all(input_id=source_id)]
    assert (source.name, source.payload) == ("taken down", None)
    assert [(rating.score, rating.comment) for rating in ratings] == [(2, "")] * len(held.options)
    assert all(output.removed_at is not None for output in outputs)


def test_a_worker_deletes_what_a_killed_server_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    source, _ = generated(world)
    monkeypatch.setattr(intake, "forget_objects", lambda *_: None)
    intake.take_down(world.parts, world.admin, source.id)
    monkeypatch.undo()
    assert source.object_key in world.parts.objects.list()
    world.work()
    assert source.object_key not in world.parts.objects.list()


def test_nothing_is_made_of_an_input_that_was_taken_down_after_it_was_planned(world: World) -> None:
    source = present(world)[0]
    tasks.plan(world.parts, world.study.id, depth=4)
    with world.parts.store.read() as tx:
        planned = tx.experiments.all(input_id=source.id)
    intake.take_down(world.parts, world.admin, source.id)
    with world.parts.store.begin() as tx:  # as one that was planned at the same moment
        tx.of_experiments.move([planned[0].id], "planned", world.clock.now())
    world.work()
    with world.parts.store.read() as tx:
        assert tx.experiments.get(planned[0].id).state == "dropped"
        assert tx.jobs.all(state="parked") == ()


def test_an_image_made_while_its_input_is_taken_down_is_not_kept(world: World) -> None:
    source = present(world)[0]

    class Slow(Constant):
        def generate(self, request: GenerateRequest) -> Generated:
            if not any(one.id == source.id for one in present(world)):
                raise AssertionError("it was taken down before anything was made")
            intake.take_down(world.parts, world.admin, source.id)
            return super().generate(request)

    with world.parts.store.begin() as tx:
        tx.inputs.replace(replace(present(world)[1], removed_at=world.clock.now()))
    world.parts = replace(world.parts, generators={"local": AtOnce(Slow())})
    tasks.plan(world.parts, world.study.id, depth=1)
    world.work()
    assert [name for name in world.parts.objects.list() if name.startswith("outputs/")] == []


class Late(Folder):
    """A folder that deletes nothing before it is let, as a store whose answer takes its time."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked, self.let = threading.Event(), threading.Event()

    def delete(self, name: str) -> None:
        self.asked.set()
        assert self.let.wait(SECONDS)
        super().delete(name)


def test_content_that_comes_while_its_objects_are_being_deleted_keeps_its_own(world: World, tmp_path: Path) -> None:
    """A deleter that was told to go on before the same photo came, and gets to it after, takes nothing of it."""
    world.parts = replace(world.parts, generators={"local": AtOnce(Constant())})
    take_all_down(world)
    first = world.add_input(7)
    generated(world)
    late, at_hand = Late(tmp_path / "objects"), world.parts
    with ThreadPoolExecutor(1) as pool:
        gone = pool.submit(intake.take_down, replace(at_hand, objects=late), world.admin, first.id)
        assert late.asked.wait(SECONDS)
        again = world.add_input(7)
        generated(world)
        late.let.set()
        gone.result(SECONDS)
    world.work()
    assert again.content_hash == first.content_hash
    assert again.object_key != first.object_key
    assert lost(world) == []
    needed = {again.object_key, intake.view_key(again)}
    assert {name for name in world.parts.objects.list() if name.startswith("inputs/")} == needed
    assert len([name for name in world.parts.objects.list() if name.startswith("outputs/")]) == 1


def test_a_photo_taken_down_between_its_bytes_and_its_row_is_there_all_the_same(world: World) -> None:
    first = present(world)[0]
    image = CleanImage(photo(0), "image/jpeg", 48, 48)
    again = intake.store_image(world.parts, world.study, "again", image)
    intake.take_down(world.parts, world.admin, first.id)
    with world.parts.store.begin() as tx:
        added = intake.present_or_added(tx, world.parts, world.study, again)
    world.work()
    assert (added.id, added.object_key) == (again.id, again.object_key)
    assert lost(world) == []


def test_the_objects_of_a_photo_that_is_there_already_are_deleted_by_a_job(world: World) -> None:
    before = world.parts.objects.list()
    assert world.add_input(0).id in {one.id for one in present(world)}
    assert len(world.parts.objects.list()) == len(before) + 2
    world.work()
    assert set(before) <= set(world.parts.objects.list())
    assert len([name for name in world.parts.objects.list() if name.startswith("inputs/")]) == len(before)


def test_what_a_killed_deleter_left_is_deleted_by_its_job(world: World, tmp_path: Path) -> None:
    class Killed(Folder):
        def delete(self, name: str) -> None:
            raise KeyboardInterrupt

    source, _ = generated(world)
    with pytest.raises(KeyboardInterrupt):
        intake.take_down(replace(world.parts, objects=Killed(tmp_path / "objects")), world.admin, source.id)
    assert source.object_key in world.parts.objects.list()
    world.work()
    assert source.object_key not in world.parts.objects.list()
    assert lost(world) == []


def test_what_a_killed_deleter_left_goes_though_the_same_is_made_again_meanwhile(world: World, tmp_path: Path) -> None:
    class Killed(Folder):
        def delete(self, name: str) -> None:
            raise KeyboardInterrupt

    world.parts = replace(world.parts, generators={"local": AtOnce(Constant())})
    source, _ = generated(world)
    for one in present(world):
        if one.id != source.id:
            intake.take_down(world.parts, world.admin, one.id)
    world.work()
    with pytest.raises(KeyboardInterrupt):
        intake.take_down(replace(world.parts, objects=Killed(tmp_path / "objects")), world.admin, source.id)
    left = {name for name in world.parts.objects.list() if name.startswith("outputs/")}
    with world.parts.store.begin() as tx:
        (forget,) = tx.jobs.all(key=f"forget:{source.id}", state="waiting")
        tx.jobs.replace(replace(forget, due_at=world.clock.now() + timedelta(hours=1)))
    world.add_input(8)
    generated(world)
    world.clock.advance(minutes=61)
    world.work()
    assert len(left) == 1
    assert left.isdisjoint(world.parts.objects.list())
    assert lost(world) == []


def test_an_upload_of_an_input_that_was_just_taken_down_is_refused(world: World) -> None:
    source = present(world)[0]
    intake.take_down(world.parts, world.admin, source.id)
    with pytest.raises(NotFound):
        uploads.upload_to_rate(world.parts, world.person(), "tab", input_id=source.id)


def test_what_is_needed_is_not_discarded(world: World) -> None:
    source, options = generated(world)
    with world.parts.store.read() as tx:
        output = tx.outputs.get(options[0].output_id or "")
    world.parts.objects.create("outputs/00/stray", b"stray")
    needed = [source.object_key, intake.view_key(source), output.object_key]
    assert objects.discard(world.parts, [*needed, "outputs/00/stray"]) == ("outputs/00/stray",)
    assert set(needed) <= set(world.parts.objects.list())


def test_a_clean_image_is_stored_once_for_several_studies(world: World) -> None:
    other = clone_study(world.parts, world.admin, world.study.id, "Other")
    first = present(world)[0]
    intake.take_down(world.parts, world.admin, first.id)
    assert first.object_key in world.parts.objects.list()
    again = intake.store_image(world.parts, other, "again", CleanImage(photo(0), "image/jpeg", 48, 48))
    with world.parts.store.begin() as tx:
        added = intake.present_or_added(tx, world.parts, other, again)
    assert added.study_id == other.id
    assert added.object_key == first.object_key
