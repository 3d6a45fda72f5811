"""A backup is taken while people work, and restored into an empty place."""

import os
import shutil
import sqlite3
import stat
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ml_service.errors import Conflict, InvalidRequest, ServiceError, Unavailable
from ml_service.objects.local import Folder
from tests.care.changed import Change, added, rewritten, without
from tests.care.lived import Installation, elsewhere, everything, members, watch
from web.adapters.database import backup
from web.adapters.database.archive.writing import Place
from web.adapters.database.backup import back_up
from web.adapters.database.migrate import downgrade, is_current, migrate
from web.adapters.database.store import SqlStore
from web.domain.accounts import Link, Session, User
from web.domain.ids import new_id
from web.services.operations import transfer
from web.services.operations.verify import Verification
from web.services.prompts import publication
from web.services.studies import intake

Empty = Callable[[], Installation]


@pytest.fixture
def nowhere(origin: Installation, tmp_path: Path) -> Iterator[Empty]:
    """Name places on SQLite where there is nothing at all, not even a database."""
    stores: list[SqlStore] = []

    def make() -> Installation:
        folder = tmp_path / f"nowhere {len(stores)}"
        stores.append(SqlStore.open(f"sqlite:///{folder / 'palate.db'}"))
        return elsewhere(origin, stores[-1], folder)

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def saved(origin: Installation, tmp_path: Path) -> Path:
    """A backup of the installation that has lived."""
    back_up(origin.place, tmp_path / "backup.zip", watch)
    return tmp_path / "backup.zip"


def restored(there: Installation, file: Path) -> Installation:
    """Restore a backup as the command does."""
    parts = there.world.parts
    lying = transfer.lying_in(parts.published)
    backup.restore(there.place, file, lambda tx: transfer.check_published(tx, lying), watch)
    publication.reconcile(parts)
    return there


def found_wrong(there: Installation) -> list[str]:
    """Return all that is wrong with an installation, objects that nothing needs too."""
    return [finding.says for finding in Verification(there.world.parts, b"").findings()]


def test_a_restored_backup_is_byte_equal_in_exported_form(origin: Installation, nowhere: Empty, tmp_path: Path) -> None:
    origin.world.add_input(50)  # stands in SQLite's log as yet, and not in the file of the database
    back_up(origin.place, tmp_path / "backup.zip", watch)
    there = restored(nowhere(), tmp_path / "backup.zip")
    for export in (Installation.export_project, Installation.export_study):
        before, after = export(origin, tmp_path / "before.zip"), export(there, tmp_path / "after.zip")
        assert after.read_bytes() == before.read_bytes()
    assert found_wrong(there) == []


def test_a_backup_waits_for_nobody_and_holds_only_what_was_committed(
    origin: Installation, nowhere: Empty, tmp_path: Path
) -> None:
    with origin.store.begin() as tx:
        half = tx.users.add(User(new_id(), "half@example.org", origin.world.clock.now()))
        back_up(origin.place, tmp_path / "backup.zip", watch)
    there = restored(nowhere(), tmp_path / "backup.zip")
    with there.store.read() as tx, origin.store.read() as here:
        assert (tx.users.find(id=half.id), here.users.find(id=half.id)) == (None, half)


def test_files_and_jobs_are_there_again_and_the_work_goes_on(origin: Installation, saved: Path, nowhere: Empty) -> None:
    there = restored(nowhere(), saved)
    before, after = Folder(origin.folder / "prompts"), Folder(there.folder / "prompts")
    published = [name for name in before.list("versions/") if name.endswith(".json")]
    assert {name: after.read(name) for name in published} == {name: before.read(name) for name in published}
    assert everything(there.store)["jobs"] == everything(origin.store)["jobs"] != []
    there.world.work()


def test_ways_in_are_closed_since_they_may_have_been_closed_meanwhile(
    origin: Installation, nowhere: Empty, tmp_path: Path
) -> None:
    now, who = origin.world.clock.now(), origin.world.admin.user_id
    with origin.store.begin() as tx:
        tx.sessions.add(Session(new_id(), "6" * 64, who, origin.world.admin.project_id, now, now))
        tx.links.add(Link(new_id(), "7" * 64, origin.world.admin.project_id, "rater", "a@b.example", now, now))
    back_up(origin.place, tmp_path / "backup.zip", watch)
    there = restored(nowhere(), tmp_path / "backup.zip")
    assert (everything(there.store)["sessions"], everything(there.store)["sign_in_links"]) == ([], [])


def test_a_backup_is_for_its_owners_eyes_only_and_nothing_else_is_left(saved: Path) -> None:
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert [path.name for path in saved.parent.iterdir() if path.is_file() or path.name.startswith(".")] == [saved.name]


