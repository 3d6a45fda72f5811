"""The edge of the app: what every answer carries, and what is written down about every request."""

import asyncio
import logging
import os
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ml_service.errors import TooLarge, Unavailable
from web.http.answers.problems import Problem
from web.http.edge.logs import REQUEST_ID
from web.http.edge.metrics import Metrics

POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cache-control", b"no-store"),
)
OVER_HTTPS = ((b"strict-transport-security", b"max-age=31536000"),)  # a year; over http, browsers pass it over
SOON = {"Retry-After": "5"}  # seconds until another one serves
_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
log = logging.getLogger("palate.access")


class Edge:
    """Wraps the whole app: a request id, safe headers unless an answer brings its own, one log line, two metrics."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(scope, receive, send)
        try:
            await self.app(scope, receive, answer.send)
        except asyncio.CancelledError:
            await answer.break_off()
            raise
        finally:
            route = _template(scope)
            self.metrics.observe(scope["method"], route, answer.status, answer.began - answer.arrived)
            details = {
                "method": scope["method"],
                "path": route,
                "status": answer.status,
                "ms": round((time.perf_counter() - answer.arrived) * 1000, 1),
            }
            log.info("request", extra=details)


class _Answer:
    """The answer to one request on its way out; 500 until it begins."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self.receive, self.out = scope, receive, send
        self.arrived = self.began = time.perf_counter()
        self.status, self.started, self.replaced = 500, False, False
        self.request_id = _request_id(scope)
        REQUEST_ID.set(self.request_id)

    async def break_off(self) -> None:
        """Say that there is no time for an answer that has not begun; the web server itself would call it a fault."""
        if not self.started:
            problem = Problem.of(Unavailable("The server is about to stop; try again in a moment."))
            await problem.response(self.request_id, SOON)(self.scope, self.receive, self._complete)

    async def send(self, message: Message) -> None:
        """Pass a message on, completed."""
        if message["type"] == "http.response.start":
            if message["status"] == TooLarge.status and not _is_problem(message):
                self.replaced = True  # the framework's body limit answers in plain text
                problem = Problem.of(TooLarge("The request has more bytes than this address takes."))
                await problem.response(self.request_id)(self.scope, self.receive, self._complete)
            else:
                await self._complete(message)
        elif not self.replaced:
            await self.out(message)

    async def _complete(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.started, self.began = message["status"], True, time.perf_counter()
            headers = list(message["headers"])
            given = {name.lower() for name, _ in headers}
            always = HEADERS + OVER_HTTPS if self.scope["scheme"] == "https" else HEADERS
            headers += [pair for pair in always if pair[0] not in given]
            headers.append((b"x-request-id", self.request_id.encode()))
            message["headers"] = headers
        await self.out(message)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE_ID.fullmatch(value):
            return str(value, "ascii")
    return os.urandom(8).hex()


def _template(scope: Scope) -> str:
    route = scope.get("route")
    if route is not None:
        return str(route.path)
    return "/static/{file}" if scope["path"].startswith("/static/") else "unmatched"


def _is_problem(message: Message) -> bool:
    return any(name.lower() == b"content-type" and b"text/plain" not in value for name, value in message["headers"])
