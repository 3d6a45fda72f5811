"""A text model behind OpenAI's protocol, wherever it runs; the one module that knows the `openai` package."""

import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NoReturn

import httpx2
import openai
from pydantic import BaseModel, Field, ValidationError

from ml_service.errors import Forbidden, InvalidRequest, TooLarge, Unanswered, Unavailable
from web.adapters.models.reading import read_answer
from web.adapters.models.waiting import retry_after
from web.adapters.models.worst import tokens_in_at_most
from web.domain.models.usage import Choice
from web.domain.text import plain
from web.ports.models import Completion, TextRequest

CONNECT_SECONDS = 10.0
MOST_BYTES = 4 * 2**20
MOST_TOKENS = 10_000_000  # a usage beyond it is no usage
SAID = 300  # characters of what a provider says that are passed on
_IMAGES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"RIFF": "image/webp"}
_AT_WORK = {408, 409, 425, 429, 500, 502, 503, 520, 529}  # refused before any work was done
_IN_VAIN = {504, 522, 524}  # somebody on the way has lost patience; the model may still have worked


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Answer(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0, le=MOST_TOKENS)
    completion_tokens: int = Field(ge=0, le=MOST_TOKENS)
    total_tokens: int = Field(0, ge=0, le=2 * MOST_TOKENS)


class _Reply(BaseModel):
    """What is read of a reply; `usage` is read apart, as an odd one does not spoil the answer."""

    choices: list[_Answer] = Field(min_length=1)
    model: str = ""


class _Usages(BaseModel):
    usage: _Usage


class OpenAIModel:
    """A text model that is asked by chat completions with a strict JSON schema, once, within a time.

    The key goes to the provider and nowhere else: no error carries it, nor what the provider says of a key.
    """

    def __init__(self, choice: Choice, key: str | None = None, seconds: float = 120.0) -> None:
        self._choice, self._key, self._seconds = choice, key if choice.keyed else None, seconds
        self._client = openai.OpenAI(
            api_key=self._key or "none",
            base_url=choice.provider.base_url,
            max_retries=0,
            # Given here, as ten minutes would replace that of the client where it happens to be httpx2's default.
            timeout=httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
            http_client=openai.DefaultHttpxClient(
                follow_redirects=False,
                limits=httpx2.Limits(max_keepalive_connections=0),  # between two questions lie minutes
                event_hooks={"response": [lambda response: _bound(response, seconds)]},
            ),
        )

    @property
    def sees(self) -> bool:
        """Whether it is to be shown images."""
        return self._choice.sees

    def complete(self, request: TextRequest) -> Completion:
        """Ask once."""
        began = time.monotonic()
        try:
            body = self._ask(request)
        except _TooLong:
            return self._made(request, began, "", None, f"The text model's answer has more than {MOST_BYTES} bytes.")
        try:
            reply = _Reply.model_validate_json(body)
        except ValidationError:
            fault = f"The text model at {self._choice.provider.base_url} did not answer in the form of the protocol."
            return self._made(request, began, "", None, fault)
        text = reply.choices[0].message.content or ""
        return self._made(request, began, text, _usage(body), _unfinished(reply.choices[0]))

    def worst(self, request: TextRequest) -> int:
        """Return what a question costs that uses all that it may."""
        return self._choice.price.of(tokens_in_at_most(request), request.most_tokens)

    def _ask(self, request: TextRequest) -> bytes:
        try:
            return self._client.chat.completions.with_raw_response.create(**self._body(request)).content
        except openai.APITimeoutError as error:
            if isinstance(error.__cause__, httpx2.ConnectTimeout):
                raise self._away() from None
            raise self._silent() from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, httpx2.ConnectError):
                raise self._away() from None
            raise self._broken() from None
        except openai.APIStatusError as error:
            self._refuse(error)

    def _body(self, request: TextRequest) -> dict[str, Any]:
        provider = self._choice.provider
        form = {"name": request.schema_name, "schema": dict(request.schema), "strict": True}
        more: dict[str, Any] = {provider.limit: request.most_tokens}
        if provider.seed is not None:
            more[provider.seed] = request.seed
        return {
            "model": self._choice.model,
            "messages": [{"role": "system", "content": request.system}, {"role": "user", "content": _asked(request)}],
            "response_format": {"type": "json_schema", "json_schema": form},
            "stream": False,
            "extra_body": more,
            "extra_headers": {"Accept-Encoding": "identity"},  # a small body must not unpack into a huge one
            **({} if request.temperature is None else {"temperature": request.temperature}),
        }

    def _made(self, request: TextRequest, began: float, text: str, usage: _Usage | None, fault: str) -> Completion:
        parsed, wrong = (None, fault) if fault else read_answer(text, request.schema)
        tokens_in, tokens_out = tokens_in_at_most(request), max(request.most_tokens, len(text.encode()))
        if usage is not None:  # some leave out of `completion_tokens` what a model thought, and bill it
            tokens_in = usage.prompt_tokens
            tokens_out = max(usage.completion_tokens, usage.total_tokens - tokens_in)
        cost = self._choice.price.of(tokens_in, tokens_out)
        seconds = time.monotonic() - began
        return Completion(text, parsed, wrong, self._choice.model, tokens_in, tokens_out, cost, seconds)

    def _away(self) -> Unavailable:
        return Unavailable(f"The text model at {self._choice.provider.base_url} cannot be reached. Is it running?")

    def _silent(self) -> Unanswered:
        return Unanswered(f"The text model {self._choice} did not answer within {self._seconds:g} s.")

    def _broken(self) -> Unanswered:
        return Unanswered(f"The connection to the text model {self._choice} broke before it had answered.")

    def _refuse(self, error: openai.APIStatusError) -> NoReturn:
        status, place = error.status_code, self._choice.provider.base_url
        if status in (401, 403):
            raise Forbidden(
                f"{place} refuses OPENAI_API_KEY for {self._choice.model}; set one that may use it."
            ) from None
        if status == 402 or error.code == "insufficient_quota":
            raise Forbidden(f"The account of OPENAI_API_KEY at {place} has no credit left.") from None
        if status in _IN_VAIN:
            raise self._silent() from None
        if status in _AT_WORK or status >= 500:
            wait = retry_after(error.response.headers, datetime.now(UTC))
            raise Unavailable(f"{place} has no time for {self._choice.model} now ({status}).", wait) from None
        if status == 404:
            raise InvalidRequest(f"There is no {self._choice}; check TEXT_MODEL and TEXT_MODEL_BASE_URL.") from None
        if status == 413:
            raise TooLarge(f"{place} takes no request so large.") from None
        raise InvalidRequest(f"{place} refuses the request ({status}): {self._said(error)}") from None

    def _said(self, error: openai.APIStatusError) -> str:
        """Return what a provider says of a refusal, without the key and as plain words."""
        body = error.body if isinstance(error.body, dict) else {}
        said = body.get("message")
        words = " ".join(plain(said).split()) if isinstance(said, str) else "it does not say why."
        return (words.replace(self._key, "…") if self._key else words)[:SAID]


