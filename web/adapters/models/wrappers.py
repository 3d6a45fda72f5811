"""What is wrapped round a text model: patience, a budget, a memory."""

import random
import time
from typing import TypeVar

import stamina

from ml_service.errors import ServiceError, Unanswered, Unavailable
from web.adapters.models.identity import request_hash
from web.adapters.models.reading import read_answer
from web.domain.models.usage import Choice
from web.ports.models import Completion, Ledger, TextModel, TextRequest

T = TypeVar("T")
ATTEMPTS = 5
LONGEST_WAIT = 20.0  # seconds; whoever wants to be left alone for longer is asked again by the job
LONGEST_TIME = 60.0


class Retrying:
    """A text model that is asked again, a few times within a minute, where it has no time just now.

    Never where a question may already have been answered and billed: the job asks that again, at a cost of its own.
    """

    def __init__(self, inner: TextModel) -> None:
        self._inner = inner
        self._again = stamina.RetryingCaller(
            attempts=ATTEMPTS, timeout=LONGEST_TIME, wait_initial=0.5, wait_max=LONGEST_WAIT
        ).on(_pause)

    @property
    def sees(self) -> bool:
        """Whether the text model within is shown images."""
        return self._inner.sees

    def complete(self, request: TextRequest) -> Completion:
        """Answer, at the last attempt with the last error."""
        return self._again(self._inner.complete, request)

    def worst(self, request: TextRequest) -> int:
        """Return what the text model within says."""
        return self._inner.worst(request)


def _pause(error: Exception) -> bool | float:
    """Tell whether to ask again, and where the server said so after how many seconds; all shall not come at once."""
    if not isinstance(error, Unavailable):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after <= LONGEST_WAIT and error.retry_after + random.uniform(0, 1)


class Metered:
    """A text model whose every call is in the ledger: the worst cost is reserved before, the true one settled after.

    A process that dies in between leaves the reservation standing.
    """

    def __init__(self, inner: TextModel, ledger: Ledger, choice: Choice) -> None:
        self._inner, self._ledger, self._choice = inner, ledger, choice

    @property
    def sees(self) -> bool:
        """Whether the text model within is shown images."""
        return self._inner.sees

    def complete(self, request: TextRequest) -> Completion:
        """Answer where the budget allows for it."""
        of = request_hash(self._choice, request), self._choice.model
        charge = self._ledger.reserve(request, *of, self._inner.worst(request))
        try:
            completion = self._inner.complete(request)
        except Unanswered:
            self._ledger.fail(charge, charge.reserved_micros)
            raise
        except ServiceError:
            self._ledger.fail(charge, 0)
            raise
        self._ledger.settle(charge, completion)
        return completion

    def worst(self, request: TextRequest) -> int:
        """Return what the text model within says."""
        return self._inner.worst(request)


class Cached:
    """A text model that remembers its usable answers for ever: the same question costs nothing twice."""

    def __init__(self, inner: TextModel, ledger: Ledger, choice: Choice) -> None:
        self._inner, self._ledger, self._choice = inner, ledger, choice

    @property
    def sees(self) -> bool:
        """Whether the text model within is shown images."""
        return self._inner.sees

    def complete(self, request: TextRequest) -> Completion:
        """Answer from memory where the same was asked before."""
        began = time.monotonic()
        known = self._ledger.answered(request_hash(self._choice, request))
        if known is None or known.answer is None:
            return self._inner.complete(request)
        parsed, fault = read_answer(known.answer, request.schema)
        seconds = time.monotonic() - began
        return Completion(known.answer, parsed, fault, known.model, 0, 0, 0, seconds, cached=True)

    def worst(self, request: TextRequest) -> int:
        """Return nothing where the answer is known, else what the text model within says."""
        return 0 if self._ledger.answered(request_hash(self._choice, request)) else self._inner.worst(request)
