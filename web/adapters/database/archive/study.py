"""A study out of one database and into another that may have studies of its own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import update
from sqlalchemy.exc import DataError

from ml_service.errors import InvalidRequest, NotFound
from web.adapters.database import tables
from web.adapters.database.archive.file import ArchiveFile, Manifest, broken
from web.adapters.database.archive.merge import Merge
from web.adapters.database.archive.objects import check, needed, put_missing
from web.adapters.database.archive.rows import TABLES, Extent, in_batches, rows_of
from web.adapters.database.archive.scratch import loaded
from web.adapters.database.archive.writing import Place, Watch, export
from web.adapters.database.store import SqlTransaction
from web.domain.accounts import Membership
from web.domain.ids import new_id
from web.domain.studies.experiment import Output
from web.domain.studies.study import Study
from web.rows.transaction import Transaction

_IMPORTED = TABLES["study"][1:]  # all but the project: a study becomes one of a project that is there
Arrive = Callable[[Transaction, Study], None]


@dataclass(frozen=True)
class Arrival:
    """What an import added: rows by table, and images."""

    id: str
    name: str
    rows: dict[str, int]
    images: int


class StudyArchive:
    """Takes studies out of a place, and brings them in."""

    def __init__(self, here: Place) -> None:
        self.here = here

    def export(self, study_id: str, target: Path, watch: Watch) -> Manifest:
        """Write a study to a file; `watch` is shown the images as they are read."""
        return export(self.here, Extent("study", study_id), target, watch)

    def load(self, path: Path, arrive: Arrive, watch: Watch) -> Arrival:
        """Bring a file's study in: all of it or nothing, and nothing twice.

        The whole file is first loaded into a database of its own, so that a broken one is refused before anything is
        written. Then come the objects, then all rows in one transaction; `arrive` adds to it where anything is new.
        """
        with ArchiveFile.open(path) as archive:
            if archive.manifest.holds != "study":
                raise InvalidRequest("This archive holds a whole project, not one study.")
            with loaded(archive) as scratch, scratch.read() as there:
                incoming = _Incoming(archive, there, self.here)
                incoming.check()
                with self.here.store.read() as tx:
                    keys = incoming.wanted(tx)
                images = put_missing(self.here.objects, watch(keys), archive.body)
                rows = self._merge(incoming, arrive)
                put_missing(self.here.objects, keys, archive.body)  # what was being deleted until the rows were there
        return Arrival(archive.manifest.id, archive.manifest.name, rows, images)

    def _merge(self, incoming: "_Incoming", arrive: Arrive) -> dict[str, int]:
        study, there = incoming.study, incoming.there
        try:
            with self.here.store.begin() as tx:
                keys = set(incoming.wanted(tx))
                tx.lock_objects(keys)
                merge = Merge(tx.connection, {study.project_id: _project(tx, study)})
                before = frozenset(member.user_id for member in tx.memberships.all())
                extent = incoming.archive.manifest.extent
                rows = {
                    table.name: merge.add_all(table, rows_of(there.connection, table, extent)) for table in _IMPORTED
                }
                if rows["studies"]:
                    _show_examples(tx, study, merge.ids)
                _revive(tx, [output for output in there.outputs.all() if output.object_key in keys])
                people = {row["id"] for row in rows_of(there.connection, tables.users, extent)}
                now_here = tx.studies.get(study.id)
                _admit(tx, {merge.ids.get(who, who) for who in people} - before, now_here)
                if any(rows.values()):
                    arrive(tx, now_here)
                return rows
        except DataError as error:
            raise broken(f"the database refuses a value ({error.orig})") from error


class _Incoming:
    """A study that has been loaded beside the place where it is to go."""

    def __init__(self, archive: ArchiveFile, there: SqlTransaction, here: Place) -> None:
        self.archive, self.there, self.here = archive, there, here
        self.study = there.studies.get(archive.manifest.id)

    def check(self) -> None:
        """Refuse images that are none, and those that are not what their rows say."""
        check(needed(self.there, [self.study.id], self.here.view_key), self.archive.manifest.lost, self.archive.body)

    def wanted(self, tx: SqlTransaction) -> list[str]:
        """Name the objects to bring: not those of inputs that were taken down here."""
        gone = {source.id for source in tx.inputs.all(study_id=self.study.id) if source.removed_at is not None}
        return sorted(needed(self.there, [self.study.id], self.here.view_key, gone).keys() - self.archive.manifest.lost)


def _show_examples(tx: SqlTransaction, study: Study, ids: Mapping[str, str]) -> None:
    """Let a guide name the outputs that are its examples as they are called here; those of other studies stay away."""
    translated = {score: ids.get(output, output) for score, output in study.guide.examples.items()}
    here = {output.id for output in tx.outputs.all(id=tuple(translated.values()))}
    examples = {score: output for score, output in translated.items() if output in here}
    changed = update(tables.studies).where(tables.studies.c.id == study.id)
    tx.connection.execute(changed.values(guide=replace(study.guide, examples=examples)))


def _revive(tx: SqlTransaction, brought: Sequence[Output]) -> None:
    """Note that outputs that were gone here are there again, under the names that they were brought under."""
    for batch in in_batches(brought):
        names = {output.content_hash: output.object_key for output in batch}
        for known in tx.outputs.all(content_hash=tuple(names)):
            if known.removed_at is not None:
                tx.of_objects.revive(known.id, names[known.content_hash])


def _project(tx: SqlTransaction, study: Study) -> str:
    """Return the project that a study becomes part of: its own where that is here, else the first one."""
    own = tx.projects.find(id=study.project_id)
    project_id = own.id if own else tx.of_people.default_project()
    if project_id is None:
        raise NotFound("This database has no project yet; start Palate once with `python -m web serve`.")
    return project_id


def _admit(tx: SqlTransaction, people: Iterable[str], study: Study) -> None:
    """Make people members who are in no project here, as raters: an archive gives nobody more rights than that."""
    tx.memberships.add_all(
        Membership(new_id(), study.project_id, user_id, "rater", study.created_at) for user_id in sorted(people)
    )
