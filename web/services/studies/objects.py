"""Objects and the rows that need them: nothing present ever lacks its bytes, and what nothing needs goes.

The store is never asked inside a transaction, so whatever dies between the two must do no harm:

- Bytes are written *before* a transaction, under a name that was never used (`new_name`). A row claims them inside it.
- Who finds the same content there already, under the content's lock, shares its name, and its own bytes are surplus.
- That nothing needs a name any more is decided inside a transaction, under the same lock, and once: nobody takes the
  name up again, since who brings the content later brings a new name. So it does not matter when the bytes go, how
  often, or by whom. That they do go is what a job is for: one that deletes them, added in that transaction, or one
  that decides again, added by whoever took an input down.
"""

from collections.abc import Iterable
from datetime import datetime

from web.domain.batches import batches
from web.domain.ids import new_id
from web.domain.jobs import delete_job
from web.ports.parts import Parts
from web.rows.jobs import JobRows
from web.rows.studies import StudyRows

VIEW = ".view"  # what the object that pages show of an input is called beside the input's own


def new_name(folder: str, content_hash: str) -> str:
    """Name an object that is to be: its content up to the first dot, and what nobody else has after it."""
    return f"{folder}/{content_hash[:2]}/{content_hash}.{new_id()}"


def delete_later(tx: JobRows, keys: Iterable[str], now: datetime) -> None:
    """Have objects deleted that nothing needs, once this transaction is kept."""
    tx.of_jobs.add_once(delete_job(" ".join(batch), now) for batch in batches(sorted(set(keys))))


def delete(parts: Parts, keys: Iterable[str]) -> None:
    """Delete objects; those that an archive has brought back meanwhile stay."""
    wanted = tuple(keys)
    with parts.store.read() as tx:
        needed = _needed(tx, wanted)
    for key in wanted:
        if key not in needed:
            parts.objects.delete(key)


def discard(parts: Parts, keys: Iterable[str]) -> tuple[str, ...]:
    """Delete those of some objects that nothing present needs, and return them; asked again, it goes on."""
    return tuple(key for batch in batches(sorted(set(keys))) for key in _discard(parts, batch))


def _discard(parts: Parts, keys: tuple[str, ...]) -> tuple[str, ...]:
    with parts.store.begin() as tx:
        tx.lock_objects(keys)
        needed = _needed(tx, keys)
        gone = tuple(key for key in keys if key not in needed)
        tx.of_objects.remove(gone, parts.clock.now())
    delete(parts, gone)
    return gone


def _needed(tx: StudyRows, keys: tuple[str, ...]) -> set[str]:
    needed = tx.of_objects.needed({key.removesuffix(VIEW) for key in keys})
    return {key for key in keys if key.removesuffix(VIEW) in needed}
