"""Photos on their way into a study: what is to come is noted first, so that what is missing can be named later."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ml_service.errors import InvalidRequest, NotFound, TooLarge
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.jobs import fetch_job, plan_job
from web.domain.studies import manifest
from web.domain.studies.batch import (
    ITEMS_LIMIT,
    LABEL_LIMIT,
    LISTED_AT_ONCE,
    PATH_LIMIT,
    TRIES,
    Batch,
    BatchSummary,
    Item,
    ItemState,
)
from web.domain.studies.manifest import Listed, ManifestKind
from web.domain.studies.study import Input, Study
from web.domain.text import is_file_name
from web.ports.parts import Parts
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.studies.intake import present_or_added, store_image

SAID_LIMIT = 400
REFUSED = 200  # refused files that a summary names


@dataclass(frozen=True)
class Chosen:
    """One file that somebody chose: where it lies in its folder, and how many bytes it has."""

    path: str
    size: int


def begin(parts: Parts, admin: Actor, study_id: str, label: str) -> Batch:
    """Begin an upload, or go on with their open one of that label, as the same folder chosen again."""
    kept = label.strip()
    if not 0 < len(kept) <= LABEL_LIMIT or not is_file_name(kept):
        raise InvalidRequest(f"An upload needs a label of 1 to {LABEL_LIMIT} characters, such as the folder's name.")
    with parts.store.begin() as tx:
        study = rights.found(tx.studies, admin, "steer", "study", study_id)
        tx.of_studies.lock(study.id)
        made_by = admin.user_id or None
        known = tx.batches.find(study_id=study.id, label=kept, made_by=made_by, closed_at=None)
        return known or tx.batches.add(Batch(new_id(), study.id, kept, parts.clock.now(), made_by))


def expect(parts: Parts, admin: Actor, batch_id: str, chosen: Sequence[Chosen]) -> tuple[Item, ...]:
    """Note files that are to come, and return what is known of each, in the same order.

    One whose size has changed is waited for again, and so is one whose photo was taken down: its path was forgotten.
    """
    if len(chosen) > LISTED_AT_ONCE:
        raise TooLarge(f"List at most {LISTED_AT_ONCE:,} files at once.")
    for one in chosen:
        _check(one)
    with parts.store.begin() as tx:
        batch = _batch(tx, admin, batch_id)
        known = tx.of_photos.items_at(batch.id, (one.path for one in chosen))
        new = {one.path: one for one in chosen if one.path not in known}
        if new and tx.of_photos.summary(batch, 0).total + len(new) > ITEMS_LIMIT:
            raise TooLarge(f"An upload has at most {ITEMS_LIMIT:,} photos; choose a part of the folder.")
        tx.of_photos.add_items(Item(new_id(), batch.id, one.path, one.size) for one in new.values())
        sizes = {one.path: one.size for one in chosen}
        for item in known.values():
            if item.size != sizes[item.path]:
                tx.batch_items.replace(_anew(item, sizes[item.path]))
        found = tx.of_photos.items_at(batch.id, (one.path for one in chosen))
    return tuple(found[one.path] for one in chosen)


def expect_listed(
    parts: Parts, admin: Actor, batch_id: str, text: str, kind: ManifestKind, folder: str = ""
) -> BatchSummary:
    """Note what a manifest lists: files that are to come, and addresses that a job asks; all of it or nothing.

    `folder` is where the manifest lies within what was chosen: its files are named from there. An address that was
    refused is asked again.
    """
    listed = manifest.read(text, kind, _folder(folder))
    with parts.store.begin() as tx:
        batch = _batch(tx, admin, batch_id)
        tx.of_photos.add_listed(_item(batch, one) for one in listed)
        if any(one.is_address for one in listed):
            tx.of_jobs.add_once([fetch_job(batch.id, batch.study_id, parts.clock.now())])
        noted = tx.of_photos.summary(batch, REFUSED)
        if noted.total > ITEMS_LIMIT:
            raise TooLarge(f"An upload has at most {ITEMS_LIMIT:,} photos; divide the manifest.")
        return noted


def _folder(given: str) -> str:
    folder = given.strip("/")
    if len(folder) > PATH_LIMIT or not is_file_name(folder) or ".." in folder.split("/"):
        raise InvalidRequest(f"The folder of a manifest is a path of at most {PATH_LIMIT} characters, without '..'.")
    return folder


def _item(batch: Batch, one: Listed) -> Item:
    state: ItemState = "fetching" if one.is_address else "missing"
    return Item(new_id(), batch.id, one.path, 0, state, one.name, one.stratum, one.related, one.metadata)


def _check(one: Chosen) -> None:
    if not 0 < len(one.path) <= PATH_LIMIT or not is_file_name(one.path):
        raise InvalidRequest(f"The path {one.path[:60]!r} has no 1 to {PATH_LIMIT} characters that can be shown.")
    if not 0 <= one.size < 2**31:
        raise InvalidRequest(f"{one.path[:60]}: its size must be 0 to {2**31 - 1} bytes.")


def _anew(item: Item, size: int) -> Item:
    return replace(item, size=size, state="missing", sha256="", said="", input_id=None)


def receive(parts: Parts, admin: Actor, item_id: str, body: bytes) -> Item:
    """Take the bytes of an item in as a photo, or note why not; the same bytes again change nothing."""
    with parts.store.read() as tx:
        item = tx.batch_items.get(item_id)
        batch = _batch(tx, admin, item.batch_id)
        study = tx.studies.get(batch.study_id)
    sha256 = hashlib.sha256(body).hexdigest()
    if item.is_settled and item.sha256 == sha256:
        return item
    try:
        image = parts.cleaner.clean(body)
    except (InvalidRequest, TooLarge) as error:
        return settle(parts, item.id, "refused", str(error), sha256=sha256)
    incoming = store_image(
        parts,
        study,
        item.name or item.path.rpartition("/")[2],
        image,
        stratum=item.stratum,
        related=item.related,
        metadata=item.metadata,
        added_by=admin.user_id or None,
    )
    return _kept(parts, admin, study, item.id, incoming, sha256)


def _kept(parts: Parts, admin: Actor, study: Study, item_id: str, incoming: Input, sha256: str) -> Item:
    now = parts.clock.now()
    with parts.store.begin() as tx:
        item = _locked(tx, item_id)
        kept = present_or_added(tx, parts, study, incoming)
        is_new = kept.id == incoming.id or (item.state == "added" and item.input_id == kept.id)
        settled = replace(item, state="added" if is_new else "known", sha256=sha256, said="", input_id=kept.id)
        settled = tx.batch_items.replace(settled)
        tx.of_jobs.add_once([plan_job(study.id, now)])
        if kept.id == incoming.id:
            record(tx, now, admin, "input.added", ("input", kept.id), after=kept, details={"study": study.id})
        return settled


def settle(parts: Parts, item_id: str, state: ItemState, said: str = "", *, sha256: str = "") -> Item:
    """Note what became of an item without a photo, and why."""
    with parts.store.begin() as tx:
        item = _locked(tx, item_id)
        return tx.batch_items.replace(replace(item, state=state, said=said[:SAID_LIMIT], sha256=sha256, input_id=None))


def put_off(parts: Parts, item_id: str, said: str) -> bool:
    """Note that an address gave no photo this time, and tell whether that was the last time it is asked."""
    with parts.store.begin() as tx:
        item = _locked(tx, item_id)
        if item.is_settled:
            return True
        is_last = item.tries + 1 >= TRIES
        state: ItemState = "refused" if is_last else "fetching"
        tx.batch_items.replace(replace(item, tries=item.tries + 1, said=said[:SAID_LIMIT], state=state))
        return is_last


def _locked(tx: Transaction, item_id: str) -> Item:
    item = tx.of_photos.lock_item(item_id)
    if item is None:
        raise NotFound(f"There is no item {item_id} of an upload; choose its file again.")
    return item


def summary(parts: Parts, admin: Actor, batch_id: str) -> BatchSummary:
    """Return how far an upload has come, with the files that were refused."""
    with parts.store.snapshot() as tx:
        return tx.of_photos.summary(_batch(tx, admin, batch_id), REFUSED)


def close(parts: Parts, admin: Actor, batch_id: str) -> None:
    """Put an upload away: it is told of no more, and what has not come is not waited for; done twice, no error."""
    with parts.store.begin() as tx:
        batch = _batch(tx, admin, batch_id)
        if batch.closed_at is None:
            tx.batches.replace(replace(batch, closed_at=parts.clock.now()))


def _batch(tx: Transaction, admin: Actor, batch_id: str) -> Batch:
    batch = tx.batches.find(id=batch_id)
    if batch is None:
        raise NotFound(f"There is no upload {batch_id}.")
    rights.found(tx.studies, admin, "steer", "study", batch.study_id)
    return batch
