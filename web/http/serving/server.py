"""The server of the app: how one process listens."""

import gc
import socket
from collections.abc import Callable
from threading import Event

import uvicorn
from fastapi import FastAPI

KEEP_ALIVE = 75  # seconds: longer than a rater looks at a photo, and than what proxies keep a connection open
GRACE = 3  # seconds for requests under way when the server is to stop


def listen(app: FastAPI, host: str, port: int, greet: Callable[[], None], ending: Event) -> None:
    """Serve an app until the process is told to stop.

    `greet` is called once it can be reached; `ending` is set before answers under way are waited for.
    """
    gc.collect()
    gc.freeze()  # what is there by now stays: to look through it for garbage would hold up every request for 0.2 s
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # the app's own front asks its settings whom to believe
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    _Server(config, greet, ending).run()


class _Server(uvicorn.Server):
    """A server that tells when it can be reached, and when it is to stop."""

    def __init__(self, config: uvicorn.Config, greet: Callable[[], None], ending: Event) -> None:
        super().__init__(config)
        self._greet, self._ending = greet, ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell it."""
        await super().startup(sockets)
        self._greet()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell it, then let go what is under way."""
        self._ending.set()
        await super().shutdown(sockets)
