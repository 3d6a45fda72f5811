"""A whole project out of one database and into an empty one, on either engine."""

from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Table, exists, func, or_, select, text
from sqlalchemy.exc import DataError

from ml_service.errors import Conflict, InvalidRequest, NotFound
from web.adapters.database import tables
from web.adapters.database.archive.file import ArchiveFile, Manifest, broken
from web.adapters.database.archive.objects import check, put_missing
from web.adapters.database.archive.rows import Extent, in_batches, rows_of
from web.adapters.database.archive.scratch import loaded
from web.adapters.database.archive.study import Arrival
from web.adapters.database.archive.writing import Place, Watch, export
from web.adapters.database.store import SqlTransaction
from web.domain.studies.study import Project
from web.rows.transaction import Transaction

Arrive = Callable[[Transaction, Project], None]
# Where one of these has a row, somebody has been at work: nothing of theirs is ever replaced.
_USED = (
    tables.sessions,
    tables.passwords,
    tables.api_keys,
    tables.leases,
    tables.ratings,
    tables.tombstones,
    tables.exclusions,
    tables.enrolments,
    tables.feedback,
)


class ProjectArchive:
    """Takes a project out of a place whole, and brings one into a place that nobody has used yet."""

    def __init__(self, here: Place) -> None:
        self.here = here

    def export(self, target: Path, watch: Watch) -> Manifest:
        """Write the project to a file; `watch` is shown the images as they are read."""
        with self.here.store.read() as tx:
            project_id = tx.of_people.default_project()
        if project_id is None:
            raise NotFound("This database has no project yet; start Palate once with `python -m web serve`.")
        return export(self.here, Extent("project", project_id), target, watch)

    def load(self, path: Path, check_rows: Arrive, arrive: Arrive, watch: Watch) -> Arrival:
        """Bring a file's project in, as it was: all of it or nothing.

        As for a study, the whole file must pass in a database of its own first; there `check_rows` looks at what only
        services understand. What a first start had made in the place is replaced, and `arrive` takes the work up.
        """
        with ArchiveFile.open(path) as archive:
            if archive.manifest.holds != "project":
                raise InvalidRequest("This archive holds one study, not a whole project.")
            with self.here.store.read() as tx:
                _refuse_used(tx)
            with loaded(archive) as scratch, scratch.read() as there:
                project = there.projects.get(archive.manifest.id)
                objects = self.here.needs(there, archive.manifest.extent)
                check(objects, archive.manifest.lost, archive.body)
                check_rows(there, project)
                keys = sorted(objects.keys() - archive.manifest.lost)
                images = put_missing(self.here.objects, watch(keys), archive.body)
                former = self._replace(archive, there, keys, lambda tx: arrive(tx, project))
                put_missing(self.here.objects, keys, archive.body)  # what was being deleted until the rows were there
        self._forget(former - set(keys), project)
        return Arrival(project.id, project.name, archive.manifest.rows, images)

    def _replace(
        self, archive: ArchiveFile, there: SqlTransaction, keys: list[str], arrive: Callable[[Transaction], None]
    ) -> set[str]:
        """Put the rows in the place of what a first start made; return the objects that only the latter needed."""
        try:
            with self.here.store.begin() as tx:
                _lock_all(tx)
                _refuse_used(tx)
                former = {key for each in tx.projects.all() for key in self.here.needs(tx, Extent("project", each.id))}
                _clear(tx)
                tx.lock_objects([*keys, *former])
                for table, rows in _by_table(there, archive.manifest.extent):
                    tx.connection.execute(table.insert(), rows)
                arrive(tx)
                return former
        except DataError as error:
            raise broken(f"the database refuses a value ({error.orig})") from error

    def _forget(self, former: set[str], project: Project) -> None:
        with self.here.store.begin() as tx:
            tx.lock_objects(former)
            gone = former - self.here.needs(tx, Extent("project", project.id)).keys()
        for key in gone:  # names that nobody takes up again: those of later inputs are new
            self.here.objects.delete(key)


def _refuse_used(tx: SqlTransaction) -> None:
    """Let only a database be replaced that is empty, or that holds no more than a first start puts there."""
    here = tables.studies.c, tables.inputs.c, tables.prompt_versions.c, tables.prompt_pointers.c
    studies, inputs, versions, pointers = here
    made = or_(
        *(exists(select(table.c[table.primary_key.columns.keys()[0]])) for table in _USED),
        exists(select(studies.id).where(~studies.demo)),
        exists(select(inputs.id).where(~inputs.demo)),
        exists(select(versions.id).where(versions.status != "released")),
        exists(select(pointers.id).where(pointers.revision > 0)),
        select(func.count() > 1).select_from(tables.projects).scalar_subquery(),
    )
    if tx.connection.execute(select(made)).scalar():
        raise Conflict(
            "This database is in use: somebody has signed in, or it holds studies, ratings or versions of its own. A "
            "project goes into an empty place; set DATABASE_URL to an empty database, or DATA_DIR to an empty folder, "
            "and import again. Nothing was changed."
        )


def _lock_all(tx: SqlTransaction) -> None:
    """Keep everybody else from writing until this is done; SQLite has one writer anyway."""
    if tx.connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in tables.metadata.sorted_tables)
        tx.connection.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def _clear(tx: SqlTransaction) -> None:
    for table in reversed(tables.metadata.sorted_tables):
        tx.connection.execute(table.delete())


def _by_table(there: SqlTransaction, extent: Extent) -> Iterator[tuple[Table, list[dict[str, object]]]]:
    for table in extent.tables:
        for rows in in_batches(rows_of(there.connection, table, extent)):
            yield table, rows
