"""Files that appear only once they are whole, for their owner's eyes only."""

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ml_service.errors import InvalidRequest, StorageFull


@contextmanager
def appearing_whole(target: Path) -> Iterator[IO[bytes]]:
    """Write a file that takes its name in one step when the block is left, and leaves nothing where that fails.

    Only its owner can read it. It is on the disk, not only on its way there, before its name is.
    """
    if target.is_dir() or not target.parent.is_dir():
        raise InvalidRequest(f"{target} cannot be written: name a file in a folder that is there.")
    draft: Path | None = None
    try:
        with room_on(target):
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
            draft = Path(name)
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
            sync(target.parent)
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)


@contextmanager
def room_on(place: Path) -> Iterator[None]:
    """Raise StorageFull where the disk of a place is full, whoever notices it."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in str(error):
            raise StorageFull(f"The disk that holds {place} is full; free some room and try again.") from error
        raise


def sync(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
