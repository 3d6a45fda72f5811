"""The server of the app: how one process listens."""

import gc

import uvicorn
from fastapi import FastAPI

KEEP_ALIVE = 75  # seconds: longer than a rater looks at a photo, and than what proxies keep a connection open
GRACE = 5  # seconds for requests under way when the server is to stop


def listen(app: FastAPI, host: str, port: int) -> None:
    """Serve an app until the process is told to stop."""
    gc.collect()
    gc.freeze()  # what is there by now stays: to look through it for garbage would hold up every request for 0.2 s
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # the app's own front asks its settings whom to believe
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
