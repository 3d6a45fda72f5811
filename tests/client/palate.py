"""A real HTTP server that speaks Palate's wire to production, and misbehaves as it is told."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from threading import Event, Thread
from typing import Any

from web.domain.prompts.prompt import content_hash

KEY = "palate_" + "k" * 43
PROBLEM = "application/problem+json"


def document(name: str = "v1.0.0", **changes: Any) -> dict[str, Any]:
    """A version's document with the right hash; what is changed is hashed too."""
    whole = {
        "schema_version": 1,
        "prompt_key": "photo-enhance",
        "version": name,
        "parents": [],
        "created_at": "2026-11-21T00:00:00Z",
        "created_by": "palate",
        "components": {"local": {"prompt": "Enhance {{subject}} in {{light}}.", "negative_prompt": "artefacts"}},
        "slots_locked": [],
        "variables": {
            "subject": {"type": "string", "default": "a scene"},
            "light": {"type": "string", "default": "daylight"},
        },
        "parameter_defaults": {"local": {"exposure": 0.25, "style": "natural"}},
        "changelog": "Wärmer.",
    } | changes
    return {**whole, "sha256": content_hash(whole)}


def published(name: str = "v1.0.0", **changes: Any) -> bytes:
    """The bytes of a version as Palate publishes them."""
    return as_bytes(document(name, **changes))


def as_bytes(whole: dict[str, Any]) -> bytes:
    """A document as it is written down."""
    return (json.dumps(whole, indent=2, ensure_ascii=False) + "\n").encode()


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    key: str | None
    tag: str | None
    host: str | None = None


Fault = Callable[["Handler"], None]


@dataclass
class Palate:
    """The state of the server: what is live, what is pinned, what was asked, and how it misbehaves."""

    live: bytes = field(default_factory=published)
    pinned: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    fault: Fault | None = None
    over: Event = field(default_factory=Event)
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


class Handler(BaseHTTPRequestHandler):
    """Answers as Palate does, unless a fault is set."""

    protocol_version = "HTTP/1.1"
    palate: Palate

    def do_GET(self) -> None:
        self._note()
        if self.palate.fault is not None:
            return self.palate.fault(self)
        path = self.path.split("?")[0]
        name = path.removeprefix("/prompts/versions/").removesuffix(".json")
        body = self.palate.live if path == "/prompts/current.json" else self.palate.pinned.get(name)
        if body is None:
            return self.answer(404, b'{"status": 404}', PROBLEM)
        tag = f'"{hashlib.sha256(body).hexdigest()}"'
        if self.headers.get("If-None-Match") == tag:
            return self.answer(304, b"", tag=tag)
        return self.answer(200, body, tag=tag)

    def do_POST(self) -> None:
        self._note()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.palate.reports.append(json.loads(body))
        if self.palate.fault is not None:
            return self.palate.fault(self)
        return self.answer(200, json.dumps({"id": self.palate.reports[-1]["id"], "verdict": "stored"}).encode())

    def answer(self, status: int, body: bytes, kind: str = "application/json", tag: str = "", **more: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in {"Content-Type": kind, "ETag": tag, **more}.items():
            if value:
                self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def raw(self, *pieces: bytes, pause: float = 0.0) -> None:
        """Send bytes that need not be HTTP, with pauses, and hang up."""
        self.close_connection = True
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            if pause and self.palate.over.wait(pause):
                return

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""

    def _note(self) -> None:
        said = self.headers
        key, tag, host = said.get("Authorization"), said.get("If-None-Match"), said.get("Host")
        self.palate.asked.append(Asked(self.command, self.path, key, tag, host))


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up on a server that misbehaves is right."""


@contextmanager
def speaking(wrap: Callable[[BaseServer], None] = lambda _: None) -> Iterator[Palate]:
    """Run a server until the block is left; `wrap` may dress its socket, in TLS for one."""
    palate = Palate()
    server = _Quiet(("127.0.0.1", 0), type("Bound", (Handler,), {"palate": palate}))
    palate.port = server.server_port
    wrap(server)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield palate
    finally:
        palate.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def until(what: str, look: Callable[[], object], patience: float = 60.0) -> None:
    """Wait for something to come about."""
    end = time.monotonic() + patience
    while not look():
        assert time.monotonic() < end, f"Not within {patience:g} s: {what}."
        time.sleep(0.01)


@contextmanager
def hung_up() -> Iterator[None]:
    """Let the other side go whenever it likes."""
    with suppress(OSError):
        yield
