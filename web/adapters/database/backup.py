"""A whole place on SQLite as one file, taken while the place is in use, and back into an empty one.

The published files are not in it: they are made of the rows again, byte for byte. Neither is the secret key, so that
whoever finds a backup cannot sign with it.
"""

import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import delete

from ml_service.errors import Conflict, InvalidRequest, Unavailable
from web.adapters.database import tables
from web.adapters.database.archive.file import MANIFEST, OBJECT, check_member, check_together, member, opened
from web.adapters.database.archive.objects import needed, put_missing
from web.adapters.database.archive.writing import Place, Watch, write_objects
from web.adapters.database.aside import appearing_whole, room_on, sync
from web.adapters.database.migrate import migrate
from web.adapters.database.store import SqlStore, SqlTransaction
from web.rows.transaction import Transaction

FORMAT = 1
DATABASE = "palate.db"
TRIES = 5
MOST_BYTES_A_MANIFEST = 64 * 2**20
_ONE_FILE = "PRAGMA journal_mode = DELETE"  # no log beside the database that would have to go with it
_LOGS = ("-wal", "-journal")
# Ways in may have been closed since the backup was made; who needs one gets a new one.
_WAYS_IN = (tables.sessions, tables.links)


class Backup(BaseModel):
    """What a backup says of itself: how many objects it holds, and the names of those that it lacks."""

    model_config = ConfigDict(extra="ignore")

    palate_backup: int
    objects: int
    lost: tuple[str, ...] = ()


def back_up(here: Place, target: Path, watch: Watch) -> Backup:
    """Write database and objects to a file; whoever reads or writes meanwhile is not held up."""
    _path_of(here.store)
    with appearing_whole(target) as draft, _beside(target) as aside, zipfile.ZipFile(draft, "w") as out:
        held, lost = _write_all(here, aside / DATABASE, out, watch)
        out.write(aside / DATABASE, DATABASE, zipfile.ZIP_DEFLATED)
        made = Backup(palate_backup=FORMAT, objects=held, lost=tuple(sorted(lost)))
        out.writestr(member(MANIFEST), made.model_dump_json(indent=2))
    return made


def restore(here: Place, source: Path, check_rows: Callable[[Transaction], None], watch: Watch) -> Backup:
    """Put what a backup holds into a place where nothing is; `check_rows` may still refuse it.

    The database takes its name last, so that a restore which is cut off can simply be repeated.
    """
    path = _path_of(here.store)
    with opened(source) as file:
        manifest = _read_manifest(file)
        keys = _check_members(file)
        _refuse_used(path, {*here.objects.list()} - keys)
        path.parent.mkdir(parents=True, exist_ok=True)
        with room_on(path), _beside(path) as aside:
            with file.open(DATABASE) as packed, (aside / DATABASE).open("wb") as plain:
                shutil.copyfileobj(packed, plain)
            wanted = sorted(_ready(aside / DATABASE, here, check_rows))
            if missing := set(wanted) - keys - set(manifest.lost):
                raise _broken(f"the image {min(missing)} is missing from it")
            put_missing(here.objects, watch([key for key in wanted if key in keys]), lambda key: file.read(_name(key)))
            _place(aside / DATABASE, path)
    return manifest


def _write_all(here: Place, snapshot: Path, out: zipfile.ZipFile, watch: Watch) -> tuple[int, frozenset[str]]:
    """Leave a snapshot of the database and write the objects that it needs; count them, and name those that are lost.

    What is gone when its turn comes may have been taken down after the snapshot; then the next one does not need it.
    """
    held: set[str] = set()
    lost: frozenset[str] = frozenset()
    for _ in range(TRIES):
        if lost:
            with here.store.begin():
                pass  # objects go just before their rows are committed: wait for whoever is between the two
        _take(here.store, snapshot)
        wanted = sorted(_needs(snapshot, here) - held)
        missing = frozenset(write_objects(out, here.objects, watch(wanted)))
        held |= set(wanted) - missing
        if missing <= lost:
            return len(held), missing
        lost = missing
    raise Unavailable("Images are being removed faster than they can be copied; try again later.")


def _take(store: SqlStore, target: Path) -> None:
    """Copy the database as it is at one moment, without what was deleted from it."""
    target.unlink(missing_ok=True)
    with _told(), closing(store.engines.reader.raw_connection()) as live, _copy(target) as copy:
        driver = live.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101  nothing else comes from an engine for SQLite
        driver.backup(copy)
        copy.execute(_ONE_FILE)
        copy.execute("VACUUM")
        _check(copy)


