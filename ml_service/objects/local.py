"""An object store that is a folder."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ml_service.errors import InvalidRequest, NotFound, StorageFull


class Folder:
    """Files under a root: written aside, synced, then linked into place."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self, name: str, body: bytes) -> bool:
        """Store bytes under a fresh name; False where the name is taken, whose bytes stay as they are."""
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

    def read(self, name: str) -> bytes:
        """Return the bytes under a name, or raise NotFound."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"There is no object {name}.") from error

    def replace(self, name: str, body: bytes) -> None:
        """Put bytes under a name in one step, whether or not it is taken."""
        target = self._path(name)
        with self._written_aside(target, body) as aside:
            aside.replace(target)
        _sync(target.parent)

    def delete(self, name: str) -> None:
        """Forget a name; one that is not there is no error."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root.resolve()) or path == self.root.resolve():
            raise InvalidRequest(f"{name!r} is not a name of an object.")
        return path

    @contextlib.contextmanager
    def _written_aside(self, target: Path, body: bytes) -> Iterator[Path]:
        aside: Path | None = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
            aside = Path(name)
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
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


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
