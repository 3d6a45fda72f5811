"""Many rows at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice

BATCH = 200


def batches(keys: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Go through names by the batch."""
    rest = iter(keys)
    while batch := tuple(islice(rest, BATCH)):
        yield batch
