"""The optimizer by URL: the ML service in another process or on another machine."""

from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from ml_service.contract import DiagnoseRequest, Diagnosis, Suggestion, SuggestRequest, Wire
from ml_service.errors import ServiceError, Unavailable

Answer = TypeVar("Answer", bound=Wire)


class FarOptimizer:
    """An optimizer at a URL, asked with a bearer token; one connection is kept open, `close` gives it back.

    Problems come back as the error they were raised as. Whatever is no answer to the request (no connection, no
    time left, a server's own fault, a refused token, an answer that is not understood) is Unavailable.
    """

    def __init__(self, url: str, token: str, timeout: float = 60.0) -> None:
        self._url = url
        self._client = httpx.Client(
            base_url=url,
            timeout=timeout,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
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
        try:
            response = self._client.post(path, content=request.model_dump_json())
        except httpx.HTTPError as error:
            raise Unavailable(f"The ML service at {self._url} does not answer ({error}). Is it running?") from error
        if not response.is_success:
            raise self._error(response)
        try:
            return kind.model_validate_json(response.content)
        except ValidationError as error:
            raise Unavailable(
                f"The ML service at {self._url} sent an answer of another form. Run the same version on both sides."
            ) from error

    def _error(self, response: httpx.Response) -> ServiceError:
        problem = _problem(response)
        detail = str(problem.get("detail") or f"it answered {response.status_code}")
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return Unavailable(f"The ML service at {self._url} refuses ML_SERVICE_TOKEN. Set the same on both sides.")
        kinds = {kind.slug(): kind for kind in ServiceError.__subclasses__()}
        kind = kinds.get(str(problem.get("type")))
        if kind is None or response.is_server_error or not response.is_client_error:
            return Unavailable(f"The ML service at {self._url} is in trouble: {detail}.")
        return kind(detail)


def _problem(response: httpx.Response) -> dict[str, Any]:
    """Return the problem that a response carries; empty where it carries none."""
    if response.headers.get("content-type", "").split(";")[0] != "application/problem+json":
        return {}
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
