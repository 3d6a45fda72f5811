"""Calls of text models."""

from datetime import datetime
from typing import Protocol

from web.domain.models.completion import Charge
from web.rows.collection import Collection


class CompletionQueries(Protocol):
    """Named queries of calls of text models."""

    def reserve(self, charge: Charge, since: datetime, limit_micros: int) -> bool:
        """Write down a call that is about to be made, unless it could bring what was spent since a time over a limit.

        The row and its condition are one statement. Where transactions do not wait for each other, a lock makes them,
        as neither of two would see the other's row.
        """
        ...

    def spent(self, since: datetime) -> int:
        """Return the micro-dollars that calls since a time cost or may yet cost."""
        ...

    def settle(self, charge: Charge) -> None:
        """Write down what became of a call."""
        ...

    def sweep(self, before: datetime, now: datetime) -> int:
        """Close reservations from before a time as failed, at their worst cost, as a crash may hide a bill."""
        ...

    def answered(self, request_hash: str) -> Charge | None:
        """Return the newest call of the same request that has a usable answer, or None."""
        ...

    def forget_answers(self) -> None:
        """Empty the memory of answers, as models quote what people wrote; what they cost stays on the books."""
        ...


class ModelRows(Protocol):
    """Calls of text models."""

    completions: Collection[Charge]
    of_completions: CompletionQueries
