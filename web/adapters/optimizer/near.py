"""The optimizer by call, in this process."""

from ml_service.wire.contract import DiagnoseRequest, Diagnosis, Suggestion, SuggestRequest


class NearOptimizer:
    """An optimizer in this process; its libraries are imported by the first question, since they take seconds."""

    def suggest(self, request: SuggestRequest) -> Suggestion:
        """Propose the points most worth a rating."""
        from ml_service.optimizer import suggest as optimizer

        return optimizer.suggest(request)

    def diagnose(self, request: DiagnoseRequest) -> Diagnosis:
        """Say what was learnt."""
        from ml_service.optimizer import suggest as optimizer

        return optimizer.diagnose(request)
