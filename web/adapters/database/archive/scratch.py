"""A database that lives as long as an archive is looked at: what is broken shows here, before anything is written."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from web.adapters.database import tables
from web.adapters.database.archive.file import ArchiveFile, broken
from web.adapters.database.archive.rows import in_batches, rows_of
from web.adapters.database.store import SqlStore


@contextmanager
def loaded(archive: ArchiveFile) -> Iterator[SqlStore]:
    """Load all rows of an archive into an empty database, whose types, checks and keys they must pass."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore.open(f"sqlite:///{folder}/archive.db")
        try:
            tables.metadata.create_all(store.engines.writer)
            _fill(store, archive)
            _compare(store, archive)
            yield store
        finally:
            store.close()


def _fill(store: SqlStore, archive: ArchiveFile) -> None:
    try:
        with store.engines.writer.begin() as connection:
            for table in archive.manifest.extent.tables:
                for batch in in_batches(archive.rows(table)):
                    connection.execute(table.insert(), batch)
    except SQLAlchemyError as error:
        raise broken(f"its rows do not belong together ({getattr(error, 'orig', error)})") from error


def _compare(store: SqlStore, archive: ArchiveFile) -> None:
    manifest = archive.manifest
    with store.read() as tx:
        held = tx.studies.all() if manifest.holds == "study" else tx.projects.all()
        if [each.id for each in held] != [manifest.id]:
            raise broken(f"it does not hold the one {manifest.holds} that it names")
        for table in manifest.extent.tables:
            found = sum(1 for _ in rows_of(tx.connection, table, manifest.extent))
            made_with = manifest.rows.get(table.name)
            if found != made_with:
                raise broken(f"{table.name} has {found} rows, not the {made_with} it was made with")
