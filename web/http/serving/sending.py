"""Sending downloads: one that nobody reads on ends, and lets go of what it is made from; few of the large at once."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore

from anyio import CancelScope, move_on_after
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from ml_service.errors import Throttled

# Seconds without a step before a download is given up; what the system buffers, up to a megabyte or so, is one step.
STILL = 60.0
AT_ONCE = 3  # downloads that each hold a connection to the database; most of the pool is left for pages and raters
RETRY_AFTER = 30  # seconds
PIECE = 65_536  # bytes sent together: more would be a longer step
log = logging.getLogger("palate.downloads")


class Download(StreamingResponse):
    """A file sent as it is made; what it is made from is let go of once it is sent, or nobody takes it any more."""

    def __init__(self, name: str, media_type: str, body: Iterable[str | bytes], still: float = STILL) -> None:
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        super().__init__(_pieces(body), media_type=media_type, headers=headers)
        self._name, self._made, self._still = name, body, still

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or leave it unfinished, so that whoever reads on sees that it is cut off."""

        async def send_in_time(message: Message) -> None:
            with move_on_after(self._still) as wait:
                await send(message)
            if wait.cancelled_caught:
                raise _StoodStill

        try:
            await super().__call__(scope, receive, send_in_time)
        except _StoodStill:
            told = {"file": self._name, "seconds": self._still}
            log.warning("a download was given up, as nothing of it was taken", extra=told)
        finally:
            with CancelScope(shield=True):
                await run_in_threadpool(self._let_go)

    def _let_go(self) -> None:
        close = getattr(self._made, "close", None)
        if close is not None:
            with suppress(ValueError):  # it is being read from while the server stops, and ends with it
                close()


class _StoodStill(Exception):
    """Nothing of a download was taken for too long."""


def _pieces(body: Iterable[str | bytes]) -> Iterator[bytes]:
    for part in body:
        given = part.encode() if isinstance(part, str) else part
        for start in range(0, len(given), PIECE):
            yield given[start : start + PIECE]


class Downloads:
    """The downloads of a process that read from one moment of the database for as long as they are sent."""

    def __init__(self, at_once: int = AT_ONCE, still: float = STILL) -> None:
        self.at_once, self.still = at_once, still
        self._free = BoundedSemaphore(at_once)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have a place among those sent at once, or raise Throttled."""
        if not self._free.acquire(blocking=False):
            told = f"Palate sends {self.at_once} tables at once, and as many are being downloaded."
            raise Throttled(f"{told} Wait until one is done, or stop one; then try again.", RETRY_AFTER)
        try:
            yield
        finally:
            self._free.release()


def downloads(request: Request) -> Downloads:
    """Return the downloads of the app that a request is to."""
    found: Downloads = request.app.state.downloads
    return found
