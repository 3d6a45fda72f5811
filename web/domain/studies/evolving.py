"""How a study makes its prompt better: after how many samples, and by whose leave."""

from dataclasses import dataclass
from typing import Literal

Policy = Literal["auto", "approve", "manual"]
EVERY = 10  # samples


@dataclass(frozen=True)
class Evolving:
    """How a study makes its prompt better: after how many samples, and who lets a winner go live.

    `policy` None means `auto` while the project has one admin, `approve` from the second on.
    """

    every: int | None = EVERY
    policy: Policy | None = None
    most_challengers: int = 3
    worth_testing: float = 0.2