def test_what_was_deleted_is_in_no_page_of_a_backup(origin: Installation, tmp_path: Path) -> None:
    planted = "planted words of somebody who is gone " * 40
    with closing(sqlite3.connect(origin.folder / "palate.db")) as plain:
        plain.execute("PRAGMA secure_delete = OFF")
        plain.execute("UPDATE studies SET name = ?", (planted[:200],))
        plain.execute("UPDATE feedback SET comment = ?", (planted,))
        plain.commit()
        plain.execute("DELETE FROM feedback")
        plain.execute("UPDATE studies SET name = 'x'")
        plain.commit()
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"planted words" in (origin.folder / "palate.db").read_bytes()
    back_up(origin.place, tmp_path / "backup.zip", watch)
    assert b"planted words" not in members(tmp_path / "backup.zip")["palate.db"]


def test_an_image_taken_down_while_it_was_copied_is_in_neither_rows_nor_objects(
    origin: Installation, nowhere: Empty, tmp_path: Path
) -> None:
    with origin.store.read() as tx:
        source = tx.inputs.all(study_id=origin.world.study.id, removed_at=None)[0]

    def take_down(keys: Sequence[str]) -> Iterable[str]:
        if source.object_key in keys:
            intake.take_down(origin.world.parts, origin.world.admin, source.id)
            origin.world.work()
        return keys

    made = back_up(origin.place, tmp_path / "backup.zip", take_down)
    assert made.lost == ()
    there = restored(nowhere(), tmp_path / "backup.zip")
    with there.store.read() as tx:
        assert tx.inputs.get(source.id).removed_at is not None
    assert found_wrong(there) == []


def test_an_image_whose_removal_is_not_committed_yet_does_not_count_as_lost(
    origin: Installation, tmp_path: Path
) -> None:
    with origin.store.read() as tx:
        output = tx.outputs.all(removed_at=None)[0]
    deleted = threading.Event()

    def remove() -> None:
        with origin.store.begin() as tx:
            tx.of_objects.remove([output.object_key], origin.world.clock.now())
            origin.objects.delete(output.object_key)
            deleted.set()
            time.sleep(1.5)

    remover = threading.Thread(target=remove)

    def removing(keys: Sequence[str]) -> Iterable[str]:
        if output.object_key in keys:
            remover.start()
            deleted.wait(20)
        return keys

    made = back_up(origin.place, tmp_path / "backup.zip", removing)
    remover.join()
    assert made.lost == ()


def test_images_that_go_faster_than_they_are_copied_leave_no_backup(origin: Installation, tmp_path: Path) -> None:
    seeds = iter(range(100, 200))

    def churn(keys: Sequence[str]) -> Iterable[str]:
        with origin.store.read() as tx:
            taken = [source for source in tx.inputs.all(removed_at=None) if source.object_key in keys]
        intake.take_down(origin.world.parts, origin.world.admin, taken[0].id)
        origin.world.work()
        origin.world.add_input(next(seeds))
        return keys

    with pytest.raises(Unavailable, match="try again later"):
        back_up(origin.place, tmp_path / "backup.zip", churn)
    assert not (tmp_path / "backup.zip").exists()


def test_an_image_that_is_lost_is_named_and_the_rest_is_restored(
    origin: Installation, nowhere: Empty, tmp_path: Path
) -> None:
    with origin.store.read() as tx:
        source = tx.inputs.all(study_id=origin.world.study.id, removed_at=None)[0]
    origin.objects.delete(source.object_key)
    made = back_up(origin.place, tmp_path / "backup.zip", watch)
    assert made.lost == (source.object_key,)
    there = restored(nowhere(), tmp_path / "backup.zip")
    assert [source.object_key in says for says in found_wrong(there)] == [True]


def test_a_damaged_database_makes_no_backup(origin: Installation, tmp_path: Path) -> None:
    origin.store.close()
    path = origin.folder / "palate.db"
    body = bytearray(path.read_bytes())
    for at in range(8192, len(body) - 4096, 4096):
        body[at : at + 64] = os.urandom(64)
    path.write_bytes(body)
    with pytest.raises(Conflict, match="damaged"):
        back_up(origin.place, tmp_path / "backup.zip", watch)
    assert not (tmp_path / "backup.zip").exists()


@pytest.mark.parametrize("name", ["palate.db", "palate.db-wal", "objects/inputs/somebody", "prompts/versions/x.json"])
def test_a_place_where_something_is_stays_as_it_is(name: str, saved: Path, nowhere: Empty) -> None:
    there = nowhere()
    (there.folder / name).parent.mkdir(parents=True)
    (there.folder / name).write_text("here before")
    with pytest.raises(Conflict, match=r"empty folder|another folder"):
        restored(there, saved)
    assert [path for path in there.folder.rglob("*") if path.is_file()] == [there.folder / name]
    assert (there.folder / name).read_text() == "here before"


