"""Bytes travel outside transactions: no flow asks an object store while a transaction of its thread is open."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from ml_service.objects import ObjectStore
from tests.clock import FixedClock
from tests.world import World, answer, make_world, photo
from web.adapters.database.archive.project import ProjectArchive
from web.adapters.database.archive.study import StudyArchive
from web.adapters.database.archive.writing import Place
from web.adapters.database.migrate import migrate
from web.adapters.database.store import SqlStore, SqlTransaction
from web.jobs import schedule, tasks
from web.services.operations import erasure, transfer, verify
from web.services.prompts import promotion
from web.services.rating import uploads
from web.services.studies import intake, previews


class Telling(SqlStore):
    """A store that tells whether this thread has a transaction open that may write."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store.engines)
        self.here = threading.local()

    @contextmanager
    def begin(self) -> Iterator[SqlTransaction]:
        with super().begin() as tx:
            self.here.open = True
            try:
                yield tx
            finally:
                self.here.open = False

    @property
    def is_open(self) -> bool:
        return getattr(self.here, "open", False)


class Asking:
    """An object store that notes what is asked of it, and what of that inside a transaction."""

    def __init__(self, objects: ObjectStore, store: Telling) -> None:
        self.objects, self.store = objects, store
        self.calls, self.inside = list[str](), list[str]()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self.objects, name)

        def asked(*values: Any) -> Any:
            self.calls.append(name)
            if self.store.is_open:
                self.inside.append(f"{name} {values[0] if values else ''}")
            return method(*values)

        return asked


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    world = make_world(store, clock, tmp_path, inputs=2)
    telling = Telling(store)
    parts = world.parts
    objects, published = (cast("ObjectStore", Asking(each, telling)) for each in (parts.objects, parts.published))
    kept = timedelta(days=90)
    world.parts = replace(parts, store=telling, objects=objects, published=published, retention=kept)
    return world


def stores(world: World) -> tuple[Asking, Asking]:
    return cast("Asking", world.parts.objects), cast("Asking", world.parts.published)


def none_inside(world: World, *called: str) -> None:
    """Hold that the object stores were asked for all these, and for nothing inside a transaction."""
    for asked in stores(world):
        assert asked.inside == []
    assert set(called) <= {call for asked in stores(world) for call in asked.calls}


def test_the_wrapper_sees_a_call_inside_a_transaction(world: World) -> None:
    with world.parts.store.begin():
        world.parts.objects.list()
    assert stores(world)[0].inside == ["list "]


def test_intake_making_rating_and_taking_down(world: World) -> None:
    rater = world.person()
    source = intake.add_input(world.parts, world.admin, world.study.id, "photo", photo(9))
    intake.add_input(world.parts, world.admin, world.study.id, "again", photo(9))
    made = uploads.upload_to_rate(world.parts, rater, "tab", name="mine", body=photo(10))
    tasks.plan(world.parts, world.study.id, depth=3)
    world.work()
    held = world.hold(rater).held[0]
    world.rate(rater, *(answer(option.option_id) for option in held.options))
    uploads.watch_upload(world.parts, rater, made.experiment_id)
    previews.picture(
        world.parts, previews.recipe(world.parts, world.admin, world.study.prompt_key, "v1.0.0", source.id)
    )
    intake.take_down(world.parts, world.admin, source.id)
    erasure.erase_input(world.parts, world.admin, held.options[0].input_id, "erase")
    world.work()
    none_inside(world, "create", "read", "delete")


def test_retention_and_verification(world: World) -> None:
    tasks.plan(world.parts, world.study.id, depth=2)
    world.work()
    with world.parts.store.begin() as tx:
        tx.of_experiments.move([one.id for one in tx.experiments.all(state="ready")], "dropped", world.clock.now())
    world.clock.advance(days=91)
    schedule.tick(world.parts)
    world.work()
    world.clock.advance(seconds=3600)
    world.work()
    list(verify.Verification(world.parts, b"key").findings())
    verify.discard_orphans(world.parts, world.parts.objects.list("outputs/"))
    none_inside(world, "delete", "list")


def test_publishing_what_was_learnt(world: World) -> None:
    rater = world.person()
    for _ in range(4):
        for held in world.hold(rater).held:
            world.rate(rater, *(answer(option.option_id, 5) for option in held.options))
        world.clock.advance(seconds=60)
    world.work()
    promotion.publish_best(world.parts, world.admin, world.study.id)
    schedule.tick(world.parts)
    none_inside(world, "replace")


def place(world: World, store: SqlStore | None = None, objects: ObjectStore | None = None) -> Place:
    return Place(store or cast("SqlStore", world.parts.store), objects or world.parts.objects, intake.view_key)


def test_export_and_import(world: World, tmp_path: Path) -> None:
    tasks.plan(world.parts, world.study.id, depth=2)
    world.work()
    StudyArchive(place(world)).export(world.study.id, tmp_path / "study.zip", lambda keys: keys)
    ProjectArchive(place(world)).export(tmp_path / "project.zip", lambda keys: keys)
    for name in world.parts.objects.list():
        world.parts.objects.delete(name)
    StudyArchive(place(world)).load(
        tmp_path / "study.zip",
        lambda tx, study: transfer.arrived(tx, world.parts, world.admin, study),
        lambda keys: keys,
    )
    assert len(world.parts.objects.list()) > 4
    none_inside(world, "has", "create")
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    migrate(url)
    empty = Telling(SqlStore.open(url))
    objects = cast("ObjectStore", Asking(stores(world)[0].objects, empty))
    ProjectArchive(place(world, empty, objects)).load(
        tmp_path / "project.zip", lambda *_: None, lambda *_: None, lambda keys: keys
    )
    assert cast("Asking", objects).inside == []
    empty.close()
