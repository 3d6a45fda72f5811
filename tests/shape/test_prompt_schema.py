"""`prompts/schema.json` says of version files what the code says; run this module to write it anew."""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from ml_service.errors import InvalidRequest
from tests.shape.places import ROOT
from web.domain.prompts.prompt import VersionFile, content_hash, from_bytes, to_bytes

SCHEMA = ROOT / "prompts" / "schema.json"
SHIPPED = sorted((ROOT / "prompts" / "versions").rglob("*.json"))
GOOD = json.loads((ROOT / "prompts" / "versions" / "v1.0.0.json").read_bytes())
SPOILT = [
    ("schema_version", 2),
    ("schema_version", "1"),
    ("prompt_key", "Photo Enhance"),
    ("prompt_key", ""),
    ("version", "1.0.0"),
    ("version", "v1.0"),
    ("version", "v01.0.0"),
    ("version", "v1.0.0\n"),
    ("parents", ["v1"]),
    ("parents", "v1.0.0"),
    ("created_at", "yesterday"),
    ("created_by", "x" * 81),
    ("components", {"local": {"prompt": 1}}),
    ("components", {"local": {"a slot": "text"}}),
    ("components", {"local": {"prompt": "x" * 20_001}}),
    ("components", {f"g{n}": {} for n in range(21)}),
    ("slots_locked", [1]),
    ("variables", {"subject": {"type": "number"}}),
    ("variables", {"subject": {"type": "string", "default": "x" * 1001}}),
    ("parameter_defaults", {"local": {"exposure": None}}),
    ("parameter_defaults", {"local": {"style": "x" * 201}}),
    ("parameter_defaults", {"local": [1]}),
    ("changelog", "x" * 2001),
]
DAMAGED = [b"", b"\xff\xfe", b"null", b"[]", b"[" * 100_000, b'"v1.0.0"', b'{"schema_version": NaN}']


def written() -> str:
    """Return the schema as it is kept: names of fields that may be anything are held to their form."""
    schema = TypeAdapter(VersionFile).json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A released version of a prompt"}
    body = {key: _strict(value) for key, value in schema.items() if key != "title"}
    return json.dumps({**head, **body}, indent=2, ensure_ascii=False) + "\n"


def _strict(part: Any, named: bool = False) -> Any:
    if isinstance(part, list):
        return [_strict(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _strict(one, key in ("properties", "$defs")) for key, one in part.items() if named or key != "title"}
    patterns = kept.pop("patternProperties", None) if not named else None
    if patterns is not None:
        ((pattern, values),) = patterns.items()
        kept |= {"propertyNames": {"pattern": pattern}, "additionalProperties": values}
    return kept


def test_the_schema_says_what_the_code_says() -> None:
    assert SCHEMA.read_text() == written(), "run `python -m tests.shape.test_prompt_schema`"


@pytest.fixture(scope="module")
def validator() -> jsonschema_rs.Draft202012Validator:
    schema = json.loads(SCHEMA.read_text())
    jsonschema_rs.meta.validate(schema)
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_file_is_valid_and_in_the_form_that_palate_writes(
    path: Any, validator: jsonschema_rs.Draft202012Validator
) -> None:
    validator.validate(json.loads(path.read_bytes()))
    assert to_bytes(from_bytes(path.read_bytes())) == path.read_bytes()


@pytest.mark.parametrize(("name", "value"), SPOILT)
def test_what_the_schema_refuses_is_refused_by_the_reader(
    name: str, value: object, validator: jsonschema_rs.Draft202012Validator
) -> None:
    document = signed({**GOOD, name: value})
    assert not validator.is_valid(document)
    with pytest.raises(InvalidRequest):
        from_bytes(json.dumps(document).encode())


@pytest.mark.parametrize("name", sorted(set(GOOD) - {"parents", "slots_locked", "changelog"}))
def test_a_field_that_is_missing_is_refused_by_both(name: str, validator: jsonschema_rs.Draft202012Validator) -> None:
    document = signed({field: value for field, value in GOOD.items() if field != name})
    if name == "sha256":
        del document["sha256"]
    assert not validator.is_valid(document)
    with pytest.raises(InvalidRequest):
        from_bytes(json.dumps(document).encode())


def test_a_field_that_is_new_is_read_over_and_covered_by_the_hash(
    validator: jsonschema_rs.Draft202012Validator,
) -> None:
    document = signed({**GOOD, "mood": {"calm": True}})
    assert validator.is_valid(document)
    assert from_bytes(json.dumps(document).encode()).version == "v1.0.0"
    with pytest.raises(InvalidRequest, match="sha256"):
        from_bytes(json.dumps({**document, "mood": {}}).encode())


WORDS = st.from_regex(r"[A-Za-z0-9_.-]{1,20}", fullmatch=True)
VALUES = st.one_of(st.integers(-9, 9), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(
    components=st.dictionaries(WORDS, st.dictionaries(WORDS, TEXTS, max_size=3), max_size=3),
    parameters=st.dictionaries(WORDS, st.dictionaries(WORDS, VALUES, max_size=4), max_size=3),
    changelog=TEXTS,
)
def test_whatever_can_be_written_is_valid_and_read_back_as_it_was(
    components: dict[str, Any], parameters: dict[str, Any], changelog: str
) -> None:
    validator = jsonschema_rs.Draft202012Validator(json.loads(written()))
    fields = {"components": components, "parameter_defaults": parameters, "changelog": changelog}
    file = TypeAdapter(VersionFile).validate_python(signed({**GOOD, **fields}))
    body = to_bytes(file)
    validator.validate(json.loads(body))
    assert from_bytes(body) == file
    assert to_bytes(from_bytes(body)) == body


@pytest.mark.parametrize("end", range(0, len(json.dumps(GOOD)), 41))
def test_half_a_file_is_refused(end: int) -> None:
    with pytest.raises(InvalidRequest):
        from_bytes(json.dumps(GOOD).encode()[:end])


@pytest.mark.parametrize("body", DAMAGED, ids=lambda body: repr(body[:20]))
def test_what_is_no_version_file_is_refused_and_said_why(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^it "):
        from_bytes(body)


def signed(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with the hash that it should have."""
    return {**document, "sha256": content_hash(document)}


if __name__ == "__main__":
    SCHEMA.write_text(written())