def test_a_restore_that_was_cut_off_can_be_repeated(saved: Path, nowhere: Empty) -> None:
    there = nowhere()

    def cut_off(keys: Sequence[str]) -> Iterable[str]:
        yield from keys[: len(keys) // 2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup.restore(there.place, saved, lambda tx: None, cut_off)
    assert there.objects.list() != ()
    assert not (there.folder / "palate.db").exists()
    assert found_wrong(restored(there, saved)) == []


def test_a_backup_of_an_older_schema_is_brought_to_the_newest(saved: Path, nowhere: Empty, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    migrate(f"sqlite:///{old}")
    downgrade(f"sqlite:///{old}", "base")
    file = rewritten(saved, lambda held: held.update({"palate.db": old.read_bytes()}))
    there = nowhere()
    backup.restore(there.place, file, lambda tx: None, watch)
    assert is_current(f"sqlite:///{there.folder / 'palate.db'}")


def _after(statement: str, folder: Path) -> Change:
    """Change the database of a backup by a statement that nothing of ours would make."""

    def change(held: dict[str, bytes]) -> None:
        path = folder / "changed.db"
        path.write_bytes(held["palate.db"])
        with closing(sqlite3.connect(path, isolation_level=None)) as plain:
            plain.execute(statement)
        held["palate.db"] = path.read_bytes()

    return change


def _half(held: dict[str, bytes]) -> None:
    held["palate.db"] = held["palate.db"][: len(held["palate.db"]) // 2]


BROKEN: dict[str, tuple[Change, str]] = {
    "newer": (lambda held: held.update({"manifest.json": b'{"palate_backup": 2, "objects": 0}'}), "newer Palate"),
    "no backup": (lambda held: held.update({"manifest.json": b'{"palate_archive": 2}'}), "no backup"),
    "no manifest": (without("manifest.json"), "manifest.json is missing"),
    "no database": (without("palate.db"), "palate.db is missing"),
    "no image": (without("objects/inputs/"), "is missing from it"),
    "stranger": (added("evil.py"), "no member"),
    "escape": (added("objects/inputs/../../evil"), "no member"),
    "half a database": (_half, "damaged"),
    "no database at all": (lambda held: held.update({"palate.db": b"x" * 4096}), "damaged"),
}


@pytest.mark.parametrize("way", BROKEN)
def test_a_broken_backup_is_refused_and_nothing_is_written(way: str, saved: Path, nowhere: Empty) -> None:
    change, says = BROKEN[way]
    there = nowhere()
    with pytest.raises(ServiceError, match=says):
        restored(there, rewritten(saved, change))
    assert not [path for path in there.folder.rglob("*") if path.is_file()]


STRANGE = {
    "trigger": ("CREATE TRIGGER t AFTER INSERT ON studies BEGIN DELETE FROM users; END", "of its own"),
    "rows that lead nowhere": ("DELETE FROM users", "refer to others that are not there"),
    "newer schema": ("UPDATE alembic_version SET version_num = '9999'", "does not know"),
    "version changed": ("UPDATE prompt_versions SET changelog = 'forged'", "does not match its sha256"),
}


@pytest.mark.parametrize("way", STRANGE)
def test_a_database_that_is_not_as_it_was_written_is_refused(
    way: str, saved: Path, nowhere: Empty, tmp_path: Path
) -> None:
    statement, says = STRANGE[way]
    there = nowhere()
    with pytest.raises(ServiceError, match=says):
        restored(there, rewritten(saved, _after(statement, tmp_path)))
    assert not [path for path in there.folder.rglob("*") if path.is_file()]


def test_bytes_that_rotted_are_noticed(saved: Path, nowhere: Empty) -> None:
    with zipfile.ZipFile(saved) as opened:
        image = next(info for info in opened.infolist() if info.filename.startswith("objects/"))
    body = bytearray(saved.read_bytes())
    body[image.header_offset + 30 + len(image.filename) + 20] ^= 1
    saved.write_bytes(body)
    with pytest.raises(InvalidRequest, match="broken"):
        restored(nowhere(), saved)


def test_an_export_is_no_backup(origin: Installation, nowhere: Empty, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="`import`"):
        restored(nowhere(), origin.export_project(tmp_path / "project.zip"))


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_postgres_is_told_to_use_its_own_tools(store: SqlStore, saved: Path, tmp_path: Path) -> None:
    place = Place(store, Folder(tmp_path / "objects"), intake.view_key)
    with pytest.raises(InvalidRequest, match="pg_dump"):
        back_up(place, tmp_path / "other.zip", watch)
    with pytest.raises(InvalidRequest, match="pg_dump"):
        backup.restore(place, saved, lambda tx: None, watch)


def test_a_project_goes_to_and_fro_between_backups(saved: Path, nowhere: Empty, tmp_path: Path) -> None:
    first = restored(nowhere(), saved)
    back_up(first.place, tmp_path / "again.zip", watch)
    shutil.rmtree(first.folder / "objects")
    second = restored(nowhere(), tmp_path / "again.zip")
    assert found_wrong(second) == []
