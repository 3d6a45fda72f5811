"""Rounds of evolution."""

from typing import Protocol

from web.domain.evolution.evolution import Round
from web.rows.collection import Collection


class EvolutionRows(Protocol):
    """Rounds of evolution."""

    rounds: Collection[Round]
