"""Models that answer in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ml_service.errors import UnusableAnswer
from web.domain.models.completion import Charge


@dataclass(frozen=True)
class TextRequest:
    """One question to a text model, whose answer is a JSON object of a schema.

    Providers want every property of the schema required and no others allowed. `purpose`, `project_id` and `study_id`
    are for the books; the model is not told. The same question is answered from the cache: for another answer, ask
    with another seed. Images are JPEG, PNG or WebP.
    """

    system: str
    user: str
    schema: Mapping[str, Any]
    schema_name: str
    most_tokens: int
    seed: int
    purpose: str
    project_id: str
    study_id: str | None = None
    temperature: float | None = None
    images: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Completion:
    """What a text model answered: `parsed` where it is of the schema, otherwise `fault` says in words what is wrong."""

    text: str
    parsed: Mapping[str, Any] | None
    fault: str
    model: str
    tokens_in: int
    tokens_out: int
    cost_micros: int
    seconds: float
    cached: bool = False

    def answer(self) -> Mapping[str, Any]:
        """Return the JSON object, or raise UnusableAnswer with what is wrong."""
        if self.parsed is None:
            raise UnusableAnswer(self.fault)
        return self.parsed


class TextModel(Protocol):
    """Answers questions in words with JSON objects."""

    @property
    def sees(self) -> bool:
        """Whether it is to be shown images."""
        ...

    def complete(self, request: TextRequest) -> Completion:
        """Answer, or raise a ServiceError that says why there is no answer; an unusable one is returned as such."""
        ...

    def worst(self, request: TextRequest) -> int:
        """Return the most micro-dollars that a question may cost."""
        ...


class Ledger(Protocol):
    """What calls of text models cost: the worst is set aside before a call, the truth is written down after it."""

    def reserve(self, request: TextRequest, request_hash: str, model: str, worst_micros: int) -> Charge:
        """Set aside the most micro-dollars that a call may cost, or raise OverBudget."""
        ...

    def settle(self, charge: Charge, completion: Completion) -> None:
        """Write down what a call cost, and its answer where that is usable."""
        ...

    def fail(self, charge: Charge, cost_micros: int) -> None:
        """Write down that a call brought no answer, and what it must be taken to have cost."""
        ...

    def answered(self, request_hash: str) -> Charge | None:
        """Return the call that has already answered a request, or None."""
        ...
