"""Whatever stops a promotion between its commit and its files, the files come to say what the database says."""

import errno
import json
import logging
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import Conflict, StorageFull, Unavailable
from ml_service.objects.local import Folder
from tests.clock import FixedClock
from tests.disk import fill, make_room, small_disk
from tests.publishing.press import candidate, check_files, live, make_press, operator
from tests.publishing.writer import ACTS, Interrupted, act, die, started
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.domain.prompts.prompt import DEFAULT_KEY, from_bytes
from web.jobs.schedule import tick
from web.ports.parts import Parts
from web.services.prompts import promotion
from web.services.prompts.publication import reconcile, repair

CHANGES = {"promote": 3, "roll back": 2, "withdraw": 1}
MENDERS: dict[str, Callable[[Parts], object]] = {"the start": reconcile, "the tick": tick}


def made_ready(parts: Parts, admin: Actor, what: str) -> str:
    """Make ready for an act and return the version that it is about."""
    fresh = candidate(parts).id
    if what != "promote":
        promotion.promote(parts, admin, DEFAULT_KEY, fresh, live(parts)[0].revision)
    if what == "withdraw":
        promotion.roll_back(parts, admin, DEFAULT_KEY, live(parts)[0].revision)
    return fresh


def failing(parts: Parts, folder: Path, change: int, error: Exception) -> Parts:
    def fail() -> None:
        raise error

    return replace(parts, published=Interrupted(folder, change, fail))


def check_halfway(parts: Parts, folder: Path, what: str, revision: int) -> None:
    """The database has moved, and production reads something whole."""
    assert live(parts)[0].revision == revision + (what != "withdraw")
    from_bytes((folder / "versions" / "current.json").read_bytes())


@pytest.mark.parametrize("what", ACTS)
def test_what_fails_at_a_file_is_in_the_database_and_is_mended_by_the_tick(
    parts: Parts, admin: Actor, folder: Path, what: str
) -> None:
    for change in range(1, CHANGES[what] + 1):
        version_id = made_ready(parts, admin, what)
        revision = live(parts)[0].revision
        with pytest.raises(StorageFull, match="The change is kept"):
            act(failing(parts, folder, change, StorageFull("Full.")), admin, what, version_id)
        check_halfway(parts, folder, what, revision)
        tick(parts)
        check_files(parts, folder)
    assert reconcile(parts) == ()


@pytest.mark.parametrize("what", ACTS)
def test_a_repeat_finishes_what_failed_and_is_acknowledged(parts: Parts, admin: Actor, folder: Path, what: str) -> None:
    for change in range(1, CHANGES[what] + 1):
        version_id = made_ready(parts, admin, what)
        revision = live(parts)[0].revision
        away = failing(parts, folder, change, OSError(errno.ENODEV, "No such device", "current.json"))
        with pytest.raises(Unavailable, match=r"PROMPTS_DIR .*No such device"):
            act(away, admin, what, version_id, revision)
        done = act(parts, admin, what, version_id, revision)
        check_files(parts, folder)
        assert act(parts, admin, what, version_id, revision) == done
    assert reconcile(parts) == ()


@pytest.mark.parametrize(("after", "mend"), [(False, reconcile), (True, tick)], ids=["before", "after"])
@pytest.mark.parametrize("what", ACTS)
def test_a_process_killed_at_a_file_leaves_what_is_mended(
    parts: Parts,
    admin: Actor,
    folder: Path,
    database_url: str,
    what: str,
    after: bool,
    mend: Callable[[Parts], object],
) -> None:
    for change in range(1, CHANGES[what] + 1):
        version_id = made_ready(parts, admin, what)
        revision = live(parts)[0].revision
        process = started(die, database_url, folder, what, version_id, change, after)
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        check_halfway(parts, folder, what, revision)
        mend(parts)
        check_files(parts, folder)
    assert reconcile(parts) == ()


def test_a_promotion_passed_by_another_before_it_was_published_is_published_too(
    parts: Parts, admin: Actor, folder: Path
) -> None:
    lost = candidate(parts)
    with pytest.raises(StorageFull):
        act(failing(parts, folder, 1, StorageFull("Full.")), admin, "promote", lost.id)
    promotion.promote(parts, admin, DEFAULT_KEY, candidate(parts).id, 1)
    assert (folder / "versions" / "v1.1.0.json").exists()
    check_files(parts, folder)


