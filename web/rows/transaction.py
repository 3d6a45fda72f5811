"""One transaction: the rows of all subjects."""

from contextlib import AbstractContextManager
from typing import Protocol

from web.rows.abtests import ABTestRows
from web.rows.accounts import AccountRows
from web.rows.audit import AuditRows
from web.rows.evolution import EvolutionRows
from web.rows.jobs import JobRows
from web.rows.models import ModelRows
from web.rows.prompts import PromptRows
from web.rows.rating import RatingRows
from web.rows.studies import StudyRows


class Transaction(
    AccountRows, AuditRows, ModelRows, PromptRows, StudyRows, RatingRows, ABTestRows, EvolutionRows, JobRows, Protocol
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
