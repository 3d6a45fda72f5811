"""What a proposer of edits is shown, and the one form in which it answers, be it a model or a script."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from ml_service.errors import InvalidRequest
from ml_service.wire.contract import Point

EditKind = Literal["add", "replace", "remove"]
Operator = Literal["targeted", "simplify", "explore", "merge"]
ASKED: tuple[Operator, ...] = ("targeted", "simplify", "explore")
_STRICT = ConfigDict(extra="forbid", strict=True)
_SPOKEN = ("$defs", "$ref", "type", "properties", "required", "additionalProperties", "items", "enum", "description")

Sentence = Annotated[str, Field(min_length=1, max_length=500)]


@dataclass(frozen=True)
class Example:
    """One rated output as a proposer sees it, under an id that its diagnosis refers to."""

    id: str
    score: float
    generator: str
    tags: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    parameters: Point | None = None
    prompt: str = ""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One change of one text."""

    __pydantic_config__ = _STRICT
    kind: Annotated[
        EditKind,
        Field(description="add puts text after the quote, replace puts it in its place, remove takes the quote out."),
    ]
    slot: Annotated[str, Field(max_length=130, description="Which text, as generator.slot.")]
    quote: Annotated[
        str,
        Field(max_length=2000, description="What is changed, word for word, so that it is there once; add: empty=end."),
    ]
    text: Annotated[str, Field(max_length=2000, description="What is new; empty where something is removed.")]


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why outputs are disliked, and the examples that show it."""

    __pydantic_config__ = _STRICT
    says: Annotated[Sentence, Field(description="What is wrong and why, in a sentence.")]
    evidence: Annotated[
        tuple[Annotated[str, Field(max_length=64)], ...],
        Field(min_length=1, max_length=20, description="The ids of the examples that show it."),
    ]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Edits that make one candidate of the parent version."""

    __pydantic_config__ = _STRICT
    operator: Annotated[Operator, Field(description="How the candidate was made.")]
    edits: Annotated[tuple[Edit, ...], Field(min_length=1, max_length=6, description="What changes.")]
    changelog: Annotated[Sentence, Field(description="What is new, in a sentence that may be published.")]
    expected_effect: Annotated[Sentence, Field(description="What raters should notice, in a sentence.")]


@dataclass(frozen=True, kw_only=True)
class Reflection:
    """The whole answer: what is wrong, and candidates that may mend it."""

    __pydantic_config__ = _STRICT
    diagnosis: Annotated[tuple[Cause, ...], Field(min_length=1, max_length=8, description="The causes.")]
    candidates: Annotated[
        tuple[Draft, ...],
        Field(min_length=1, max_length=3, description="A candidate for each operator in the list that was asked for."),
    ]


_FORM = TypeAdapter(Reflection)


def schema() -> dict[str, Any]:
    """Return the JSON schema of an answer in the words that structured outputs know: all required, nothing more."""
    spoken: dict[str, Any] = _spoken(_FORM.json_schema())
    return spoken


def read(answer: str, shown: Collection[str], asked: Collection[Operator] = ASKED) -> Reflection:
    """Return a model's answer, or say in InvalidRequest what is wrong with it; nothing is repaired.

    `shown` are the ids of the examples that it may refer to, `asked` the operators that it may use, each as often as it
    is named there.
    """
    try:
        found = _FORM.validate_json(answer.encode(errors="replace"))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            told = f"The answer is not whole JSON ({first['msg'][:100]}); it may have been cut off."
            raise InvalidRequest(told) from error
        where = ".".join(map(str, first["loc"])) or "It"
        raise InvalidRequest(f"The answer is not in the form asked for: {where}: {first['msg'].lower()}.") from error
    operators = [candidate.operator for candidate in found.candidates]
    if not Counter(operators) <= Counter(asked):
        raise InvalidRequest(f"Candidates of {', '.join(asked)} were asked for, not of {', '.join(operators)}.")
    unknown = sorted({name for cause in found.diagnosis for name in cause.evidence} - set(shown))
    if unknown:
        raise InvalidRequest(f"The diagnosis refers to {unknown[0][:64]}, which is none of the examples shown.")
    return found


def _spoken(part: Any, named: bool = False) -> Any:
    """Drop what providers of structured outputs do not all know: lengths, titles, patterns."""
    if isinstance(part, list):
        return [_spoken(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: value if key == "enum" else _spoken(value, key in ("properties", "$defs"))
        for key, value in part.items()
        if named or key in _SPOKEN
    }
