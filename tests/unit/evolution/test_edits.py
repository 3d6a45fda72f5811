import json
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_service.errors import InvalidRequest
from web.domain.evolution.edits import apply, edited
from web.domain.evolution.reflection import Edit, read, schema
from web.domain.prompts.prompt import PromptVersion

PARENT = PromptVersion(
    "id", "photo", 1, "v1.0.0",
    {"local": {"prompt": "Enhance it, and keep it soft. Make it dark.", "negative_prompt": "halos"},
     "a.b": {"c": "x"}},
    datetime(2026, 3, 1, tzinfo=UTC), "test", slots_locked=("local.negative_prompt",),
)  # fmt: skip


def edit(kind: str, quote: str = "", text: str = "", slot: str = "local.prompt") -> Edit:
    return Edit(kind=kind, slot=slot, quote=quote, text=text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "becomes"),
    [
        (edit("add", "", "Lift the shadows."), "Enhance it, and keep it soft. Make it dark. Lift the shadows."),
        (edit("add", "keep it", "very"), "Enhance it, and keep it very soft. Make it dark."),
        (edit("add", "soft", ", light"), "Enhance it, and keep it soft, light. Make it dark."),
        (edit("replace", "dark", "bright"), "Enhance it, and keep it soft. Make it bright."),
        (edit("remove", ", and keep it soft"), "Enhance it. Make it dark."),
        (edit("remove", "Make it dark."), "Enhance it, and keep it soft."),
        (edit("remove", "Enhance it, and"), "keep it soft. Make it dark."),
        (edit("remove", "keep"), "Enhance it, and it soft. Make it dark."),
    ],
)
def test_an_edit_changes_what_it_quotes_and_nothing_else(change: Edit, becomes: str) -> None:
    assert apply(PARENT, [change]) == PARENT.components | {"local": {"prompt": becomes, "negative_prompt": "halos"}}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (edit("replace", "bright", "x"), "Edit 1 of local.prompt quotes “bright”, which is not there"),
        (edit("remove", "it"), "more than once; quote more"),
        (edit("remove", "it", "x"), "must have no new text"),
        (edit("add", "soft", "  "), "has no new text"),
        (edit("replace", "soft", ""), "has no new text"),
        (edit("replace", "", "x"), "quotes nothing"),
        (edit("remove", " "), "quotes nothing"),
        (edit("replace", "halos", "x", "local.negative_prompt"), "is locked"),
        (edit("add", "", "x", "leonardo.prompt"), "texts there are local.prompt, local.negative_prompt, a.b.c"),
        (edit("replace", "soft", "soft"), "change nothing"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_with_the_reason(change: Edit, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        apply(PARENT, [change])


def test_a_quote_that_overlaps_itself_is_there_twice() -> None:
    with pytest.raises(InvalidRequest, match="more than once"):
        edited("aaa", edit("remove", "aa"))


def test_edits_are_made_in_turn_and_the_parent_stays() -> None:
    before = json.dumps(PARENT.components)
    made = apply(
        PARENT, [edit("replace", "dark", "bright"), edit("add", "bright", "and warm"), edit("add", "x", "y", "a.b.c")]
    )
    assert made["local"]["prompt"].endswith("Make it bright and warm.")
    assert made["a.b"]["c"] == "x y"
    assert json.dumps(PARENT.components) == before


@given(st.text("ab .,", max_size=12), st.text("ab .", min_size=1, max_size=3), st.text("xy", min_size=1, max_size=4))
def test_what_is_added_can_be_taken_out_again(text: str, quote: str, new: str) -> None:
    if quote.strip() and text.find(quote) == text.rfind(quote) != -1:
        added = edited(text, edit("add", quote, new))
        assert added.count(new) >= 1
        assert edited(text, edit("replace", quote, quote + new)).replace(new, "", 1) == text


def answer(**more: Any) -> dict[str, Any]:
    change = {"kind": "add", "slot": "local.prompt", "quote": "", "text": "Brighter."}
    candidate = {"operator": "targeted", "edits": [change], "changelog": "Brighter.", "expected_effect": "Less dark."}
    return {"diagnosis": [{"says": "Too dark.", "evidence": ["e1"]}], "candidates": [candidate]} | more


def test_an_answer_is_read_as_it_was_given() -> None:
    found = read(json.dumps(answer()), ["e1", "e2"])
    assert found.candidates[0].edits == (edit("add", "", "Brighter."),)
    assert found.diagnosis[0].evidence == ("e1",)


def spoilt(path: str, value: Any) -> dict[str, Any]:
    whole = answer()
    part: Any = whole
    *way, last = path.split(".")
    for step in way:
        part = part[int(step)] if step.isdigit() else part[step]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return whole


SPOILT = [
    ("extra", 1, "extra"),
    ("diagnosis", None, "diagnosis: field required"),
    ("diagnosis", [], "at least 1"),
    ("candidates", [], "at least 1"),
    ("candidates", answer()["candidates"] * 4, "at most 3"),
    ("candidates", answer()["candidates"] * 2, "asked for, not of targeted, targeted"),
    ("candidates.0.operator", "merge", "asked for, not of merge"),
    ("candidates.0.operator", "rewrite", "operator"),
    ("candidates.0.edits", [], "at least 1"),
    ("candidates.0.edits", "x", "edits"),
    ("candidates.0.edits.0.kind", "delete", "kind"),
    ("candidates.0.edits.0.quote", None, "quote: field required"),
    ("candidates.0.edits.0.text", 5, "text"),
    ("candidates.0.edits.0.text", "x" * 2001, "2000"),
    ("candidates.0.edits.0.why", "x", "why"),
    ("candidates.0.changelog", "", "changelog"),
    ("candidates.0.changelog", "x" * 501, "500"),
    ("diagnosis.0.evidence", [], "at least 1"),
    ("diagnosis.0.evidence", ["e9"], "refers to e9"),
]


@pytest.mark.parametrize(("path", "value", "told"), SPOILT)
def test_an_answer_in_another_form_is_refused_and_told_where(path: str, value: Any, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        read(json.dumps(spoilt(path, value)), ["e1"])


@pytest.mark.parametrize(
    "text", ["", "Sure! Here it is:", json.dumps(answer())[:-9], "[" * 100_000, "null", "[]", "NaN"]
)
def test_an_answer_that_is_no_json_or_cut_off_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^The answer is"):
        read(text, ["e1"])


def parts(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [part for one in schema for part in parts(one)]
    if not isinstance(schema, dict):
        return []
    return [schema, *(part for one in schema.values() for part in parts(one))]


def test_the_schema_is_one_that_strict_structured_outputs_take() -> None:
    whole = schema()
    objects = [part for part in parts(whole) if part.get("type") == "object"]
    assert len(objects) == 4
    for part in objects:
        assert part["additionalProperties"] is False
        assert sorted(part["required"]) == sorted(part["properties"])
    assert whole["type"] == "object"
    unspoken = {"maxLength", "minLength", "maxItems", "minItems", "title", "pattern", "default", "anyOf", "oneOf"}
    assert not [part for part in parts(whole) if unspoken & set(part)]


def test_the_schema_holds_for_what_is_read_and_refuses_other_shapes() -> None:
    validator = jsonschema_rs.Draft202012Validator(schema())
    validator.validate(answer())
    for path, value in (("extra", 1), ("candidates.0.edits.0.kind", "delete"), ("candidates.0.edits.0.quote", None)):
        assert not validator.is_valid(spoilt(path, value))
