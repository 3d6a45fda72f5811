"""Photos on their way into a study: what was chosen, and what became of each."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

# missing: it has not come yet; fetching: its address is being asked; known: the study had it already
ItemState = Literal["missing", "fetching", "added", "known", "refused"]
LOOSE = "Single photos"  # what pages call an upload that is no folder: one that is gone on with for ever
LABEL_LIMIT = 120
PATH_LIMIT = 400
ITEMS_LIMIT = 100_000  # of one batch
LISTED_AT_ONCE = 2_000
TRIES = 3  # of an address that does not answer


@dataclass(frozen=True)
class Batch:
    """What somebody chose at once to be added to a study; `label` is the folder's name, or says that it was files."""

    id: str
    study_id: str
    label: str
    created_at: datetime
    made_by: str | None = None
    closed_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True)
class Item:
    """One file or address of a batch: what it is to be as a photo, and what became of it.

    `path` is where it lies in its folder, or the address; `sha256` is of the bytes that came.
    """

    id: str
    batch_id: str
    path: str
    size: int
    state: ItemState = "missing"
    name: str = ""
    stratum: str = ""
    related: str = ""
    metadata: dict[str, str] | None = None
    sha256: str = ""
    said: str = ""
    tries: int = 0
    input_id: str | None = None
    revision: int = 0

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing more is to come of it."""
        return self.state in ("added", "known", "refused")


@dataclass(frozen=True)
class BatchSummary:
    """How far a batch has come: items by state, and the first of those refused."""

    batch: Batch
    counts: dict[ItemState, int] = field(default_factory=dict)
    refused: tuple[Item, ...] = ()

    @property
    def total(self) -> int:
        """How many were chosen."""
        return sum(self.counts.values())

    def count(self, *states: ItemState) -> int:
        """How many are in one of some states."""
        return sum(self.counts.get(state, 0) for state in states)
