import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from ml_service.app import MAX_BODY, create_app
from ml_service.contract import DiagnoseRequest, FloatParameter, ParameterSpace, SuggestRequest
from ml_service.optimizer import diagnose, suggest
from ml_service.settings import Settings

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


def test_health_needs_no_token_and_no_skopt() -> None:
    script = (
        "import sys; from fastapi.testclient import TestClient; from ml_service.app import create_app;"
        "from ml_service.settings import Settings; answer = TestClient(create_app(Settings())).get('/ml/health');"
        "print(answer.status_code, answer.json()['status'], 'skopt' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "ML_SERVICE_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["200", "ok", "False"]


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
        (changed(wire=1), "wire"),
        (changed(surprise=1), "surprise"),
        (
            changed(spaces={"local": {"parameters": {"x": {"kind": "float", "low": 1, "high": 0, "default": 0}}}}),
            "default",
        ),
        (changed(spaces={}), "spaces"),
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
