"""Where bytes live under a name: a folder here, a bucket in the cloud."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol


class ObjectStore(Protocol):
    """Bytes by name; what is acknowledged survives a crash, and no reader ever sees half of it."""

    def create(self, name: str, body: bytes | BinaryIO) -> bool:
        """Store bytes, or all that a stream gives, under a fresh name, whole or not at all.

        False where the name is taken, whose bytes stay as they are.
        """
        ...

    def has(self, name: str) -> bool:
        """Tell whether there are bytes under a name."""
        ...

    def read(self, name: str) -> bytes:
        """Return the bytes under a name, or raise NotFound."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Open the bytes under a name to be read a piece at a time and closed, or raise NotFound."""
        ...

    def url(self, name: str, lifetime: timedelta) -> str | None:
        """Return an address that gives the bytes to whoever has it, for so long; None where the store has none."""
        ...

    def tag(self, name: str) -> str:
        """Return what is another with each write under a name, of the same bytes too; empty where the name is free."""
        ...

    def tags(self, folder: str) -> Mapping[str, str]:
        """Return the names that lie right in a folder, not in folders below, with their tags; nothing is read."""
        ...

    def replace(self, name: str, body: bytes, expected: str) -> str:
        """Put bytes under a name in one step while its tag is the expected one, else Conflict; return the new tag."""
        ...

    def stored_at(self, name: str) -> datetime | None:
        """Return when the bytes under a name were stored; None where the name is free."""
        ...

    def delete(self, name: str) -> None:
        """Forget a name; one that is not there is no error."""
        ...

    def list(self, prefix: str = "") -> tuple[str, ...]:
        """Return the names that begin with a prefix, in order."""
        ...

    def unfinished(self) -> tuple[str, ...]:
        """Return the names under which bytes are being written, or were when their writer was killed; not objects."""
        ...
