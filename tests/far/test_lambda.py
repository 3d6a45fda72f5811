"""The optimizer as a Lambda behind whatever AWS can put before it, in AWS's own client of the runtime."""

import gzip
import sys
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import pytest

from ml_service.errors import InvalidRequest, Unavailable
from ml_service.optimizer.suggest import suggest
from ml_service.wire.contract import SuggestRequest
from tests.lambda_events import CLOCKS, FORMS
from tests.lambda_runtime import Form, Lambda, body_of, event, headers_of, lambda_of, url_of
from tests.unit.ml.histories import BOWL, random_history
from web.adapters.optimizer.far import FarOptimizer

pytestmark = [
    pytest.mark.far,
    pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client runs on Linux"),
]

TOKEN = "a-token-of-the-test-suite"
HOLDER = {"authorization": f"Bearer {TOKEN}"}
PACKED = {**HOLDER, "content-encoding": "gzip", "accept-encoding": "gzip"}
ASK = SuggestRequest(spaces={"local": BOWL}, seen=tuple(random_history(12)), count=16, initial=64)
TOLD = cache(partial(suggest, ASK))


@pytest.fixture(scope="module")
def function() -> Iterator[Lambda]:
    with lambda_of("ml_service.handler.handler", {"ML_SERVICE_TOKEN": TOKEN}) as function:
        yield function


@pytest.fixture(params=FORMS.values(), ids=list(FORMS))
def form(request: pytest.FixtureRequest) -> Form:
    found: Form = request.param
    return found


def test_every_event_of_a_request_is_answered(function: Lambda, form: Form) -> None:
    packed = gzip.compress(ASK.model_dump_json().encode())
    answer = function.invoke(form("POST", "/ml/suggest", packed, PACKED))
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    assert headers_of(answer)["content-encoding"] == "gzip"
    assert gzip.decompress(body_of(answer)).decode() == TOLD().model_dump_json()


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        (("GET", "/ml/health", b"", None), 200, '"wire":1'),
        (("POST", "/ml/suggest", b"{}", None), 401, "ML_SERVICE_TOKEN"),
        (("POST", "/ml/suggest", b"{}", HOLDER), 422, "spaces: Field required."),
        (("GET", "/ml/nothing", b"", None), 404, "not-found"),
        (("GET", "/", b"", None), 404, "not-found"),
    ],
)
def test_every_event_is_told_in_text(function: Lambda, form: Form, asked: Any, status: int, said: str) -> None:
    answer = function.invoke(form(*asked))
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (status, False)
    assert said in answer["body"]
    kind = "application/json" if status == 200 else "application/problem+json"
    assert headers_of(answer)["content-type"] == kind


def test_palate_asks_through_every_form(function: Lambda, form: Form) -> None:
    with url_of(function, form) as url:
        far, stranger = FarOptimizer(url, TOKEN), FarOptimizer(url, "another-token-of-somebody")
        assert far.suggest(ASK) == TOLD()
        with pytest.raises(InvalidRequest):
            far.suggest(ASK.model_copy(update={"reference": {"unknown": 4.0}}))
        with pytest.raises(Unavailable, match="refuses ML_SERVICE_TOKEN"):
            stranger.suggest(ASK)
        far.close()
        stranger.close()


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=list(CLOCKS))
def test_what_keeps_a_lambda_warm_is_no_error(function: Lambda, clock: dict[str, Any]) -> None:
    assert function.invoke(clock) == {"warm": True}
    assert function.invoke(event("GET", "/ml/health"))["statusCode"] == 200
