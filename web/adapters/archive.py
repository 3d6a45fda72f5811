"""A study as one file: all its rows and images, taken out at one moment and brought into any database."""

import errno
import hashlib
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Table, select, text
from sqlalchemy.exc import DataError, SQLAlchemyError

from ml_service.errors import NotFound, StorageFull
from ml_service.objects import ObjectStore
from web.adapters import tables
from web.adapters.archive_file import FORMAT, MANIFEST, ArchiveFile, Manifest, broken, rows_member
from web.adapters.archive_merge import Merge
from web.adapters.archive_rows import TABLES, Row, from_line, in_batches, rows_of, to_line
from web.adapters.store import SqlStore, Transaction
from web.domain.access import Membership
from web.domain.ids import new_id
from web.domain.study import Input, Study
from web.transactions import Transaction as AnyTransaction

Watch = Callable[[Sequence[str]], Iterable[str]]
IMAGES = ("image/jpeg", "image/png", "image/webp")
_IMPORTED = TABLES[1:]  # all but the project: a study becomes one of a project that is there


@dataclass(frozen=True)
class Arrival:
    """What an import added: rows by table, and images."""

    study_id: str
    study_name: str
    rows: dict[str, int]
    images: int


class Archive:
    """Takes studies out of a store with their objects, and brings them in; `view_key` names an input's small image."""

    def __init__(self, store: SqlStore, objects: ObjectStore, view_key: Callable[[Input], str]) -> None:
        self.store, self.objects, self.view_key = store, objects, view_key

    def export(self, study_id: str, target: Path, made_at: datetime, watch: Watch) -> Manifest:
        """Write a study to a file that appears only once it is whole; `watch` is shown the images as they are read."""
        draft = target.with_name(f".{target.name}.part")
        try:
            with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as out:
                study, rows, keys = self._write_rows(out, study_id)
                lost = self._write_objects(out, watch(keys))
                manifest = Manifest(
                    palate_archive=FORMAT,
                    study_id=study.id,
                    study_name=study.name,
                    made_at=made_at,
                    rows=rows,
                    objects=len(keys) - len(lost),
                    lost=lost,
                )
                out.writestr(MANIFEST, manifest.model_dump_json(indent=2))
            draft.replace(target)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(f"The disk that holds {target} is full; free some room and try again.") from error
            raise
        finally:
            draft.unlink(missing_ok=True)
        return manifest

    def _write_rows(self, out: zipfile.ZipFile, study_id: str) -> tuple[Study, dict[str, int], list[str]]:
        with self.store.read() as tx:
            if tx.connection.dialect.name == "postgresql":  # SQLite reads from one moment anyway
                tx.connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            study = tx.studies.get(study_id)
            counts = {}
            for table in TABLES:
                with out.open(rows_member(table), "w", force_zip64=True) as member:
                    counts[table.name] = 0
                    for row in rows_of(tx.connection, table, study_id):
                        member.write(to_line(table, row))
                        counts[table.name] += 1
            return study, counts, sorted(self._objects_of(tx, study_id))

    def _write_objects(self, out: zipfile.ZipFile, keys: Iterable[str]) -> tuple[str, ...]:
        lost = []
        for key in keys:
            try:
                body = self.objects.read(key)
            except NotFound:
                lost.append(key)
            else:
                out.writestr(zipfile.ZipInfo(f"objects/{key}"), body, zipfile.ZIP_STORED)
        return tuple(lost)

    def _objects_of(
        self, tx: Transaction, study_id: str, gone: frozenset[str] = frozenset()
    ) -> dict[str, tuple[str, str]]:
        """Return the objects that a study needs, each with its media type and its SHA-256, empty for derived ones.

        What was taken down is not needed, neither are the outputs made of it.
        """
        needed: dict[str, tuple[str, str]] = {}
        for source in tx.inputs.all(study_id=study_id, removed_at=None, kind="image"):
            if source.id not in gone:
                needed[source.object_key] = source.media_type, source.content_hash
                needed[self.view_key(source)] = IMAGES[0], ""
        made = (
            select(tables.outputs, tables.options.c.input_id)
            .join(tables.options, tables.options.c.output_id == tables.outputs.c.id)
            .join(tables.inputs, tables.inputs.c.id == tables.options.c.input_id)
            .where(tables.options.c.study_id == study_id, tables.inputs.c.removed_at.is_(None))
        )
        for row in tx.connection.execute(made):
            if row.input_id not in gone:
                needed[row.object_key] = row.media_type, row.content_hash
        return needed

    def load(self, path: Path, arrive: Callable[[AnyTransaction, Study], None], watch: Watch) -> Arrival:
        """Bring a file's study in: all of it or nothing, and nothing twice.

        The whole file is first loaded into a database of its own, so that a broken one is refused before anything is
        written. Then come the objects, then all rows in one transaction; `arrive` adds to it where anything is new.
        """
        with ArchiveFile.open(path) as archive, _scratch() as scratch:
            study = _fill(scratch, archive)
            with scratch.read() as loaded, self.store.read() as tx:
                self._check_objects(loaded, study, archive)
                removed = tx.inputs.all(study_id=study.id)
                gone = frozenset(source.id for source in removed if source.removed_at is not None)
                needed = sorted(self._objects_of(loaded, study.id, gone).keys() - set(archive.manifest.lost))
            images = sum(self.objects.create(key, archive.body(key)) for key in watch(needed))
            with scratch.read() as loaded:
                rows = self._merge(loaded, study, arrive)
        return Arrival(study.id, study.name, rows, images)

    def _check_objects(self, loaded: Transaction, study: Study, archive: ArchiveFile) -> None:
        for key, (media_type, content_hash) in self._objects_of(loaded, study.id).items():
            if media_type not in IMAGES:
                raise broken(f"{key} is no image but {media_type}")
            if key in archive.manifest.lost:
                continue
            body = archive.body(key)
            if content_hash and (hashlib.sha256(body).hexdigest(), key.split("/")[-1]) != (content_hash, content_hash):
                raise broken(f"the image {key} is not the one that was exported")

    def _merge(
        self, loaded: Transaction, study: Study, arrive: Callable[[AnyTransaction, Study], None]
    ) -> dict[str, int]:
        try:
            with self.store.begin() as tx:
                merge = Merge(tx.connection, {study.project_id: _project(tx, study)})
                before = frozenset(member.user_id for member in tx.memberships.all())
                rows = {
                    table.name: merge.add_all(table, rows_of(loaded.connection, table, study.id)) for table in _IMPORTED
                }
                people = {row["id"] for row in rows_of(loaded.connection, tables.users, study.id)}
                now_here = tx.studies.get(study.id)
                _admit(tx, {merge.ids.get(who, who) for who in people} - before, now_here)
                if any(rows.values()):
                    arrive(tx, now_here)
                return rows
        except DataError as error:
            raise broken(f"the database refuses a value ({error.orig})") from error