class _TooLong(Exception):
    """A reply that goes on and on."""


class _Bounded(httpx2.SyncByteStream):
    """A stream that ends with an error when it has run too long or brought too much."""

    def __init__(self, inner: httpx2.SyncByteStream, until: float) -> None:
        self._inner, self._until = inner, until

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._inner:
            size += len(chunk)
            if size > MOST_BYTES:
                raise _TooLong
            if time.monotonic() > self._until:
                raise httpx2.ReadTimeout("the reply comes too slowly")
            yield chunk

    def close(self) -> None:
        self._inner.close()


def _bound(response: httpx2.Response, seconds: float) -> None:
    response.headers.pop("content-encoding", None)  # what was packed unasked stays packed
    stream = response.stream
    if isinstance(stream, httpx2.SyncByteStream):
        response.stream = _Bounded(stream, time.monotonic() + seconds)


def _asked(request: TextRequest) -> str | list[dict[str, Any]]:
    if not request.images:
        return request.user
    return [{"type": "text", "text": request.user}, *(_image(body) for body in request.images)]


def _image(body: bytes) -> dict[str, Any]:
    for head, media_type in _IMAGES.items():
        if body.startswith(head):
            url = f"data:{media_type};base64,{b64encode(body).decode()}"
            return {"type": "image_url", "image_url": {"url": url, "detail": "low"}}
    raise InvalidRequest("A text model is shown JPEG, PNG or WebP images only.")


def _unfinished(answer: _Answer) -> str:
    """Return why an answer is none although its text may look like one, or ""."""
    if answer.message.refusal:
        return f"The text model refuses to answer: {' '.join(plain(answer.message.refusal).split())[:SAID]}"
    if answer.finish_reason == "length":
        return "The text model's answer is cut off: it needed more tokens than it was given."
    if answer.finish_reason == "content_filter":
        return "The provider's content filter kept the text model's answer back."
    return ""


def _usage(body: bytes) -> _Usage | None:
    try:
        return _Usages.model_validate_json(body).usage
    except ValidationError:
        return None
