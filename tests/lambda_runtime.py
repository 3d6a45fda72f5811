"""AWS's own client of the Lambda runtime, `awslambdaric`, run against a runtime API on this machine."""

import base64
import json
import os
import queue
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 60  # seconds for an answer, which the first asks of a process that has imported nothing yet
Event = dict[str, Any]
Form = Callable[[str, str, bytes, Mapping[str, str] | None], Event]


class Lambda:
    """One warm Lambda: an event goes in, what the handler returned or raised comes out."""

    def __init__(self) -> None:
        self.events: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.answers: queue.Queue[tuple[str, bytes]] = queue.Queue()

    def invoke(self, event: Event) -> Any:
        """Return what the handler answers to an event; what it raised is a RuntimeError here."""
        self.events.put((str(uuid.uuid4()), json.dumps(event).encode()))
        how, body = self.answers.get(timeout=PATIENCE)
        assert how, "the process of the Lambda died"
        if how != "response":
            raise RuntimeError(body.decode())
        return json.loads(body)


def _api(function: Lambda) -> type[BaseHTTPRequestHandler]:
    class Api(BaseHTTPRequestHandler):
        """GET …/invocation/next waits for an event; POST …/{id}/response and …/{id}/error answer it."""

        def do_GET(self) -> None:
            identity, body = function.events.get()
            if not identity:
                return
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", identity)
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:0:function:ml")
            self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
            self.send_header("Content-Type", "application/json")  # awslambdaric 4.2.2 crashes without it
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            function.answers.put((self.path.rsplit("/", 1)[-1], body))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output clean."""

    return Api


@contextmanager
def lambda_of(handler: str, settings: Mapping[str, str]) -> Iterator[Lambda]:
    """Run a handler in a process of its own, as AWS does."""
    function = Lambda()
    with ThreadingHTTPServer(("127.0.0.1", 0), _api(function)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        environment = {
            **os.environ,
            **settings,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_address[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": "ml",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        }
        process = subprocess.Popen([sys.executable, "-m", "awslambdaric", handler], env=environment)
        watching = threading.Thread(target=_say_when_dead, args=(process, function))
        watching.start()
        try:
            yield function
        finally:
            process.kill()
            watching.join()
            function.events.put(("", b""))
            server.shutdown()
            thread.join()


def _say_when_dead(process: "subprocess.Popen[bytes]", function: Lambda) -> None:
    process.wait()
    function.answers.put(("", b""))


def event(method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Event:
    """Return the event of a Function URL or an HTTP API (payload 2.0); binary bodies are base64, as AWS sends them."""
    sent = {"host": "ml.lambda-url.eu-west-1.on.aws", "content-type": "application/json", **(headers or {})}
    packed = "content-encoding" in sent
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": sent,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "ml",
            "domainName": sent["host"],
            "domainPrefix": "ml",
            "http": http,
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": "21/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795262400000,
        },
        "body": base64.b64encode(body).decode() if packed else body.decode(),
        "isBase64Encoded": packed,
    }


def body_of(answer: Mapping[str, Any]) -> bytes:
    """Return the bytes that AWS would send to the client."""
    text = str(answer["body"])
    return base64.b64decode(text) if answer["isBase64Encoded"] else text.encode()


def headers_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that AWS would send to the client."""
    lists: Mapping[str, list[str]] = answer.get("multiValueHeaders") or {}
    return {**(answer.get("headers") or {}), **{name: ", ".join(values) for name, values in lists.items()}}


@contextmanager
def url_of(function: Lambda, form: Form = event) -> Iterator[str]:
    """Serve a Lambda over HTTP as its Function URL does, or another form of events, one request at a time."""

    class FunctionUrl(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on(b"")

        def do_POST(self) -> None:
            self._pass_on(self.rfile.read(int(self.headers["Content-Length"])))

        def _pass_on(self, body: bytes) -> None:
            sent = {name.lower(): value for name, value in self.headers.items()}
            answer = function.invoke(form(self.command, self.path, body, sent))
            told = body_of(answer)
            self.send_response(answer["statusCode"])
            for name, value in {**headers_of(answer), "content-length": str(len(told))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), FunctionUrl) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
