import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import uvicorn
from pydantic import SecretStr

from ml_service.app import create_app
from ml_service.errors import InvalidRequest, TooLarge, Unavailable
from ml_service.optimizer import suggest as function
from ml_service.settings import Settings
from ml_service.wire.contract import DiagnoseRequest, Pending, SuggestRequest
from tests.lambda_runtime import lambda_of, url_of
from tests.unit.ml.histories import BOWL, MIXED, random_history
from web.adapters.optimizer.far import FarOptimizer
from web.adapters.optimizer.near import NearOptimizer
from web.ports.learning import Optimizer

TOKEN = "a-token-of-the-test-suite"
SPACES = {"local": BOWL}
LEARNING = SuggestRequest(
    spaces=SPACES,
    seen=tuple(random_history(30)),
    pending=(Pending(point={"x": 0.1, "y": 0.2}, generator="local", item="photo-1"),),
    item="photo-1",
    count=3,
    reference=BOWL.default(),
)


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    app = create_app(Settings(ml_service_token=SecretStr(TOKEN)))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def function_url() -> Iterator[str]:
    if sys.platform != "linux":
        pytest.skip("AWS's runtime client runs on Linux")
    settings = {"ML_SERVICE_TOKEN": TOKEN}
    with lambda_of("ml_service.handler.handler", settings) as function, url_of(function) as url:
        yield url


@pytest.fixture(params=["near", "service", "function_url"])
def optimizer(request: pytest.FixtureRequest) -> Iterator[Optimizer]:
    if request.param == "near":
        yield NearOptimizer()
        return
    far = FarOptimizer(request.getfixturevalue(request.param), TOKEN)
    yield far
    far.close()


@pytest.mark.parametrize("request_", [SuggestRequest(spaces={"local": MIXED}, count=4), LEARNING])
def test_all_suggest_the_same(optimizer: Optimizer, request_: SuggestRequest) -> None:
    assert optimizer.suggest(request_).model_dump_json() == function.suggest(request_).model_dump_json()


@pytest.mark.parametrize("ratings", [0, 20])
def test_all_diagnose_the_same(optimizer: Optimizer, ratings: int) -> None:
    request = DiagnoseRequest(spaces=SPACES, seen=tuple(random_history(ratings)))
    assert optimizer.diagnose(request).model_dump_json() == function.diagnose(request).model_dump_json()


def test_all_refuse_a_reference_outside_the_space_alike(optimizer: Optimizer) -> None:
    with pytest.raises(
        InvalidRequest, match=r"^The reference point is not in the space: x = 4\.0 is outside its range\."
    ):
        optimizer.suggest(LEARNING.model_copy(update={"reference": {"x": 4.0, "y": 0.0}}))


def test_a_history_over_the_limit_is_too_large(service: str) -> None:
    far = FarOptimizer(service, TOKEN)
    items = tuple(f"{'long' * 1000}-{n}" for n in range(5000))
    long = LEARNING.model_copy(
        update={"seen": tuple(LEARNING.seen[0].model_copy(update={"item": item}) for item in items)}
    )
    with pytest.raises(TooLarge, match="16 MiB"):
        far.suggest(long)
    far.close()


def test_a_refused_token_names_the_setting(service: str) -> None:
    far = FarOptimizer(service, "another-token-altogether")
    with pytest.raises(Unavailable, match="ML_SERVICE_TOKEN"):
        far.suggest(LEARNING)
    far.close()


def test_nobody_listening_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    far = FarOptimizer(f"http://127.0.0.1:{port}", TOKEN)
    with pytest.raises(Unavailable, match="does not answer"):
        far.diagnose(DiagnoseRequest(spaces=SPACES))
    far.close()


def test_no_answer_in_time_says_how_long_it_was_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        far = FarOptimizer(f"http://127.0.0.1:{silent.getsockname()[1]}", TOKEN, timeout=0.05)
        with pytest.raises(Unavailable, match=r"does not answer within 0\.05 s"):
            far.diagnose(DiagnoseRequest(spaces=SPACES))
        far.close()


NOTHING_LEARNT = (
    '{"best": null, "convergence": null, "parameters": {}, "raters": [], "variance": null,'
    ' "ratings_used": 0, "history": ""'
)
BODIES = {
    "html": "<h1>",
    "json": "{}",
    "cut": '{"best": nu',
    "problem": '{"type": "storage-full", "detail": "no room"}',
    "invalid": '{"type": "invalid-request", "detail": "wire: Input should be 1."}',
    "old": f'{NOTHING_LEARNT}, "wire": 0}}',
    "new": f'{NOTHING_LEARNT}, "wire": 2}}',
    "gzip": "this is not gzip",
}


class Odd(BaseHTTPRequestHandler):
    """A server that answers whatever its address says: /STATUS/BODY is the prefix of the path asked."""

    def do_POST(self) -> None:
        _, status, kind, *_ = self.path.split("/")
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(int(status))
        self.send_header("Content-Type", "application/" + ("problem+json" if int(status) > 400 else "json"))
        if kind == "gzip":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(BODIES[kind].encode())

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok", "wire": 2}')

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def odd() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Odd) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("500/html", "in trouble: it answered 500"),
        ("502/json", "in trouble: it answered 502"),
        ("507/problem", "in trouble: no room"),
        ("302/html", "it answered 302"),
        ("404/html", "it answered 404"),
        ("429/json", "it answered 429"),
        ("400/json", "it answered 400"),
        ("200/html", "another form"),
        ("200/json", "another form"),
        ("200/cut", "another form"),
        ("200/old", "another form"),
        ("200/new", "another form"),
        ("200/gzip", "does not answer"),
        ("403/html", "refuses ML_SERVICE_TOKEN"),
        ("422/invalid", "does not speak wire 1"),
    ],
)
def test_whatever_is_no_answer_is_unavailable(odd: str, answer: str, said: str) -> None:
    far = FarOptimizer(f"{odd}/{answer}", TOKEN)
    with pytest.raises(Unavailable, match=said):
        far.diagnose(DiagnoseRequest(spaces=SPACES))
    far.close()


def test_what_a_lambda_does_not_take_is_too_large(odd: str) -> None:
    far = FarOptimizer(f"{odd}/413/html", TOKEN)
    with pytest.raises(TooLarge, match="takes no request so large"):
        far.suggest(LEARNING)
    far.close()
