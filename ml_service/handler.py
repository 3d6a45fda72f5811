"""The ML service as an AWS Lambda, behind whatever AWS puts before one: `ml_service.handler.handler`."""

from functools import cache
from importlib import import_module
from typing import Any

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.types import ASGI
from starlette.types import ASGIApp, Receive, Scope, Send

from ml_service.app import create_app
from ml_service.settings import Settings

ROOT = "/ml/"  # where all routes of the service lie
# What is told as text is read by gateways that hand out base64 as it is; packed answers are no text whatever they hold.
TEXT = [*DEFAULT_TEXT_MIME_TYPES, "+json", "+xml"]
# Who calls a Lambda by the clock so that it stays warm, and the words that their calls or one's own hold.
CLOCKS = ("aws.events", "aws.scheduler", "serverless-plugin-warmup")
WARMERS = ("warmup", "warmer")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one HTTP request, or a call that keeps the Lambda warm; it keeps the service from its first event on."""
    service = _service()
    if _is_by_the_clock(event):
        import_module("ml_service.optimizer.suggest")  # which the first request would wait for
        return {"warm": True}
    return service(event, context)


@cache
def _service() -> Mangum:
    return Mangum(_rooted(create_app(Settings())), lifespan="off", text_mime_types=TEXT)


def _rooted(app: ASGIApp) -> ASGI:
    """Leave out what stands before the service's own path: a stage, the mapping of a domain, a path of a balancer.

    No event says for sure which part of its path that is.
    """

    async def rooted(scope: Scope, receive: Receive, send: Send) -> None:
        _, root, rest = scope["path"].rpartition(ROOT)
        await app({**scope, "path": f"{root}{rest}"} if root else scope, receive, send)

    return rooted


def _is_by_the_clock(event: dict[str, Any]) -> bool:
    return event.get("source") in CLOCKS or any(event.get(word) is True for word in WARMERS)
