"""A tick looks at the prompts that were moved, whose files changed or whose hour has come, and at no other."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from ml_service.errors import StorageFull
from ml_service.objects.local import Folder
from tests.clock import FixedClock
from tests.publishing.press import SHIPPED, add_prompt, candidate, check_files, live, make_parts, make_project
from tests.publishing.test_repair import failing
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.domain.prompts.prompt import DEFAULT_KEY
from web.jobs.schedule import tick
from web.ports.parts import Parts
from web.services.prompts import promotion, watch
from web.services.prompts.adoption import adopt
from web.services.prompts.publication import reconcile, repair
from web.services.prompts.watch import Watch

KEYS = ("one", "two", "three", "four")


class Counting(Folder):
    """A folder that keeps what was read from it, and which folders were listed."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []
        self.listed: list[str] = []

    def read(self, name: str) -> bytes:
        self.asked.append(name)
        return super().read(name)

    def tags(self, folder: str) -> dict[str, str]:
        self.listed.append(folder)
        return super().tags(folder)


@pytest.fixture
def files(folder: Path) -> Counting:
    return Counting(folder)


@pytest.fixture
def parts(store: SqlStore, folder: Path, clock: FixedClock, files: Counting) -> Parts:
    """A press with five prompts."""
    shutil.copytree(SHIPPED, folder)
    for key in KEYS:
        add_prompt(folder, key)
    made = make_parts(store, files, clock)
    adopt(made, make_project(store).project_id)
    return made


@pytest.fixture
def watched(parts: Parts, files: Counting) -> Watch:
    """A watch that has seen all prompts, and found them right."""
    made = Watch()
    tick(parts, made)
    assert set(made.right) == {DEFAULT_KEY, *KEYS}
    files.asked.clear()
    return made


def test_where_nothing_has_changed_no_file_is_read(parts: Parts, files: Counting, watched: Watch) -> None:
    for _ in range(3):
        tick(parts, watched)
    assert files.asked == []


SPOILT: dict[str, Callable[[Path], object]] = {
    "torn": lambda at: (at / "current.json").write_bytes((at / "current.json").read_bytes()[:100]),
    "of the same length": lambda at: (at / "current.json").write_bytes(
        (at / "current.json").read_bytes().replace(b"e", b"a")
    ),
    "removed": lambda at: (at / "current.json").unlink(),
    "a version removed": lambda at: (at / "v1.0.0.json").unlink(),
}


@pytest.mark.parametrize("key", [DEFAULT_KEY, "two"])
@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_what_somebody_does_to_a_file_is_mended_by_the_next_tick_which_looks_at_that_prompt_alone(
    parts: Parts, folder: Path, files: Counting, watched: Watch, key: str, spoil: Callable[[Path], object]
) -> None:
    at = folder / "versions" / ("" if key == DEFAULT_KEY else key)
    spoil(at)
    tick(parts, watched)
    check_files(parts, folder)
    assert {(folder / name).parent for name in files.asked} == {at}
    tick(parts, watched)
    files.asked.clear()
    tick(parts, watched)
    assert files.asked == []


