"""Reading what a text model answered: hostile until it is a JSON object of the schema."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from pydantic_core import from_json, to_json

MOST_CHARACTERS = 200_000  # of an answer: far more than any that is asked for
_PLAIN = "\t\n\r"


def read_answer(text: str, schema: Mapping[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """Return the JSON object that a text is and "", or None and what is wrong with the text; nothing is repaired."""
    if not text.strip():
        return None, "The text model's answer is empty."
    if len(text) > MOST_CHARACTERS:
        return None, f"The text model's answer has {len(text)} characters; {MOST_CHARACTERS} are the most."
    try:
        # Depth and numbers are bounded by the parser; NaN and Infinity are no JSON.
        found = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        return None, f"The text model's answer is not JSON: {str(error)[:200]}."
    if not isinstance(found, dict):
        return None, "The text model's answer is JSON, but not an object."
    if any(not (character.isprintable() or character in _PLAIN) for words in _strings(found) for character in words):
        return None, "The text model's answer has control characters or others that cannot be seen."
    fault = _fault(found, schema)
    return (None, fault) if fault else (found, "")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _fault(found: dict[str, Any], schema: Mapping[str, Any]) -> str:
    worst: ValidationError | None = best_match(_validator(to_json(schema)).iter_errors(found))
    if worst is None:
        return ""
    # The library's own message quotes what was sent, however long it is.
    return f"The text model's answer is not of the schema: {worst.json_path[:200]} breaks “{worst.validator}”."


@lru_cache(maxsize=16)
def _validator(schema: bytes) -> Draft202012Validator:
    return Draft202012Validator(from_json(schema))
