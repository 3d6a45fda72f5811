"""The ML service over HTTP: suggest and diagnose behind a bearer token, errors as problem+json."""

from hmac import compare_digest
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Request
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse, Response
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from ml_service.errors import InvalidRequest, ServiceError, Unauthorized
from ml_service.settings import Settings
from ml_service.wire.bodies import MAX_BODY, parse, too_large, unpacked
from ml_service.wire.contract import WIRE_VERSION, DiagnoseRequest, SuggestRequest, Wire

SMALL = 1000  # bytes: an answer so short is not packed


def create_app(settings: Settings) -> FastAPI:
    """Build the ML service."""
    app = FastAPI(title="Palate ML service", openapi_url=None)
    app.add_middleware(GZipMiddleware, minimum_size=SMALL, compresslevel=6)
    app.add_exception_handler(ServiceError, _on_service_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    holder = [Depends(_bearer(settings.ml_service_token))]
    app.add_api_route("/ml/suggest", _suggest, methods=["POST"], dependencies=holder)
    app.add_api_route("/ml/diagnose", _diagnose, methods=["POST"], dependencies=holder)
    app.add_api_route("/ml/health", _health, methods=["GET"])
    return app


async def _body(request: Request) -> bytes:
    """Return the unpacked body, and stop reading past the limit."""
    read = bytearray()
    try:
        async for chunk in request.stream():
            read += chunk
            if len(read) > MAX_BODY:
                raise too_large()
    except ClientDisconnect as error:
        raise InvalidRequest("The connection ended before the body did. Send all of it.") from error
    return unpacked(bytes(read), request.headers.get("content-encoding", ""))


Body = Annotated[bytes, Depends(_body)]


def _suggest(body: Body) -> Response:
    """Propose points worth a rating."""
    from ml_service.optimizer import (
        suggest as optimizer,  # by the first request: its libraries take seconds, and health must not
    )

    return _answer(optimizer.suggest(parse(SuggestRequest, body)))


def _diagnose(body: Body) -> Response:
    """Say what the ratings tell about the space."""
    from ml_service.optimizer import suggest as optimizer  # as above

    return _answer(optimizer.diagnose(parse(DiagnoseRequest, body)))


def _answer(answer: Wire) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")


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


async def _on_http_error(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    kinds = {int(kind.status): kind for kind in ServiceError.__subclasses__()}
    return _problem(kinds.get(status, ServiceError), status, f"{getattr(error, 'detail', error)}.")


def _problem(kind: type[ServiceError], status: int, detail: str) -> JSONResponse:
    body = {"type": kind.slug(), "title": kind.title(), "status": status, "detail": detail}
    headers = {"WWW-Authenticate": "Bearer"} if status == Unauthorized.status else None
    return JSONResponse(body, status, headers, media_type="application/problem+json")
