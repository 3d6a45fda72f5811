"""Photos on their way into a study, changes of many, and filters that people keep."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from web.domain.studies.batch import Batch, BatchSummary, Item, ItemState
from web.domain.studies.photos import SavedFilter
from web.domain.studies.sweeps import Sweep
from web.rows.collection import Collection


class PhotoQueries(Protocol):
    """Named queries of photos on their way in."""

    def lock_item(self, item_id: str) -> Item | None:
        """Return an item, which nobody else settles until this transaction ends."""
        ...

    def add_items(self, items: Iterable[Item]) -> None:
        """Add items, passing over paths that their batch has already."""
        ...

    def add_listed(self, items: Iterable[Item]) -> None:
        """Add items that a manifest lists; those of their paths that have not come are what it says now.

        What came stays as it is; an address that was refused is asked again.
        """
        ...

    def items_at(self, batch_id: str, paths: Iterable[str]) -> dict[str, Item]:
        """Return the items of a batch at some paths."""
        ...

    def items_in(self, batch_id: str, state: ItemState, limit: int) -> tuple[Item, ...]:
        """Return the first items of a batch that are in a state."""
        ...

    def unfinished(self, study_id: str, limit: int) -> tuple[Batch, ...]:
        """Return the newest batches not closed of which something is missing, being fetched or refused."""
        ...

    def finished(self, study_id: str, since: datetime, limit: int) -> tuple[Batch, ...]:
        """Return the newest batches not closed, begun since a time, of which all came; single photos left out."""
        ...

    def summary(self, batch: Batch, refused: int) -> BatchSummary:
        """Return how far a batch has come, with some of the items that were refused."""
        ...

    def sweeps_since(self, study_id: str, since: datetime) -> tuple[Sweep, ...]:
        """Return the changes of a study's photos that are under way, and those finished since a time, newest first."""
        ...

    def forget_names(self, input_id: str, name: str) -> None:
        """Call items that became a photo by another name, once the photo is gone."""
        ...

    def forget_batches(self, before: datetime) -> None:
        """Forget batches that were begun, and changes that were finished, before a time."""
        ...


class PhotoRows(Protocol):
    """Photos on their way in, changes of many, and filters that people keep."""

    batches: Collection[Batch]
    batch_items: Collection[Item]
    sweeps: Collection[Sweep]
    saved_filters: Collection[SavedFilter]
    of_photos: PhotoQueries
