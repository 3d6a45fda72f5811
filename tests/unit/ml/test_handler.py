import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from ml_service.optimizer.suggest import diagnose, suggest
from ml_service.wire.contract import DiagnoseRequest, Suggestion, SuggestRequest
from tests.lambda_events import CLOCKS, FORMS
from tests.lambda_runtime import Lambda, body_of, event, headers_of, lambda_of
from tests.unit.ml.histories import BOWL, random_history

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client runs on Linux")

HANDLER = "ml_service.handler.handler"
TOKEN = "a-token-of-the-test-suite"
HOLDER = {"authorization": f"Bearer {TOKEN}"}
ASK = SuggestRequest(spaces={"local": BOWL}, seen=tuple(random_history(12)), count=16, initial=64)


@pytest.fixture(scope="module")
def function() -> Iterator[Lambda]:
    with lambda_of(HANDLER, {"ML_SERVICE_TOKEN": TOKEN}) as function:
        yield function


def test_a_lambda_reads_and_writes_plain_json(function: Lambda) -> None:
    answer = function.invoke(event("POST", "/ml/suggest", ASK.model_dump_json().encode(), HOLDER))
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, False)
    assert Suggestion.model_validate_json(answer["body"]) == suggest(ASK)


def test_a_lambda_reads_and_writes_gzip(function: Lambda) -> None:
    packed = {**HOLDER, "content-encoding": "gzip", "accept-encoding": "gzip, deflate"}
    answer = function.invoke(event("POST", "/ml/suggest", gzip.compress(ASK.model_dump_json().encode()), packed))
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    assert answer["headers"]["content-encoding"] == "gzip"
    assert gzip.decompress(body_of(answer)).decode() == suggest(ASK).model_dump_json()


def test_a_lambda_answers_the_same_again(function: Lambda) -> None:
    request = DiagnoseRequest(spaces={"local": BOWL}, seen=ASK.seen)
    asked = event("POST", "/ml/diagnose", request.model_dump_json().encode(), HOLDER)
    answers = [body_of(function.invoke(asked)) for _ in range(2)]
    assert answers == [diagnose(request).model_dump_json().encode()] * 2


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        (event("GET", "/ml/health"), 200, '"wire":1'),
        (event("POST", "/ml/suggest", b"{}"), 401, "ML_SERVICE_TOKEN"),
        (event("POST", "/ml/suggest", b"{}", HOLDER), 422, "spaces: Field required."),
        (event("POST", "/ml/suggest", b"", HOLDER), 422, "Invalid JSON"),
        (event("POST", "/ml/suggest", b"{}", {**HOLDER, "content-encoding": "gzip"}), 422, "not gzip"),
        (event("GET", "/ml/nothing"), 404, "not-found"),
    ],
)
def test_a_lambda_says_what_the_service_says(function: Lambda, asked: Any, status: int, said: str) -> None:
    answer = function.invoke(asked)
    assert answer["statusCode"] == status
    assert said in body_of(answer).decode()


def test_a_stage_stands_before_the_path_and_a_problem_is_text(function: Lambda) -> None:
    answer = function.invoke(FORMS["a stage of an HTTP API"]("POST", "/ml/suggest", b"{}", None))
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (401, False)
    assert headers_of(answer)["content-type"] == "application/problem+json"
    assert json.loads(answer["body"])["type"].endswith("unauthorized")


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=list(CLOCKS))
def test_a_lambda_is_kept_warm_by_the_clock(function: Lambda, clock: dict[str, Any]) -> None:
    assert function.invoke(clock) == {"warm": True}


def test_a_warm_lambda_has_read_the_optimizer() -> None:
    asked = "handler({'warmup': True}, None); print('scipy' in sys.modules)"
    told = f"import sys; from ml_service.handler import handler; {asked}"
    around = {**os.environ, "ML_SERVICE_TOKEN": TOKEN}
    done = subprocess.run([sys.executable, "-c", told], env=around, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.mark.parametrize("other", [{}, {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}, {"warmup": False}])
def test_a_lambda_goes_on_after_an_event_that_is_no_request(function: Lambda, other: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="unable to infer a handler"):
        function.invoke(other)
    assert function.invoke(event("GET", "/ml/health"))["statusCode"] == 200


def test_a_lambda_without_its_token_says_which_setting_is_missing() -> None:
    with (
        lambda_of(HANDLER, {"ML_SERVICE_TOKEN": ""}) as bare,
        pytest.raises(RuntimeError, match="ml_service_token") as fault,
    ):
        bare.invoke(event("GET", "/ml/health"))
    assert json.loads(str(fault.value))["errorType"] == "ValidationError"
