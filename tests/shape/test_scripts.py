"""Habits of the page scripts."""

import re

from tests.shape.places import ROOT

STATIC = ROOT / "web/pages/static"
MOST_LINES = 300
# What a browser's own error says is no sentence for a person; `Failure` alone carries one, as `error.message`.
RAW = re.compile(r"\$\{\s*(?:error|reason|\w+\.error\b)[^}]*\}|String\(\s*(?:error|reason)\s*\)|\.error\??\.message")


def scripts() -> dict[str, str]:
    """Return the page scripts that are ours by their names."""
    ours = [path for path in sorted(STATIC.rglob("*.js")) if "vendor" not in path.parts]
    return {str(path.relative_to(STATIC)): path.read_text() for path in ours}


def test_no_sentence_is_made_of_a_raw_error() -> None:
    assert [(name, found) for name, text in scripts().items() for found in RAW.findall(text)] == []


def test_small_storage_is_asked_in_one_place_that_bears_its_refusal() -> None:
    asking = {name for name, text in scripts().items() if re.search(r"\b(localStorage|sessionStorage)\b", text)}
    assert asking == {"train/shelf.js"}


def test_no_script_is_long() -> None:
    assert {name: n for name, text in scripts().items() if (n := len(text.splitlines())) > MOST_LINES} == {}
