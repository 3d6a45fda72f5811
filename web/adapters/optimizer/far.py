"""The optimizer by URL: the ML service in another process or on another machine."""

import gzip
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from ml_service.errors import InvalidRequest, ServiceError, TooLarge, Unavailable
from ml_service.wire.contract import WIRE_VERSION, DiagnoseRequest, Diagnosis, Suggestion, SuggestRequest, Wire

Answer = TypeVar("Answer", Suggestion, Diagnosis)


class FarOptimizer:
    """An optimizer at a URL, asked with a bearer token; one connection is kept open, `close` gives it back.

    Requests are sent as gzip, since a long history is otherwise more than a Lambda takes.

    Problems come back as the error they were raised as. Whatever is no answer to the request (no connection, no
    time left, a server's own fault, a refused token, an answer that is not understood) is Unavailable.
    """

    def __init__(self, url: str, token: str, timeout: float = 60.0) -> None:
        self._url, self._timeout = url, timeout
        self._client = httpx.Client(
            base_url=url,
            timeout=timeout,
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Content-Encoding": "gzip",
            },
        )

    def suggest(self, request: SuggestRequest) -> Suggestion:
        """Propose the points most worth a rating."""
        return self._ask("/ml/suggest", request, Suggestion)

    def diagnose(self, request: DiagnoseRequest) -> Diagnosis:
        """Say what was learnt."""
        return self._ask("/ml/diagnose", request, Diagnosis)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _ask(self, path: str, request: Wire, kind: type[Answer]) -> Answer:
        # The lowest level packs a history nearly as small as the highest, in a sixth of the time.
        body = gzip.compress(request.model_dump_json().encode(), compresslevel=1, mtime=0)
        try:
            response = self._client.post(path, content=body)
        except httpx.TimeoutException as error:
            raise Unavailable(
                f"The ML service at {self._url} does not answer within {self._timeout:g} s. Is it overloaded?"
            ) from error
        except httpx.HTTPError as error:
            raise Unavailable(f"The ML service at {self._url} does not answer ({error}). Is it running?") from error
        if not response.is_success:
            raise self._error(response)
        return self._read(response, kind)

    def _read(self, response: httpx.Response, kind: type[Answer]) -> Answer:
        try:
            return kind.model_validate_json(response.content)
        except ValidationError as error:
            raise Unavailable(
                f"The ML service at {self._url} sent an answer of another form. Run the same version on both sides."
            ) from error

    def _error(self, response: httpx.Response) -> ServiceError:
        problem = _problem(response)
        detail = str(problem.get("detail") or f"it answered {response.status_code}.")
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return Unavailable(f"The ML service at {self._url} refuses ML_SERVICE_TOKEN. Set the same on both sides.")
        if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            return TooLarge(str(problem.get("detail") or f"The ML service at {self._url} takes no request so large."))
        kinds = {kind.slug(): kind for kind in ServiceError.__subclasses__()}
        kind = kinds.get(str(problem.get("type")))
        if kind is None or response.is_server_error or not response.is_client_error:
            return Unavailable(f"The ML service at {self._url} is in trouble: {detail}")
        return self._of_another_wire() if kind is InvalidRequest and self._speaks_another() else kind(detail)

    def _of_another_wire(self) -> Unavailable:
        return Unavailable(
            f"The ML service at {self._url} does not speak wire {WIRE_VERSION}. Run the same version on both sides."
        )

    def _speaks_another(self) -> bool:
        """Tell whether the service says that it speaks another version, which then refuses what is no fault."""
        try:
            health = self._client.get("/ml/health").json()
        except (httpx.HTTPError, ValueError):
            return False
        return isinstance(health, dict) and health.get("wire", WIRE_VERSION) != WIRE_VERSION


def _problem(response: httpx.Response) -> dict[str, Any]:
    """Return the problem that a response carries; empty where it carries none."""
    if response.headers.get("content-type", "").split(";")[0] != "application/problem+json":
        return {}
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
