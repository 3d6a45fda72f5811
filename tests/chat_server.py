"""A server that speaks OpenAI's chat completions, with answers from a script: for tests and benchmarks."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Asked = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """How to answer one request: a chat completion, or with a `status` that is an error or a `body` as it stands.

    `wait` is how long to say nothing first; `drop` breaks the connection instead of answering; `drip` sends the body
    a byte at a time, with so many seconds between.
    """

    content: str | None = None
    finish_reason: str = "stop"
    refusal: str | None = None
    usage: Mapping[str, Any] | None = field(default_factory=lambda: {"prompt_tokens": 100, "completion_tokens": 20})
    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0
    drop: bool = False
    drip: float = 0.0


def failing(status: int, message: str = "No.", code: str | None = None, **headers: str) -> Reply:
    """Return an error as OpenAI sends them; underscores in names of headers stand for hyphens."""
    error = {"error": {"message": message, "type": "error", "param": None, "code": code}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, body=json.dumps(error).encode(), headers=named)


def saying(answer: Any) -> Reply:
    """Return an answer whose content is a JSON value."""
    return Reply(json.dumps(answer))


class ChatServer:
    """What was asked, and what answers: `answers` is called with each request's JSON, one request at a time."""

    def __init__(self, answers: Callable[[Asked], Reply]) -> None:
        self.answers = answers
        self.asked: list[Asked] = []
        self.headers: list[dict[str, str]] = []
        self.models = ("test-model",)
        self.over = threading.Event()
        self._turn = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def reply(self, asked: Asked, headers: dict[str, str]) -> Reply:
        """Write a request down and let the script answer it."""
        with self._turn:
            self.asked.append(asked)
            self.headers.append(headers)
            return self.answers(asked)

    @contextmanager
    def running(self) -> Iterator["ChatServer"]:
        """Answer until the block is left, whatever is still waiting."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.over.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()


@contextmanager
def chat_server(answers: Callable[[Asked], Reply]) -> Iterator[ChatServer]:
    """Run a server on a free port of this machine."""
    with ChatServer(answers).running() as server:
        yield server


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that have gone away."""


def _handler(chat: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path != "/v1/models":
                self._send(failing(404, "There is nothing here."))
                return
            data = [{"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in chat.models]
            self._send(Reply(body=json.dumps({"object": "list", "data": data}).encode()))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != "/v1/chat/completions":
                self._send(failing(404, "There is nothing here."))
                return
            asked = json.loads(body)
            reply = chat.reply(asked, {name.lower(): value for name, value in self.headers.items()})
            if reply.wait:
                chat.over.wait(reply.wait)
            if reply.drop:
                # Without lingering the connection is reset, not closed.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                return
            self._send(reply if reply.body is not None else _complete(asked, reply))

        def _send(self, reply: Reply) -> None:
            body = reply.body or b""
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not reply.drip:
                self.wfile.write(body)
                return
            for byte in body:
                self.wfile.write(bytes([byte]))
                time.sleep(reply.drip)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the output of tests clean."""

    return Handler


def _complete(asked: Asked, reply: Reply) -> Reply:
    message = {"role": "assistant", "content": reply.content, "refusal": reply.refusal}
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": asked.get("model"),
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason, "logprobs": None}],
    }
    if reply.usage is not None:
        body["usage"] = dict(reply.usage)
    return Reply(status=reply.status, body=json.dumps(body).encode(), headers=reply.headers, drip=reply.drip)