def _needs(database: Path, here: Place) -> set[str]:
    store = SqlStore.open(f"sqlite:///{database}")
    try:
        with store.read() as tx:
            return _needed(tx, here)
    finally:
        store.close()


def _needed(tx: SqlTransaction, here: Place) -> set[str]:
    return set(needed(tx, [study.id for study in tx.studies.all()], here.view_key))


def _read_manifest(file: zipfile.ZipFile) -> Backup:
    if MANIFEST not in file.namelist():
        raise _broken(f"{MANIFEST} is missing from it")
    with file.open(MANIFEST) as opened_manifest:
        text = opened_manifest.read(MOST_BYTES_A_MANIFEST)
    try:
        manifest = Backup.model_validate_json(text)
    except ValidationError as error:
        raise InvalidRequest("This is no backup of Palate. What `export` wrote is brought in with `import`.") from error
    if manifest.palate_backup > FORMAT:
        raise InvalidRequest("This backup was made by a newer Palate than this one. Update Palate and restore it then.")
    return manifest


def _check_members(file: zipfile.ZipFile) -> set[str]:
    """Return the names of the objects in a backup that has nothing else in it but what belongs there."""
    check_together(file.infolist())
    names = {info.filename for info in file.infolist()} - {MANIFEST}
    if DATABASE not in names:
        raise _broken(f"{DATABASE} is missing from it")
    for info in file.infolist():
        check_member(info, 2**63)
    found = {name: OBJECT.fullmatch(name) for name in names - {DATABASE}}
    if strange := sorted(name for name, match in found.items() if match is None):
        raise _broken(f"{strange[0][:80]!r} is no member of a backup")
    return {match[1] for match in found.values() if match is not None}


def _name(key: str) -> str:
    return f"objects/{key}"


def _refuse_used(path: Path, others: set[str]) -> None:
    # A log that another database left behind would be played into the one that takes its name.
    files = [file for file in (path, *(path.with_name(path.name + end) for end in _LOGS)) if file.exists()]
    if files or others:
        found = files[0] if files else f"the object {min(others)}"
        raise Conflict(
            f"There is something here already: {found}. A backup goes into an empty place; set DATA_DIR to an empty "
            "folder and restore again. Nothing was changed."
        )


def _ready(database: Path, here: Place, check_rows: Callable[[Transaction], None]) -> set[str]:
    """Bring a restored database to the newest schema, close the ways in, and return the objects that it needs."""
    with _copy(database) as copy:
        _check(copy)
        if copy.execute("SELECT 1 FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone():
            raise _broken("its database does things of its own")
    migrate(f"sqlite:///{database}")
    store = SqlStore.open(f"sqlite:///{database}")
    try:
        with store.begin() as tx:
            for table in _WAYS_IN:
                tx.connection.execute(delete(table))
            check_rows(tx)
            return _needed(tx, here)
    finally:
        store.close()


def _place(draft: Path, target: Path) -> None:
    """Give a database its name, unless the name was taken meanwhile."""
    with _copy(draft) as copy:
        copy.execute(_ONE_FILE)
    handle = os.open(draft, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, target)
    except FileExistsError:
        _refuse_used(target, set())
    sync(target.parent)


@contextmanager
def _copy(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database file that nobody else uses."""
    with _told(), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@contextmanager
def _told() -> Iterator[None]:
    """Raise Conflict where a database turns out to be damaged."""
    try:
        yield
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise _damaged(str(error)) from error


def _check(connection: sqlite3.Connection) -> None:
    told = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(1)")]
    if told != ["ok"] or connection.execute("PRAGMA foreign_key_check").fetchone():
        raise _damaged(told[0] if told != ["ok"] else "rows refer to others that are not there")


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Give a folder on the disk of a file, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.", suffix=".parts") as folder:
        yield Path(folder)


def _path_of(store: SqlStore) -> Path:
    address = store.engines.writer.url
    if address.get_backend_name() != "sqlite" or not address.database:
        raise InvalidRequest(
            "`backup` and `restore` are for SQLite. Postgres is backed up with its own tools, such as pg_dump, and "
            "DATA_DIR beside it; `export --project` writes rows and images of either into one file."
        )
    return Path(address.database)


def _damaged(why: str) -> Conflict:
    return Conflict(f"The database is damaged ({why}); restore the last backup that is whole into an empty place.")


def _broken(why: str) -> InvalidRequest:
    return InvalidRequest(f"This backup is broken: {why}. Nothing was changed; take another one.")
