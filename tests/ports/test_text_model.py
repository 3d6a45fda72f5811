"""The text model against a server that speaks the protocol, through the real `openai` package."""

import gzip
import json
import logging
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from ml_service.errors import (
    Forbidden,
    InvalidRequest,
    ServiceError,
    TooLarge,
    Unanswered,
    Unavailable,
    UnusableAnswer,
)
from tests.chat_server import ChatServer, Reply, chat_server, failing, saying
from tests.pictures import picture, saved
from web.adapters.models.openai import MOST_BYTES, OpenAIModel
from web.adapters.models.waiting import retry_after
from web.domain.models.usage import GEMINI, MISTRAL, OPENAI, Choice, Price, Provider
from web.ports.models import TextRequest

KEY = "sk-fake-0123456789abcdef"
PRICE = Price(1.0, 10.0)
SCHEMA = {
    "type": "object",
    "properties": {"edits": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}},
    "required": ["edits"],
    "additionalProperties": False,
}
GOOD = {"edits": ["a"]}


def request(**more: Any) -> TextRequest:
    asked = {"system": "Be brief.", "user": "Which?", "schema": SCHEMA, "schema_name": "edits", "most_tokens": 50}
    return TextRequest(**{**asked, "seed": 7, "purpose": "test", "project_id": "p", **more})


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with chat_server(lambda _: saying(GOOD)) as running:
        yield running


@pytest.fixture(scope="module")
def ask(server: ChatServer) -> Callable[..., Any]:
    """Let the server answer with a reply, and return what the model makes of it."""

    @cache
    def model(limit: str, seed: str | None, seconds: float) -> OpenAIModel:
        return OpenAIModel(choice(Provider("", server.url, limit=limit, seed=seed)), KEY, seconds)

    def once(
        reply: Reply, seconds: float = 5.0, limit: str = "max_tokens", seeded: str | None = "seed", **more: Any
    ) -> Any:
        server.answers = lambda _: reply
        return model(limit, seeded, seconds).complete(request(**more))

    return once


def choice(provider: Provider, *, keyed: bool = True) -> Choice:
    return Choice(provider, "test-model", PRICE, keyed)


def test_an_answer_of_the_schema_is_parsed_and_costs_what_was_used(ask: Callable[..., Any]) -> None:
    made = ask(saying(GOOD))
    assert made.answer() == GOOD
    assert (made.tokens_in, made.tokens_out, made.cost_micros) == (100, 20, 300)
    assert (made.model, made.fault, made.cached) == ("test-model", "", False)
    assert made.seconds > 0


def test_the_request_is_of_the_protocol(ask: Callable[..., Any], server: ChatServer) -> None:
    ask(saying(GOOD), temperature=0.5)
    asked, headers = server.asked[-1], server.headers[-1]
    assert asked == {
        "model": "test-model",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Which?"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "edits", "schema": SCHEMA, "strict": True}},
        "max_tokens": 50,
        "seed": 7,
        "stream": False,
        "temperature": 0.5,
    }
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["accept-encoding"] == "identity"


def test_images_are_sent_small_and_others_are_refused(ask: Callable[..., Any], server: ChatServer) -> None:
    image = saved(picture(16, 16), "JPEG")
    ask(saying(GOOD), images=(image,))
    text, shown = server.asked[-1]["messages"][1]["content"]
    assert text == {"type": "text", "text": "Which?"}
    assert shown["image_url"]["url"].startswith("data:image/jpeg;base64,/9j/")
    assert shown["image_url"]["detail"] == "low"
    with pytest.raises(InvalidRequest, match="JPEG, PNG or WebP"):
        ask(saying(GOOD), images=(b"<svg>",))


def test_a_provider_is_asked_in_its_own_words(ask: Callable[..., Any], server: ChatServer) -> None:
    ask(saying(GOOD), seeded=MISTRAL.seed)
    assert (server.asked[-1]["random_seed"], "seed" in server.asked[-1]) == (7, False)
    ask(saying(GOOD), seeded=GEMINI.seed, limit=OPENAI.limit)
    assert server.asked[-1]["max_completion_tokens"] == 50
    assert not {"seed", "max_tokens"} & set(server.asked[-1])


