"""One transaction: the rows of all subjects."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NoReturn, Protocol

from web.rows.abtests import ABTestRows
from web.rows.accounts import AccountRows
from web.rows.evolution import EvolutionRows
from web.rows.jobs import JobRows
from web.rows.models import ModelRows
from web.rows.photos import PhotoRows
from web.rows.prompts import PromptHistoryRows
from web.rows.rating import RatingRows
from web.rows.reports import ReportRows


class Transaction(
    AccountRows,
    ModelRows,
    PromptHistoryRows,
    RatingRows,
    PhotoRows,
    ABTestRows,
    EvolutionRows,
    JobRows,
    ReportRows,
    Protocol,
):
    """One transaction: all of it is kept, or none; whoever needs one subject's rows asks for these alone."""


class Store(Protocol):
    """Opens transactions; leaving `begin` commits before anything is answered."""

    def begin(self) -> AbstractContextManager[Transaction]:
        """Open a transaction that may write: all of it is kept, or none."""
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """Open a connection that only reads; each of its statements sees what is committed by then."""
        ...

    def snapshot(self) -> AbstractContextManager[Transaction]:
        """Open a transaction that only reads, all of it as of one moment."""
        ...


class OneMoment:
    """A store that is one transaction: whatever is read through it is of that transaction's moment."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx

    def begin(self) -> NoReturn:
        """Refuse: who looks at one moment changes nothing."""
        raise RuntimeError("nothing is written while one moment is looked at")

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Return the transaction that is open."""
        yield self.tx

    snapshot = read
