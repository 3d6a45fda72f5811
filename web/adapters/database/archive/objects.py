"""Which objects rows need, and whether they are what the rows say."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from ml_service.errors import NotFound
from ml_service.objects import ObjectStore
from web.adapters.database import tables
from web.adapters.database.archive.file import broken
from web.adapters.database.store import SqlTransaction
from web.domain.studies.study import Input

IMAGES = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True)
class Kept:
    """What is known of an object that a row needs: its media type and its SHA-256, empty for a derived one."""

    media_type: str
    content_hash: str


def needed(
    tx: SqlTransaction,
    study_ids: Iterable[str],
    view_key: Callable[[Input], str],
    gone: Collection[str] = (),
) -> dict[str, Kept]:
    """Return the objects that studies need, by their names; `gone` names inputs that are not wanted any more.

    What was taken down or removed is not needed, neither are the outputs made of it.
    """
    objects: dict[str, Kept] = {}
    for study_id in study_ids:
        for source in tx.inputs.all(study_id=study_id, removed_at=None, kind="image"):
            if source.id not in gone:
                objects[source.object_key] = Kept(source.media_type, source.content_hash)
                objects[view_key(source)] = Kept(IMAGES[0], "")
        made = (
            select(tables.outputs, tables.options.c.input_id)
            .join(tables.options, tables.options.c.output_id == tables.outputs.c.id)
            .join(tables.inputs, tables.inputs.c.id == tables.options.c.input_id)
            .where(tables.options.c.study_id == study_id, tables.inputs.c.removed_at.is_(None))
            .where(tables.outputs.c.removed_at.is_(None))
        )
        for row in tx.connection.execute(made):
            if row.input_id not in gone:
                objects[row.object_key] = Kept(row.media_type, row.content_hash)
    return objects


def check(objects: Mapping[str, Kept], lost: Collection[str], body: Callable[[str], bytes]) -> None:
    """Refuse objects that are no images, and those whose bytes are not what their row says."""
    for key, kept in objects.items():
        if kept.media_type not in IMAGES:
            raise broken(f"{key} is no image but {kept.media_type}")
        if key not in lost and not _fits(key, kept.content_hash, body(key)):
            raise broken(f"the image {key} is not the one that its row names")


def _fits(key: str, content_hash: str, body: bytes) -> bool:
    found = hashlib.sha256(body).hexdigest()
    return not content_hash or (found, key.split("/")[-1].split(".")[0]) == (content_hash, content_hash)


def put_missing(objects: ObjectStore, keys: Iterable[str], body: Callable[[str], bytes]) -> int:
    """Store the objects that are not there yet; return how many there were."""
    return sum(objects.create(key, body(key)) for key in keys if not objects.has(key))


def found(objects: ObjectStore, key: str) -> bytes | None:
    """Return an object's bytes, or None where it is lost."""
    try:
        return objects.read(key)
    except NotFound:
        return None