def test_a_model_of_ones_own_is_sent_no_key(server: ChatServer) -> None:
    server.answers = lambda _: saying(GOOD)
    OpenAIModel(choice(Provider("", server.url, own=True), keyed=False), KEY).complete(request())
    assert KEY not in json.dumps(server.headers[-1])


def deep(levels: int) -> str:
    return '{"edits": ' + "[" * levels + "]" * levels + "}"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply('{"edits": ["a'), "is not JSON"),
        (Reply('```json\n{"edits": ["a"]}\n```'), "is not JSON"),
        (Reply('{"edits": ["a"]} and more'), "is not JSON"),
        (Reply('{"edits": [NaN]}'), "is not JSON"),
        (Reply('{"edits": [1e999]}'), "is not"),
        (Reply(deep(50_000)), "is not JSON"),
        (Reply('{"edits": ["\x01"]}'), "is not JSON"),
        (Reply('{"edits": ["\\ud800"]}'), "is not JSON"),
        (Reply('{"edits": ["\\u0000"]}'), "control characters"),
        (Reply('{"edits": ["\\u202e"]}'), "control characters"),
        (Reply('{"\\u0007": ["a"]}'), "control characters"),
        (Reply('["a"]'), "not an object"),
        (Reply('{"edits": ["c"]}'), r"\$\.edits\[0\] breaks “enum”"),
        (Reply('{"edits": []} '.replace("edits", "other")), "is not of the schema"),
        (Reply(json.dumps({"edits": ["a"], "more": "x" * 5000})), r"breaks “additionalProperties”\.$"),
        (Reply(json.dumps({"edits": ["x" * 250_000]})), "characters; 200000 are the most"),
        (Reply(json.dumps(GOOD), finish_reason="length"), "cut off"),
        (Reply(json.dumps(GOOD), finish_reason="content_filter"), "content filter"),
        (Reply(None, refusal="I can't\x07 help."), "refuses to answer: I can't help.$"),
        (Reply(""), "is empty"),
        (Reply(None), "is empty"),
    ],
)
def test_an_unusable_answer_says_why_and_is_still_charged(ask: Callable[..., Any], reply: Reply, said: str) -> None:
    made = ask(reply)
    with pytest.raises(UnusableAnswer, match=said):
        made.answer()
    assert len(made.fault) < 400
    assert made.cost_micros == 300


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<h1>It works</h1>",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": ["a"]}}]}',
        b'{"choices": [{"message": {"content": "' + b"[" * 100 + b"\xff" + b'"}}]}',
        b"[" * 100_000,
        b'{"choices": [{"message": {"content": NaN}}]}',
        b'{"choices": null}',
    ],
)
def test_a_body_of_another_form_is_unusable_and_charged_at_its_worst(ask: Callable[..., Any], body: bytes) -> None:
    made = ask(Reply(body=body))
    with pytest.raises(UnusableAnswer, match="form of the protocol"):
        made.answer()
    assert made.cost_micros > 50 * 10


def test_a_body_of_ten_megabytes_is_not_read_to_its_end(ask: Callable[..., Any]) -> None:
    made = ask(Reply(json.dumps({"edits": ["x" * 10_000_000]})))
    assert made.fault == f"The text model's answer has more than {MOST_BYTES} bytes."


def test_an_error_of_ten_megabytes_is_not_read_to_its_end(ask: Callable[..., Any]) -> None:
    made = ask(Reply(status=500, body=b"x" * 10_000_000))
    assert "more than" in made.fault


