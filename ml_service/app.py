"""The ML service over HTTP: suggest and diagnose behind a bearer token, errors as problem+json."""

from collections.abc import Sequence
from hmac import compare_digest
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ml_service.contract import WIRE_VERSION, DiagnoseRequest, Diagnosis, Suggestion, SuggestRequest
from ml_service.errors import InvalidRequest, ServiceError, TooLarge, Unauthorized
from ml_service.settings import Settings

MAX_BODY = 16 * 1024 * 1024  # bytes: about 40,000 ratings


def create_app(settings: Settings) -> FastAPI:
    """Build the ML service."""
    app = FastAPI(title="Palate ML service", openapi_url=None)
    app.add_middleware(BodyLimit)
    app.add_exception_handler(ServiceError, _on_service_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)
    holder = [Depends(_bearer(settings.ml_service_token))]
    app.add_api_route("/ml/suggest", _suggest, methods=["POST"], dependencies=holder)
    app.add_api_route("/ml/diagnose", _diagnose, methods=["POST"], dependencies=holder)
    app.add_api_route("/ml/health", _health, methods=["GET"])
    return app


class BodyLimit:
    """Refuses a body over the limit as a problem, which FastAPI's own limit answers in plain text."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the bytes that the service reads, and stop reading past the limit."""
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY:
                raise HTTPException(TooLarge.status, f"A request may have {MAX_BODY // 2**20} MiB")
            return message

        await self.app(scope, counted, send)


def _suggest(request: SuggestRequest) -> Suggestion:
    """Propose points worth a rating."""
    from ml_service import optimizer  # by the first request: its libraries take seconds, and health must not

    return optimizer.suggest(request)


def _diagnose(request: DiagnoseRequest) -> Diagnosis:
    """Say what the ratings tell about the space."""
    from ml_service import optimizer  # as above

    return optimizer.diagnose(request)


def _health() -> dict[str, str | int]:
    """Say that the service is up, and which version of the wire it speaks."""
    return {"status": "ok", "wire": WIRE_VERSION}


def _bearer(token: SecretStr) -> Any:
    expected = f"Bearer {token.get_secret_value()}".encode()

    def check(authorization: Annotated[str, Header()] = "") -> None:
        if not compare_digest(authorization.encode(), expected):
            raise Unauthorized("Send the value of ML_SERVICE_TOKEN in the header 'Authorization: Bearer …'.")

    return check


async def _on_service_error(_: Request, error: Exception) -> JSONResponse:
    kind = type(error) if isinstance(error, ServiceError) else ServiceError
    return _problem(kind, int(kind.status), str(error))


async def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    return _problem(InvalidRequest, int(InvalidRequest.status), _sentences(faults))


async def _on_http_error(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    kinds = {int(kind.status): kind for kind in ServiceError.__subclasses__()}
    return _problem(kinds.get(status, ServiceError), status, f"{getattr(error, 'detail', error)}.")


def _sentences(faults: Sequence[Any]) -> str:
    return " ".join(f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}." for fault in faults[:5])


def _problem(kind: type[ServiceError], status: int, detail: str) -> JSONResponse:
    body = {"type": kind.slug(), "title": kind.title(), "status": status, "detail": detail}
    headers = {"WWW-Authenticate": "Bearer"} if status == Unauthorized.status else None
    return JSONResponse(body, status, headers, media_type="application/problem+json")