def test_a_full_disk_leaves_the_old_version_whole_and_is_made_up_for(
    store: SqlStore, clock: FixedClock, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        parts = make_press(store, disk / "prompts", clock)
        admin, fresh = operator(store), candidate(parts)
        before = (disk / "prompts" / "versions" / "current.json").read_bytes()
        fill(disk)
        with pytest.raises(StorageFull, match=r"is full; free some room and try again\. The change is kept"):
            promotion.promote(parts, admin, DEFAULT_KEY, fresh.id, 0)
        tick(parts)
        assert (disk / "prompts" / "versions" / "current.json").read_bytes() == before
        assert live(parts)[1].name == "v1.1.0"
        make_room(disk)
        done = promotion.promote(parts, admin, DEFAULT_KEY, fresh.id, 0)
        assert done == promotion.Promotion(live(parts)[1], live(parts)[0])
        check_files(parts, disk / "prompts")
        assert list(disk.rglob(".new-*")) == []


@pytest.mark.parametrize("mend", MENDERS.values(), ids=MENDERS)
def test_a_live_file_that_says_something_else_is_put_right(
    parts: Parts, admin: Actor, folder: Path, mend: Callable[[Parts], object]
) -> None:
    promotion.promote(parts, admin, DEFAULT_KEY, candidate(parts).id, 0)
    older = (folder / "versions" / "v1.0.0.json").read_bytes()
    for name in ("current.json", "current.meta.json"):
        for body in (None, b"", b'{\n  "schema_version": 1,\n  "prompt', b'{"version": "v9.9.9"}', b"\xff\x00", older):
            path = folder / "versions" / name
            path.unlink() if body is None else path.write_bytes(body)
            mend(parts)
            check_files(parts, folder)


def test_lost_files_are_written_as_they_were(parts: Parts, admin: Actor, folder: Path) -> None:
    promotion.promote(parts, admin, DEFAULT_KEY, candidate(parts).id, 0)
    before = {path.name: path.read_bytes() for path in (folder / "versions").iterdir()}
    for path in (folder / "versions").iterdir():
        path.unlink()
    assert sorted(reconcile(parts)) == [
        "versions/current.json is v1.1.0 again",
        "versions/current.meta.json is v1.1.0 again",
        "versions/v1.0.0.json is there again",
        "versions/v1.1.0.json is there again",
    ]
    assert {path.name: path.read_bytes() for path in (folder / "versions").iterdir()} == before


def test_a_withdrawn_file_that_came_back_is_taken_away(parts: Parts, admin: Actor, folder: Path) -> None:
    gone = promotion.promote(parts, admin, DEFAULT_KEY, candidate(parts).id, 0).version
    body = (folder / "versions" / "v1.1.0.json").read_bytes()
    promotion.roll_back(parts, admin, DEFAULT_KEY, 1)
    promotion.withdraw(parts, admin, gone.id)
    (folder / "versions" / "v1.1.0.json").write_bytes(body)
    assert reconcile(parts) == ("versions/v1.1.0.json was withdrawn and is gone again",)
    check_files(parts, folder)


def _rewritten(folder: Path, name: str) -> None:
    path = folder / "versions" / name
    document = json.loads(path.read_bytes())
    path.write_text(json.dumps({**document, "changelog": "Rewritten."}))


UNEXPLAINED: dict[str, tuple[Callable[[Path], object], str]] = {
    "an old version was changed": (lambda at: _rewritten(at, "v1.0.0.json"), r"versions/v1\.0\.0\.json holds"),
    "the live version was changed": (lambda at: _rewritten(at, "v1.1.0.json"), r"versions/v1\.1\.0\.json holds"),
    "an unknown version": (
        lambda at: (at / "versions" / "v7.0.0.json").write_text("{}"),
        r"versions/v7\.0\.0\.json .* not known to the database; .* move the file away",
    ),
    "an unknown prompt": (
        lambda at: shutil.copytree(at / "versions", at / "versions" / "other"),
        r"versions/other/current\.json .* not known to the database",
    ),
    "a file that is none of ours": (
        lambda at: (at / "versions" / "notes.json").write_text("{}"),
        r"versions/notes\.json .* no file of Palate's",
    ),
}


def test_what_no_crash_explains_stops_the_start_and_stays_as_it_is(parts: Parts, admin: Actor, folder: Path) -> None:
    promotion.promote(parts, admin, DEFAULT_KEY, candidate(parts).id, 0)
    for name, (spoil, told) in UNEXPLAINED.items():
        spoilt = folder.with_name(name)
        shutil.copytree(folder, spoilt)
        spoil(spoilt)
        before = {path: path.read_bytes() for path in spoilt.rglob("*.json")}
        with pytest.raises(Conflict, match=told):
            reconcile(replace(parts, published=Folder(spoilt)))
        assert {path: path.read_bytes() for path in spoilt.rglob("*.json")} == before, name


def test_the_tick_logs_what_no_crash_explains_and_still_puts_the_live_file_right(
    parts: Parts, admin: Actor, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    promotion.promote(parts, admin, DEFAULT_KEY, candidate(parts).id, 0)
    body = (folder / "versions" / "current.json").read_bytes()
    for name, (spoil, told) in UNEXPLAINED.items():
        spoilt = folder.with_name(name)
        shutil.copytree(folder, spoilt)
        spoil(spoilt)
        (spoilt / "versions" / "current.json").write_text("torn")
        tick(replace(parts, published=Folder(spoilt)))
        assert (spoilt / "versions" / "current.json").read_bytes() == body, name
        (error,) = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert re.search(told, vars(error)["error"]), name
        caplog.clear()


def test_a_promotion_whose_pinned_file_is_something_else_says_so(parts: Parts, admin: Actor, folder: Path) -> None:
    (folder / "versions" / "v1.1.0.json").write_text("{}")
    with pytest.raises(Conflict, match=r"v1\.1\.0\.json holds something else"):
        promotion.promote(parts, admin, DEFAULT_KEY, candidate(parts).id, 0)


def test_a_file_that_is_none_of_ours_does_not_stop_a_promotion(parts: Parts, admin: Actor, folder: Path) -> None:
    (folder / "versions" / "notes.json").write_text("{}")
    promotion.promote(parts, admin, DEFAULT_KEY, candidate(parts).id, 0)
    assert from_bytes((folder / "versions" / "current.json").read_bytes()).version == "v1.1.0"


def test_a_row_that_was_changed_is_not_published(parts: Parts, admin: Actor, folder: Path) -> None:
    done = promotion.promote(parts, admin, DEFAULT_KEY, candidate(parts).id, 0)
    before = (folder / "versions" / "current.json").read_bytes()
    with parts.store.begin() as tx:
        tx.versions.replace(replace(done.version, changelog="Rewritten."))
    with pytest.raises(Conflict, match=r"v1\.1\.0 is not what was released: .* restore the database"):
        reconcile(parts)
    assert repair(parts, [DEFAULT_KEY]) == frozenset()
    assert (folder / "versions" / "current.json").read_bytes() == before


class Meddler(Folder):
    """A folder that somebody else writes to right before each conditional replacement."""

    def __init__(self, root: Path, times: int) -> None:
        super().__init__(root)
        self.times = times

    def replace(self, name: str, body: bytes, expected: str) -> str:
        if self.times and name.endswith("current.json"):
            self.times -= 1
            (self.root / name).write_text(f"somebody's {self.times}")
        return super().replace(name, body, expected)


def test_a_file_that_somebody_changes_meanwhile_is_looked_at_again(parts: Parts, admin: Actor, folder: Path) -> None:
    meddled = replace(parts, published=Meddler(folder, 2))
    promotion.promote(meddled, admin, DEFAULT_KEY, candidate(parts).id, 0)
    check_files(parts, folder)
    for_ever = replace(parts, published=Meddler(folder, 1_000))
    with pytest.raises(Unavailable, match="keeps changing"):
        promotion.promote(for_ever, admin, DEFAULT_KEY, candidate(parts).id, 1)
    tick(parts)
    check_files(parts, folder)


class Counting(Folder):
    """A folder that counts what is asked of it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []

    def read(self, name: str) -> bytes:
        self.asked.append(name)
        return super().read(name)


def test_a_tick_reads_three_files_where_nothing_has_changed(parts: Parts, admin: Actor, folder: Path) -> None:
    for revision in range(5):
        promotion.promote(parts, admin, DEFAULT_KEY, candidate(parts).id, revision)
    counting = Counting(folder)
    tick(replace(parts, published=counting))
    assert sorted(counting.asked) == ["versions/current.json", "versions/current.meta.json", "versions/v1.5.0.json"]


@pytest.fixture
def read_only(folder: Path) -> Iterator[Path]:
    """A folder that cannot be read: a file stands where it was."""
    moved = folder.with_name("moved")
    folder.rename(moved)
    folder.write_text("in the way")
    yield folder
    folder.unlink()
    moved.rename(folder)


def test_a_folder_that_is_away_is_told_and_the_change_is_kept(
    parts: Parts, admin: Actor, read_only: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unavailable, match="PROMPTS_DIR cannot be read and written"):
        promotion.promote(parts, admin, DEFAULT_KEY, candidate(parts).id, 0)
    assert live(parts)[1].name == "v1.1.0"
    tick(parts)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