def _project(tx: Transaction, study: Study) -> str:
    """Return the project that a study becomes part of: its own where that is here, else the first one."""
    own = tx.projects.find(id=study.project_id)
    project_id = own.id if own else tx.of_people.default_project()
    if project_id is None:
        raise NotFound("This database has no project yet; start Palate once with `python -m web serve`.")
    return project_id


def _admit(tx: Transaction, people: Iterable[str], study: Study) -> None:
    """Make people members who are in no project here, as raters: an archive gives nobody more rights than that."""
    tx.memberships.add_all(
        Membership(new_id(), study.project_id, user_id, "rater", study.created_at) for user_id in sorted(people)
    )


@contextmanager
def _scratch() -> Iterator[SqlStore]:
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore.open(f"sqlite:///{folder}/archive.db")
        try:
            tables.metadata.create_all(store.engines.writer)
            yield store
        finally:
            store.close()


def _fill(scratch: SqlStore, archive: ArchiveFile) -> Study:
    """Load all rows into an empty database, whose types, checks and keys they must pass; return the study."""
    manifest = archive.manifest
    try:
        with scratch.engines.writer.begin() as connection:
            for table in TABLES:
                for batch in in_batches(enumerate(archive.lines(table), start=1)):
                    rows = [_parsed(table, number, line) for number, line in batch]
                    connection.execute(table.insert(), rows)
    except SQLAlchemyError as error:
        raise broken(f"its rows do not belong together ({getattr(error, 'orig', error)})") from error
    with scratch.read() as tx:
        studies = tx.studies.all()
        if [study.id for study in studies] != [manifest.study_id]:
            raise broken("it does not hold the one study that it names")
        for table in TABLES:
            found = sum(1 for _ in rows_of(tx.connection, table, manifest.study_id))
            if found != manifest.rows.get(table.name):
                raise broken(f"{table.name} has {found} rows, not the {manifest.rows.get(table.name)} it was made with")
    return studies[0]


def _parsed(table: Table, number: int, line: bytes) -> Row:
    try:
        return from_line(table, line)
    except ValueError as error:
        raise broken(f"{rows_member(table)}, line {number}: {json.dumps(str(error))[:300]}") from error