def test_where_there_are_many_folders_each_has_its_turn_and_the_default_one_each_time(
    parts: Parts, folder: Path, files: Counting, watched: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MOST_LISTED", 2)
    for key in (DEFAULT_KEY, *KEYS):
        (folder / "versions" / ("" if key == DEFAULT_KEY else key) / "current.json").write_text("torn")
    files.listed.clear()
    tick(parts, watched)
    assert (folder / "versions" / "current.json").read_text() != "torn"
    assert len({*files.listed}) <= 3
    for _ in range(2):
        tick(parts, watched)
    check_files(parts, folder)


def act_halfway(parts: Parts, folder: Path, what: str) -> None:
    """Promote or withdraw a version in the database, and write no file of it."""
    actor, fresh = make_actor(parts), candidate(parts, "three")
    away = failing(parts, folder, 1, StorageFull("Full."))
    if what == "promoted":
        promotion.promote(away, actor, "three", fresh.id, 0)
    promotion.promote(parts, actor, "three", fresh.id, 0)
    promotion.roll_back(parts, actor, "three", 1)
    promotion.withdraw(away, actor, fresh.id)


@pytest.mark.parametrize("what", ["promoted", "withdrawn"])
def test_what_another_process_left_undone_is_done_by_the_next_tick(
    parts: Parts, folder: Path, watched: Watch, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MOST_LISTED", 0)  # it is told by the database alone
    with pytest.raises(StorageFull):
        act_halfway(parts, folder, what)
    with pytest.raises(AssertionError):
        check_files(parts, folder)
    tick(parts, watched)
    check_files(parts, folder)


@pytest.mark.parametrize("what", ["promoted", "withdrawn"])
def test_what_a_failed_tick_did_not_get_to_is_done_by_the_next(
    parts: Parts, folder: Path, watched: Watch, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MOST_LISTED", 0)  # it is told by the database alone
    with pytest.raises(StorageFull):
        act_halfway(parts, folder, what)
    watched.suspects(parts)  # and then the database went away
    tick(parts, watched)
    check_files(parts, folder)


def test_a_failed_first_tick_leaves_every_prompt_to_the_next(parts: Parts, files: Counting) -> None:
    fresh = Watch()
    fresh.suspects(parts)
    tick(parts, fresh)
    assert set(fresh.right) == {DEFAULT_KEY, *KEYS}


def make_actor(parts: Parts) -> Actor:
    with parts.store.read() as tx:
        return Actor("", "the terminal", tx.prompts.get(DEFAULT_KEY).project_id, "admin")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what an admin is told to mend."""
    return [vars(record)["error"] for record in caplog.records if record.levelno == logging.ERROR]


def test_each_prompt_is_looked_at_every_hour_and_what_belongs_to_none_is_told(
    parts: Parts, folder: Path, files: Counting, watched: Watch, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(folder / "versions" / "one", folder / "versions" / "five")
    clock.advance(minutes=59)
    tick(parts, watched)
    assert (files.asked, told(caplog)) == ([], [])
    clock.advance(minutes=1)
    tick(parts, watched)
    assert {name.rpartition("/")[0] for name in files.asked} == {"versions", *(f"versions/{key}" for key in KEYS)}
    (error,) = told(caplog)
    assert "versions/five/current.json in PROMPTS_DIR is not known" in error


def test_a_look_at_many_prompts_is_spread_over_ticks(
    parts: Parts, files: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MOST_DUE", 2)
    fresh, seen = Watch(), []
    for _ in range(3):
        tick(parts, fresh)
        seen.append(len(fresh.right))
    assert seen == [2, 4, 5]


def test_what_only_an_admin_can_mend_is_told_by_each_tick_until_it_is_mended(
    parts: Parts, folder: Path, watched: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    pinned = folder / "versions" / "one" / "v1.0.0.json"
    body = pinned.read_bytes()
    pinned.write_text("{}")
    for _ in range(2):
        tick(parts, watched)
        (error,) = told(caplog)
        assert "versions/one/v1.0.0.json holds something else" in error
        caplog.clear()
    pinned.write_bytes(body)
    tick(parts, watched)
    assert told(caplog) == []
    assert set(watched.right) == {DEFAULT_KEY, *KEYS}


def test_a_project_that_arrives_makes_all_prompts_worth_a_look(parts: Parts, files: Counting, watched: Watch) -> None:
    project = make_project(parts.store)  # type: ignore[arg-type]
    tick(parts, watched)
    assert project.project_id in watched.read
    assert {name.rpartition("/")[0] for name in files.asked} == {"versions", *(f"versions/{key}" for key in KEYS)}


class Stalled(Folder):
    """A folder that does something else right before it writes a name for the first time."""

    def __init__(self, root: Path, name: str, meanwhile: Callable[[], object]) -> None:
        super().__init__(root)
        self.name, self.meanwhile = name, meanwhile
        self.written: list[tuple[str, bytes]] = []

    def create(self, name: str, body: bytes | BinaryIO) -> bool:
        self._wait(name)
        return super().create(name, body)

    def replace(self, name: str, body: bytes, expected: str) -> str:
        self._wait(name)
        done = super().replace(name, body, expected)
        self.written.append((name, body))
        return done

    def _wait(self, name: str) -> None:
        if name == self.name:
            self.name = ""
            self.meanwhile()


def test_who_stops_before_the_live_file_does_not_write_over_what_went_live_meanwhile(
    parts: Parts, folder: Path
) -> None:
    """What goes live meanwhile is the very file that lay there before: its bytes alone would not tell."""
    actor, fresh = make_actor(parts), candidate(parts)
    before = (folder / "versions" / "current.json").read_bytes()
    stalled = Stalled(
        folder, "versions/current.json", lambda: promotion.roll_back(parts, actor, DEFAULT_KEY, 1, note="meanwhile")
    )
    done = promotion.promote(replace(parts, published=stalled), actor, DEFAULT_KEY, fresh.id, 0)
    assert (done.pointer.revision, live(parts)[0].revision) == (1, 2)
    assert all(body == before for name, body in stalled.written if name == "versions/current.json")
    check_files(parts, folder)
    assert reconcile(parts) == ()


def test_who_stops_before_a_version_takes_it_back_where_it_was_withdrawn_meanwhile(parts: Parts, folder: Path) -> None:
    actor, fresh = make_actor(parts), candidate(parts)
    promotion.promote(parts, actor, DEFAULT_KEY, fresh.id, 0)
    promotion.roll_back(parts, actor, DEFAULT_KEY, 1)
    (folder / "versions" / "v1.1.0.json").unlink()
    stalled = Stalled(folder, "versions/v1.1.0.json", lambda: promotion.withdraw(parts, actor, fresh.id))
    repair(replace(parts, published=stalled), [DEFAULT_KEY])
    assert stalled.name == ""
    check_files(parts, folder)
