"""Problems as they go over the wire: application/problem+json (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect

from ml_service.errors import Forbidden, InvalidRequest, NotFound, ServiceError, TooLarge, Unauthorized

MOST_FAULTS = 5
# What a body can bring about by what it holds; the framework says 400 of whatever goes wrong while it is read.
_SENT = (ValueError, RecursionError, ClientDisconnect, MultiPartException)
_KNOWN: dict[int, tuple[type[ServiceError], str]] = {
    400: (InvalidRequest, "The body cannot be read as what its Content-Type says."),
    401: (Unauthorized, "Sign in to see this."),
    403: (Forbidden, "This account may not do that."),
    404: (NotFound, "There is nothing at this address."),
    413: (TooLarge, "The request has more bytes than this address takes."),
}


class StalePage(Forbidden):
    """This page is not from the session that sends it."""


class ForeignOrigin(Forbidden):
    """This request comes from a page of another site."""


class UnknownHost(ServiceError):
    """Palate does not answer to this host."""

    status = HTTPStatus.MISDIRECTED_REQUEST


@dataclass(frozen=True)
class Problem:
    """What went wrong: a stable name, what it means in general, and what to do now."""

    slug: str
    title: str
    detail: str
    status: int

    @classmethod
    def of(cls, error: Exception) -> "Problem":
        """Describe any exception; of one that nobody foresaw, nothing is told but that it happened."""
        if isinstance(error, ServiceError):
            return cls(error.slug(), error.title(), str(error) or error.title(), int(error.status))
        if isinstance(error, RequestValidationError):
            return cls.of(InvalidRequest(_faults(error)))
        if isinstance(error, HTTPException):
            return cls._of_http(error)
        detail = "An error that nobody foresaw; it was logged under this request's id. Trying again may help."
        return cls("internal-error", "Something went wrong on the server.", detail, 500)

    @classmethod
    def _of_http(cls, error: HTTPException) -> "Problem":
        cause = error.__cause__
        if isinstance(cause, ServiceError) or (isinstance(cause, Exception) and not isinstance(cause, _SENT)):
            return cls.of(cause)
        if error.status_code in _KNOWN:
            kind, detail = _KNOWN[error.status_code]
            return cls.of(kind(detail))
        phrase = HTTPStatus(error.status_code).phrase
        return cls(phrase.lower().replace(" ", "-"), f"{phrase}.", f"{error.detail}.", error.status_code)

    def response(self, request_id: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
        """Answer a program."""
        body = {
            "type": f"/problems/{self.slug}",
            "title": self.title,
            "detail": self.detail,
            "status": self.status,
            "request_id": request_id,
        }
        return JSONResponse(body, self.status, headers, media_type="application/problem+json")


def _faults(error: RequestValidationError) -> str:
    found = error.errors()
    told = [_fault(item["loc"], item["msg"]) for item in found[:MOST_FAULTS]]
    if len(found) > MOST_FAULTS:
        told.append(f"and {len(found) - MOST_FAULTS} more")
    return "; ".join(told) + "."


def _fault(place: tuple[int | str, ...], message: str) -> str:
    where = ".".join(str(part) for part in place[1:]) or str(place[0])
    return f"{where}: {message.removeprefix('Value error, ').rstrip('.')}"
