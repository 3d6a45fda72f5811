"""An object store that is a folder."""

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from ml_service.errors import Conflict, InvalidRequest, NotFound, StorageFull

_ASIDE = ".new-"


class Folder:
    """Files under a root: written aside, synced, then linked into place; hidden files are no objects."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self, name: str, body: bytes | BinaryIO) -> bool:
        """Store bytes, or all that a stream gives, under a fresh name, whole or not at all.

        False where the name is taken, whose bytes stay as they are.
        """
        target = self._path(name)
        if target.exists():
            return False
        with self._written_aside(target, body) as aside:
            try:
                os.link(aside, target)
            except FileExistsError:
                return False
        _sync(target.parent)
        return True

    def has(self, name: str) -> bool:
        """Tell whether there are bytes under a name."""
        return self._path(name).is_file()

    def read(self, name: str) -> bytes:
        """Return the bytes under a name, or raise NotFound."""
        with self.open(name) as file:
            return file.read()

    def open(self, name: str) -> BinaryIO:
        """Open the bytes under a name to be read a piece at a time and closed, or raise NotFound."""
        try:
            return self._path(name).open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"There is no object {name}.") from error

    def url(self, name: str, lifetime: timedelta) -> str | None:
        """Return None: nobody but this process gives away what is in the folder."""

    def tag(self, name: str) -> str:
        """Return what is another with each write under a name, of the same bytes too; empty where the name is free."""
        try:
            return _tag(self._path(name).stat())
        except FileNotFoundError:
            return ""

    def tags(self, folder: str) -> dict[str, str]:
        """Return the names that lie right in a folder, not in folders below, with their tags; nothing is read."""
        try:
            with os.scandir(self._path(folder)) as found:
                files = [one for one in found if one.is_file() and not one.name.startswith(".")]
        except FileNotFoundError:
            return {}
        tags = {}
        for one in files:
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                tags[f"{folder}/{one.name}"] = _tag(one.stat())
        return tags

    def replace(self, name: str, body: bytes, expected: str) -> str:
        """Put bytes under a name in one step while its tag is the expected one, else Conflict; return the new tag."""
        target = self._path(name)
        with self._written_aside(target, body) as aside, _locked(target.parent):
            if self.tag(name) != expected:
                raise Conflict(f"{name} was changed meanwhile.")
            aside.replace(target)
            tag = self.tag(name)
            _sync(target.parent)
        return tag

    def stored_at(self, name: str) -> datetime | None:
        """Return when the bytes under a name were stored; None where the name is free."""
        try:
            return datetime.fromtimestamp(self._path(name).stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    def delete(self, name: str) -> None:
        """Forget a name; one that is not there is no error."""
        path = self._path(name)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            _sync(path.parent)

    def list(self, prefix: str = "") -> tuple[str, ...]:
        """Return the names that begin with a prefix, in order."""
        found = (path for path in self.root.rglob("*") if path.is_file() and not path.name.startswith("."))
        names = (path.relative_to(self.root).as_posix() for path in found)
        return tuple(sorted(name for name in names if name.startswith(prefix)))

    def unfinished(self) -> tuple[str, ...]:
        """Return the names under which bytes are being written, or were when their writer was killed; not objects."""
        return tuple(sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob(f"{_ASIDE}*")))

    def _path(self, name: str) -> Path:
        root = os.path.realpath(self.root)
        path = os.path.realpath(os.path.join(root, name))
        if not path.startswith(root + os.sep):
            raise InvalidRequest(f"{name!r} is not a name of an object.")
        return Path(path)

    @contextlib.contextmanager
    def _written_aside(self, target: Path, body: bytes | BinaryIO) -> Iterator[Path]:
        aside: Path | None = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=_ASIDE)
            aside = Path(name)
            with os.fdopen(handle, "wb") as file:
                if isinstance(body, bytes):
                    file.write(body)
                else:
                    shutil.copyfileobj(body, file)
                file.flush()
                # Exact to the nanosecond, which the kernel's own time is not: no two writes have one tag.
                os.utime(file.fileno(), ns=(time.time_ns(), time.time_ns()))
                os.fsync(file.fileno())
            aside.chmod(0o644)
            yield aside
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(f"The disk that holds {self.root} is full; free some room and try again.") from error
            raise
        finally:
            if aside is not None:
                aside.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time compare and replace in a folder; the lock ends with its holder, killed or not."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _tag(found: os.stat_result) -> str:
    return f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
