"""A store and a clock, for tests of what needs no more."""

from dataclasses import dataclass

from web.ports.time import Clock
from web.rows.transaction import Store


@dataclass(frozen=True)
class PlainBooks:
    """The rows and the time, and nothing else."""

    store: Store
    clock: Clock
