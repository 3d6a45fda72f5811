"""Models that answer in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ml_service.errors import UnusableAnswer


@dataclass(frozen=True)
class TextRequest:
    """One question to a text model, whose answer is a JSON object of a schema.

    Providers want every property of the schema required and no others allowed. `purpose`, `project_id` and `study_id`
    are for the ledger; the model is not told. The same question is answered from the cache: for another answer, ask
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
