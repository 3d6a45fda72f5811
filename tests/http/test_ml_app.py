import gzip
import json
import os
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from ml_service.app import create_app
from ml_service.optimizer.suggest import diagnose, suggest
from ml_service.settings import Settings
from ml_service.wire.bodies import MAX_BODY
from ml_service.wire.contract import DiagnoseRequest, FloatParameter, ParameterSpace, SuggestRequest

TOKEN = "a-token-of-the-test-suite"
SPACE = ParameterSpace(parameters={"x": FloatParameter(low=0, high=1, default=0.5)})
NARROW = {"kind": "float", "low": 0, "high": 1}
ASK = SuggestRequest(spaces={"local": SPACE}, count=2)


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = create_app(Settings(ml_service_token=SecretStr(TOKEN)))
    with TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client


def problem(response: Any) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == response.status_code
    assert body["title"]
    return body


def test_health_needs_no_token_and_none_of_the_libraries_that_take_seconds() -> None:
    script = (
        "import sys; from fastapi.testclient import TestClient; from ml_service.app import create_app;"
        "from ml_service.settings import Settings; answer = TestClient(create_app(Settings())).get('/ml/health');"
        "print(answer.status_code, answer.json()['status'], {'scipy', 'sklearn', 'skopt'} & set(sys.modules))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "ML_SERVICE_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["200", "ok", "set()"]


def test_answers_are_those_of_the_optimizer(client: TestClient) -> None:
    told = client.post("/ml/suggest", json=ASK.model_dump(mode="json"))
    assert told.json() == suggest(ASK).model_dump(mode="json")
    learnt = client.post("/ml/diagnose", json={"spaces": ASK.model_dump(mode="json")["spaces"]})
    assert learnt.json() == diagnose(DiagnoseRequest(spaces={"local": SPACE})).model_dump(mode="json")


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong", TOKEN, f"bearer {TOKEN}", "Bearer é"])
@pytest.mark.parametrize("path", ["/ml/suggest", "/ml/diagnose"])
def test_a_wrong_token_is_refused(client: TestClient, path: str, sent: str) -> None:
    response = client.post(path, json=ASK.model_dump(mode="json"), headers={b"Authorization": sent.encode()})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert problem(response)["type"] == "unauthorized"


def changed(**more: Any) -> str:
    return json.dumps(ASK.model_dump(mode="json") | more)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "JSON"),
        ("{}", "spaces: Field required"),
        (changed(count=0), "count"),
        (changed(wire=2), "wire: this side speaks wire 1; run the same version of Palate on both sides."),
        (changed(wire="1"), "wire: this side speaks wire 1"),
        (changed(surprise=1), "surprise"),
        (
            changed(spaces={"local": {"parameters": {"x": {"kind": "float", "low": 1, "high": 0, "default": 0}}}}),
            "default",
        ),
        (changed(spaces={}), "spaces"),
        (
            changed(spaces={name: SPACE.model_dump() for name in ("a", "b")}),
            "say in `generator` which of a, b is asked",
        ),
        (changed(generator="far"), "`generator` is 'far', which has no space here; name one of local."),
        (changed(seen=[]), "seen: Input should be an object."),
        (changed(seen={"rating": [3]}), "seen: the columns of ratings differ in length"),
        (changed(exploration=5), "exploration: Input should be less than or equal to 4."),
        (changed(initial=0), "initial: Input should be greater than or equal to 1."),
        (changed(count=1).replace('"count": 1', '"count": 1' + "0" * 5000), "Invalid JSON"),
        ("[" * 100_000, "Invalid JSON"),
        ('{"item": "\\ud800"}', "Invalid JSON"),
        (changed(**{"long" * 1000: 1}), "longlong: Extra inputs are not permitted."),
        (changed(reference={"x": 3}), "x = 3 is outside its range"),
        (changed(pending=[{"point": {"x": float("nan")}, "generator": "local", "item": "i"}]), "pending.0.point"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong_with_it(client: TestClient, body: str, said: str) -> None:
    response = client.post("/ml/suggest", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert problem(response)["type"] == "invalid-request"
    assert said in problem(response)["detail"]


def test_a_body_over_the_limit_is_refused(client: TestClient) -> None:
    response = client.post("/ml/suggest", content=b" " * (MAX_BODY + 1), headers={"Content-Type": "application/json"})
    assert response.status_code == 413
    assert problem(response)["type"] == "too-large"
    assert "16 MiB" in problem(response)["detail"]


def test_a_packed_body_is_read_and_an_answer_is_packed_when_asked(client: TestClient) -> None:
    ask = ASK.model_copy(update={"count": 16})
    body = ask.model_dump_json().encode()
    packed = {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
    told = client.post("/ml/suggest", content=gzip.compress(body), headers=packed)
    plain = client.post("/ml/suggest", content=body, headers={"Accept-Encoding": "identity"})
    assert told.headers["content-encoding"] == "gzip"
    assert int(told.headers["content-length"]) < len(plain.content) / 2
    assert "content-encoding" not in plain.headers
    assert told.json() == plain.json() == suggest(ask).model_dump(mode="json")


def test_a_body_packed_in_parts_is_read(client: TestClient) -> None:
    body = ASK.model_dump_json().encode()
    parts = gzip.compress(body[:20]) + gzip.compress(b"") + gzip.compress(body[20:])
    assert client.post("/ml/suggest", content=parts, headers={"Content-Encoding": "GZIP"}).status_code == 200


def unpacking(client: TestClient, body: bytes, encoding: str = "gzip") -> tuple[int, str]:
    response = client.post("/ml/suggest", content=body, headers={"Content-Encoding": encoding})
    return response.status_code, problem(response)["detail"]


def test_a_body_that_unpacks_to_more_than_the_limit_is_refused_before_it_does(client: TestClient) -> None:
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(128)) + packer.flush()
    assert len(bomb) < MAX_BODY / 64
    tracemalloc.start()
    answers = [unpacking(client, body) for body in (bomb, gzip.compress(bytes(2**20)) * 17)]
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answers == [(413, "A request may have 16 MiB, packed and unpacked. Send fewer ratings.")] * 2
    assert used < 4 * MAX_BODY


@pytest.mark.parametrize(
    ("body", "encoding", "status", "said"),
    [
        (gzip.compress(b"{}", mtime=0)[:-4], "gzip", 422, "The gzip body ends before its end. Send all of it."),
        (gzip.compress(b"{}", mtime=0) + b"more", "gzip", 422, "The body is not gzip"),
        (b"{}", "gzip", 422, "The body is not gzip, although its Content-Encoding says so."),
        (zlib.compress(b"{}"), "gzip", 422, "The body is not gzip"),
        (gzip.compress(b"{}", mtime=0), "identity", 422, "Invalid JSON"),
        (b"{}", "br", 422, "Send the body as gzip, or as it is."),
        (
            gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0),
            "gzip, gzip",
            422,
            "Send the body as gzip, or as it is.",
        ),
        (b"", "gzip", 422, "Invalid JSON: EOF"),
        (b"\xff\xfe", "identity", 422, "Invalid JSON"),
    ],
)
def test_a_body_that_is_packed_badly_is_told_so(
    client: TestClient, body: bytes, encoding: str, status: int, said: str
) -> None:
    told, detail = unpacking(client, body, encoding)
    assert told == status
    assert said in detail


def test_a_body_of_a_stranger_is_not_read(client: TestClient) -> None:
    response = client.post("/ml/suggest", content=b"x", headers={"Authorization": "", "Content-Encoding": "gzip"})
    assert response.status_code == 401


def test_an_unknown_path_is_a_problem_too(client: TestClient) -> None:
    assert problem(client.get("/ml/nothing"))["type"] == "not-found"
    assert client.get("/ml/suggest").status_code == 405


@pytest.mark.parametrize(
    ("name", "value"), [("ML_SERVICE_TOKEN", ""), ("ML_SERVICE_TOKEN", "short"), ("PORT", "0"), ("PORT", "http")]
)
def test_a_bad_setting_stops_the_start_and_is_named(name: str, value: str) -> None:
    environment = {**os.environ, "ML_SERVICE_TOKEN": TOKEN, name: value}
    said = subprocess.run([sys.executable, "-m", "ml_service"], env=environment, capture_output=True, text=True)
    assert said.returncode == 2
    assert said.stderr.startswith(f"{name}: ")
    assert "Traceback" not in said.stderr
