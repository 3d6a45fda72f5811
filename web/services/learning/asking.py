"""Ask the optimizer about a study: of each of its generators, where there are several."""

from typing import TypeVar

from ml_service.wire.contract import DiagnoseRequest, Diagnosis, Question, Suggestion, SuggestRequest
from web.domain.studies import several
from web.ports.learning import Optimizer

Asked = TypeVar("Asked", bound=Question)


def about(request: Asked, generator: str) -> Asked:
    """Return a request about one of its generators."""
    return request.model_copy(update={"generator": generator})


def suggest(optimizer: Optimizer, request: SuggestRequest) -> Suggestion:
    """Return the points most worth a rating, whichever generator makes them."""
    if len(request.spaces) == 1:
        return optimizer.suggest(request)
    said = {name: optimizer.suggest(about(request, name)) for name in request.spaces}
    return several.suggested(request, said)


def diagnose(optimizer: Optimizer, request: DiagnoseRequest) -> Diagnosis:
    """Return what was learnt, of the generator whose best point is the best."""
    if len(request.spaces) == 1:
        return optimizer.diagnose(request)
    said = {name: optimizer.diagnose(about(request, name)) for name in request.spaces}
    return several.learnt(request, said)
