"""Objects and the rows that need them: what nothing needs any more may go, and goes only under a lock."""

from collections.abc import Iterable

from web.domain.batches import batches
from web.ports.parts import Parts

VIEW = ".view"  # what the object that pages show of an input is called beside the input's own


def discard(parts: Parts, keys: Iterable[str]) -> tuple[str, ...]:
    """Delete those of some objects that nothing present needs, and return them.

    Who adds a row makes sure under the same lock that its objects are there, so none is lost between the two.
    """
    return tuple(key for batch in batches(sorted(set(keys))) for key in _discard(parts, batch))


def _discard(parts: Parts, keys: tuple[str, ...]) -> tuple[str, ...]:
    with parts.store.begin() as tx:
        tx.lock_objects(keys)
        needed = tx.of_objects.needed({key.removesuffix(VIEW) for key in keys})
        gone = tuple(key for key in keys if key.removesuffix(VIEW) not in needed)
        for key in gone:
            parts.objects.delete(key)
        tx.of_objects.remove(gone, parts.clock.now())
        return gone
