"""Write an archive: the rows of one moment, and the objects that they need."""

import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_service.objects import ObjectStore
from web.adapters.database.archive.file import MANIFEST, Manifest, member, rows_member
from web.adapters.database.archive.objects import Kept, found, needed
from web.adapters.database.archive.rows import FORMAT, Extent, rows_of, to_line
from web.adapters.database.aside import appearing_whole
from web.adapters.database.store import SqlStore, SqlTransaction
from web.domain.studies.study import Input

Watch = Callable[[Sequence[str]], Iterable[str]]


@dataclass(frozen=True)
class Place:
    """Where rows and objects live; `view_key` names the object that pages show of an input."""

    store: SqlStore
    objects: ObjectStore
    view_key: Callable[[Input], str]

    def needs(self, tx: SqlTransaction, extent: Extent) -> dict[str, Kept]:
        """Return the objects that an extent needs, by their names."""
        return needed(tx, tx.connection.execute(extent.studies()).scalars().all(), self.view_key)


def export(here: Place, extent: Extent, target: Path, watch: Watch) -> Manifest:
    """Write an archive to a file that appears only once it is whole; `watch` is shown the objects as they are read."""
    with appearing_whole(target) as draft, zipfile.ZipFile(draft, "w") as out:
        name, rows, keys = _write_rows(out, here, extent)
        lost = write_objects(out, here.objects, watch(keys))
        manifest = Manifest(
            palate_archive=FORMAT,
            holds=extent.kind,
            id=extent.id,
            name=name,
            rows=rows,
            objects=len(keys) - len(lost),
            lost=lost,
        )
        out.writestr(member(MANIFEST), manifest.model_dump_json(indent=2))
    return manifest


def _write_rows(out: zipfile.ZipFile, here: Place, extent: Extent) -> tuple[str, dict[str, int], list[str]]:
    with here.store.snapshot() as tx:
        name = tx.studies.get(extent.id).name if extent.kind == "study" else tx.projects.get(extent.id).name
        counts = dict.fromkeys((table.name for table in extent.tables), 0)
        for table in extent.tables:
            with out.open(member(rows_member(table)), "w", force_zip64=True) as lines:
                for row in rows_of(tx.connection, table, extent):
                    lines.write(to_line(table, row))
                    counts[table.name] += 1
        return name, counts, sorted(here.needs(tx, extent))


def write_objects(out: zipfile.ZipFile, objects: ObjectStore, keys: Iterable[str]) -> tuple[str, ...]:
    """Write objects into a zip, and return the names of those that are not in the store."""
    lost = []
    for key in keys:
        body = found(objects, key)
        if body is None:
            lost.append(key)
        else:
            out.writestr(member(f"objects/{key}", packed=False), body)
    return tuple(lost)
