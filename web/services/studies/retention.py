"""Let go of what nobody needs any more: outputs that no rating needs, addresses that never came in, uploads."""

from datetime import datetime

from web.ports.parts import Parts
from web.services.studies.objects import delete, delete_later

BATCH = 50  # outputs that are locked at once; others who write wait meanwhile


def prune(parts: Parts) -> int:
    """Let go of the objects of outputs that were set aside unrated long ago; return how many there were.

    An output is needed while it is to be shown, while somebody holds it, and for ever once it has been rated.
    """
    if parts.retention is None:
        return 0
    before = parts.clock.now() - parts.retention
    with parts.store.begin() as tx:
        tx.of_erasure.forget_invited(before)
        tx.of_photos.forget_batches(before)
    pruned = 0
    while some := _some(parts, before):
        gone = _discard(parts, some, before)
        pruned += len(gone)
        if len(gone) < len(some):  # one of them is needed after all; the next hour looks again
            break
    return pruned


def _some(parts: Parts, before: datetime) -> tuple[str, ...]:
    with parts.store.read() as tx:
        return tx.of_objects.unneeded(before, BATCH)


def _discard(parts: Parts, keys: tuple[str, ...], before: datetime) -> tuple[str, ...]:
    """Let go of those of some objects that are still not needed once they are locked."""
    with parts.store.begin() as tx:
        tx.lock_objects(keys)
        gone = tx.of_objects.unneeded(before, len(keys), among=keys)
        tx.of_objects.remove(gone, parts.clock.now())
        delete_later(tx, gone, parts.clock.now())
    delete(parts, gone)
    return gone
