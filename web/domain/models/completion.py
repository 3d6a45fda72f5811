"""Calls of text models on the books: what each was for, what it may cost or did, and what came of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

ChargeState = Literal["reserved", "settled", "failed"]
ABANDONED = timedelta(hours=1)  # longer than any call may take: who made a reservation so old is gone


@dataclass(frozen=True)
class Charge:
    """One call of a text model: its worst cost is reserved before it, its true cost is settled after it.

    A call that failed costs nothing, unless nobody knows whether it was billed: then it counts at its worst.
    `answer` is kept where it is usable, so that the same question is never paid for twice.
    """

    id: str
    request_hash: str
    purpose: str
    project_id: str
    study_id: str | None
    model: str
    reserved_micros: int
    created_at: datetime
    state: ChargeState = "reserved"
    cost_micros: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    answer: str | None = None
    settled_at: datetime | None = None


def month_of(now: datetime) -> datetime:
    """Return when the calendar month began that a time in UTC lies in: a budget is for a month."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(now: datetime) -> datetime:
    """Return when the next calendar month begins."""
    return month_of(month_of(now) + timedelta(days=32))


def dollars(micros: int) -> str:
    """Write an amount of micro-dollars as people do; small ones to the hundredth of a cent."""
    return f"${micros / 1e6:.2f}" if micros == 0 or micros >= 1_000_000 else f"${micros / 1e6:.4f}"
