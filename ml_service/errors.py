"""The errors of Palate: the class is the code, and it carries the HTTP status that it means.

ServiceError
├── InvalidRequest 422      what was sent cannot be used
├── Unauthorized 401        who is asking is not known
├── OverBudget 402          it may cost more than what is left to spend
├── Forbidden 403           who is asking may not
├── NotFound 404            there is no such thing, or not for the one who asks
├── Conflict 409            it changed meanwhile, or it is taken
├── Gone 410                it was there and was taken down
├── TooLarge 413            more bytes or pixels than the limit that the message names
├── Throttled 429           too often; the message says when to try again
├── UnusableAnswer 502      a model answered what cannot be used
├── Unavailable 503         a part that is needed is away; the same request may work later
├── Unanswered 504          it was asked and gave no answer; whether it did the work is not known
└── StorageFull 507         there is no room to store it
"""

import re
from http import HTTPStatus
from typing import ClassVar


class ServiceError(Exception):
    """Something that went wrong in a way its caller can understand."""

    status: ClassVar[int] = 500

    @classmethod
    def slug(cls) -> str:
        """Return the stable name of this error on the wire, `not-found` for `NotFound`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    @classmethod
    def title(cls) -> str:
        """Return the first sentence of the class's docstring, which says what went wrong in general."""
        return (cls.__doc__ or "").strip().splitlines()[0]


class InvalidRequest(ServiceError):
    """What was sent cannot be used."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Unauthorized(ServiceError):
    """Sign in first."""

    status = HTTPStatus.UNAUTHORIZED


class OverBudget(ServiceError):
    """That may cost more than what is left to spend."""

    status = HTTPStatus.PAYMENT_REQUIRED


class Forbidden(ServiceError):
    """This account may not do that."""

    status = HTTPStatus.FORBIDDEN


class NotFound(ServiceError):
    """There is no such thing here."""

    status = HTTPStatus.NOT_FOUND


class Conflict(ServiceError):
    """It was changed meanwhile, or the name is taken."""

    status = HTTPStatus.CONFLICT


class Gone(ServiceError):
    """It was taken down."""

    status = HTTPStatus.GONE


class TooLarge(ServiceError):
    """That is larger than is accepted here."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Throttled(ServiceError):
    """That was asked too often."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnusableAnswer(ServiceError):
    """A model answered what cannot be used."""

    status = HTTPStatus.BAD_GATEWAY


class Unavailable(ServiceError):
    """A part that is needed is away for now."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unanswered(ServiceError):
    """It was asked and gave no answer."""

    status = HTTPStatus.GATEWAY_TIMEOUT


class StorageFull(ServiceError):
    """There is no room left to store this."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
