"""The optimizer."""

from typing import Protocol

from ml_service.wire.contract import DiagnoseRequest, Diagnosis, Suggestion, SuggestRequest


class Optimizer(Protocol):
    """Says what to try next and what was learnt; the same request gets the same answer."""

    def suggest(self, request: SuggestRequest) -> Suggestion:
        """Propose points worth a rating."""
        ...

    def diagnose(self, request: DiagnoseRequest) -> Diagnosis:
        """Say what the ratings tell about the space."""
        ...
