import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import uvicorn
from pydantic import SecretStr

from ml_service import optimizer as function
from ml_service.app import create_app
from ml_service.contract import DiagnoseRequest, Pending, SuggestRequest
from ml_service.errors import InvalidRequest, TooLarge, Unavailable
from ml_service.settings import Settings
from tests.unit.ml.histories import BOWL, MIXED, random_history
from web.adapters.optimizer_far import FarOptimizer
from web.adapters.optimizer_near import NearOptimizer
from web.ports import Optimizer

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


@pytest.fixture(params=["near", "far"])
def optimizer(request: pytest.FixtureRequest) -> Iterator[Optimizer]:
    if request.param == "near":
        yield NearOptimizer()
        return
    far = FarOptimizer(request.getfixturevalue("service"), TOKEN)
    yield far
    far.close()


@pytest.mark.parametrize("request_", [SuggestRequest(spaces={"local": MIXED}, count=4), LEARNING])
def test_both_suggest_the_same(optimizer: Optimizer, request_: SuggestRequest) -> None:
    assert optimizer.suggest(request_).model_dump_json() == function.suggest(request_).model_dump_json()


@pytest.mark.parametrize("ratings", [0, 20])
def test_both_diagnose_the_same(optimizer: Optimizer, ratings: int) -> None:
    request = DiagnoseRequest(spaces=SPACES, seen=tuple(random_history(ratings)))
    assert optimizer.diagnose(request).model_dump_json() == function.diagnose(request).model_dump_json()


def test_both_refuse_a_reference_outside_the_space_alike(optimizer: Optimizer) -> None:
    with pytest.raises(
        InvalidRequest, match=r"^The reference point is not in the space: x = 4\.0 is outside its range\."
    ):
        optimizer.suggest(LEARNING.model_copy(update={"reference": {"x": 4.0, "y": 0.0}}))


def test_a_history_over_the_limit_is_too_large(service: str) -> None:
    far = FarOptimizer(service, TOKEN)
    long = LEARNING.model_copy(update={"seen": LEARNING.seen * 3000})
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


def test_no_answer_in_time_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        far = FarOptimizer(f"http://127.0.0.1:{silent.getsockname()[1]}", TOKEN, timeout=0.05)
        with pytest.raises(Unavailable, match="does not answer"):
            far.diagnose(DiagnoseRequest(spaces=SPACES))
        far.close()


class Odd(BaseHTTPRequestHandler):
    """A server that answers whatever its address says: /STATUS/TYPE is the prefix of the path asked."""

    def do_POST(self) -> None:
        _, status, subtype, *_ = self.path.split("/")
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(int(status))
        self.send_header("Content-Type", f"application/{subtype}")
        self.end_headers()
        self.wfile.write(b'{"type": "storage-full", "detail": "no room"}' if subtype != "html" else b"<h1>")

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
        ("507/problem+json", "in trouble: no room"),
        ("302/html", "it answered 302"),
        ("404/html", "it answered 404"),
        ("400/json", "it answered 400"),
        ("200/html", "another form"),
        ("200/json", "another form"),
    ],
)
def test_whatever_is_no_answer_is_unavailable(odd: str, answer: str, said: str) -> None:
    far = FarOptimizer(f"{odd}/{answer}", TOKEN)
    with pytest.raises(Unavailable, match=said):
        far.suggest(LEARNING)
    far.close()
