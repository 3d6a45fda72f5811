"""Static files: each address carries the hash of its content, so that browsers may keep them for ever."""

import hashlib
from pathlib import Path

from fastapi import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

HASH_LENGTH = 12
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


class HashedFiles(StaticFiles):
    """Serves a folder; an address with the right hash is cached for ever, one without is checked each time."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self.folder = folder
        self._hashes: dict[str, tuple[int, str]] = {}

    def url(self, name: str) -> str:
        """Return the address of a file by its name in the folder."""
        return f"/static/{name}?v={self._hash(name)}"

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file."""
        response = await super().get_response(path, scope)
        if response.status_code in (200, 304):
            pinned = scope["query_string"] == f"v={self._hash(path)}".encode()
            response.headers["Cache-Control"] = FOR_EVER if pinned else ASK_AGAIN
        return response

    def _hash(self, name: str) -> str:
        changed = (self.folder / name).stat().st_mtime_ns
        known = self._hashes.get(name)
        if known is None or known[0] != changed:
            digest = hashlib.sha256((self.folder / name).read_bytes()).hexdigest()[:HASH_LENGTH]
            known = self._hashes[name] = (changed, digest)
        return known[1]