def test_a_body_packed_unasked_is_not_unpacked(ask: Callable[..., Any]) -> None:
    packed = gzip.compress(json.dumps({"choices": [{"message": {"content": json.dumps(GOOD)}}]}).encode())
    assert "form of the protocol" in ask(Reply(body=packed, headers={"Content-Encoding": "gzip"})).fault


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"prompt_tokens": -5, "completion_tokens": 1}, {"prompt_tokens": 10**18, "completion_tokens": 1}],
)
def test_without_a_sound_usage_the_worst_is_charged(ask: Callable[..., Any], usage: dict[str, int] | None) -> None:
    made = ask(Reply(json.dumps(GOOD), usage=usage))
    assert made.answer() == GOOD
    assert made.tokens_out == 50
    assert made.tokens_in > len("Be brief.Which?")


def test_thoughts_that_are_only_in_the_total_are_charged(ask: Callable[..., Any]) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 1_000}
    assert ask(Reply(json.dumps(GOOD), usage=usage)).cost_micros == 100 + 900 * 10


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (failing(401, f"Incorrect API key provided: {KEY}"), Forbidden, "refuses OPENAI_API_KEY"),
        (failing(403), Forbidden, "refuses OPENAI_API_KEY"),
        (failing(429, code="insufficient_quota"), Forbidden, "no credit left"),
        (failing(402), Forbidden, "no credit left"),
        (failing(404), InvalidRequest, "There is no test-model at .* check TEXT_MODEL"),
        (failing(400, f"Bad\x00 schema for {KEY}"), InvalidRequest, r"\(400\): Bad schema for …$"),
        (failing(400, "x" * 10_000), InvalidRequest, "x{300}$"),
        (Reply(status=400, body=b'{"error": ["?"]}'), InvalidRequest, "does not say why"),
        (Reply(status=307, body=b"", headers={"Location": "http://127.0.0.1:9/"}), InvalidRequest, r"\(307\)"),
        (failing(413), TooLarge, "no request so large"),
        (failing(429), Unavailable, r"no time for test-model now \(429\)"),
        (failing(500), Unavailable, r"\(500\)"),
        (failing(503), Unavailable, r"\(503\)"),
        (failing(504), Unanswered, "did not answer within"),
        (Reply(drop=True), Unanswered, "broke before it had answered"),
    ],
)
def test_a_refusal_is_the_error_that_says_what_to_do(
    ask: Callable[..., Any], reply: Reply, kind: type[ServiceError], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(kind, match=said) as refused:
        ask(reply)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    assert KEY not in repr(refused.value) + caplog.text


def test_the_redirect_is_not_followed(ask: Callable[..., Any], server: ChatServer) -> None:
    before = len(server.asked)
    with pytest.raises(InvalidRequest):
        ask(Reply(status=307, body=b"", headers={"Location": f"{server.url}/chat/completions"}))
    assert len(server.asked) == before + 1


def test_no_retries_are_made_by_the_package_itself(ask: Callable[..., Any], server: ChatServer) -> None:
    before = len(server.asked)
    with pytest.raises(Unavailable):
        ask(failing(500, x_should_retry="true"))
    assert len(server.asked) == before + 1


def test_silence_ends_after_the_time_limit(ask: Callable[..., Any]) -> None:
    with pytest.raises(Unanswered, match=r"did not answer within 0\.2 s"):
        ask(Reply(json.dumps(GOOD), wait=5), seconds=0.2)


def test_a_body_that_drips_ends_after_the_time_limit(ask: Callable[..., Any]) -> None:
    began = time.monotonic()
    with pytest.raises(Unanswered, match=r"did not answer within 0\.3 s"):
        ask(Reply(json.dumps(GOOD), drip=0.05), seconds=0.3)
    assert time.monotonic() - began < 2


def test_nobody_listening_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    model = OpenAIModel(choice(Provider("", f"http://127.0.0.1:{port}/v1")), KEY)
    with pytest.raises(Unavailable, match="cannot be reached"):
        model.complete(request())


NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:30 GMT"}, 0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30.5s"}, 90.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "20ms"}, None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "a while"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_read_from_the_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


def test_a_refusal_tells_how_long_to_wait(ask: Callable[..., Any]) -> None:
    with pytest.raises(Unavailable) as refused:
        ask(failing(429, x_ratelimit_remaining_requests="0", x_ratelimit_reset_requests="2s"))
    assert refused.value.retry_after == 2
