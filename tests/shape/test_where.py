"""`docs/where.md` tells the truth: each place is there, and holds what is looked for."""

import re

import pytest

from tests.shape.places import ROOT

ROWS = re.findall(r"^\| ([^|]+) \| `([^`]+)` \| `([^`]+)` \|$", (ROOT / "docs" / "where.md").read_text(), re.MULTILINE)
ASKED = {
    "a rater's daily target",
    "what a gate refuses",
    "who may roll back",
    "how a photo is turned upright",
    "when a study stops",
    "what a suggestion weighs",
    "the words on /status about an interval",
    "which jobs run at night",
    "what an API key may do",
    "what is told to the optimizer",
    "where a new generator goes",
    "where a new page of a study goes",
}


def test_what_a_stranger_asks_is_answered() -> None:
    assert {what for what, _, _ in ROWS} >= ASKED


@pytest.mark.parametrize(("what", "place", "name"), ROWS)
def test_a_place_holds_what_is_looked_for(what: str, place: str, name: str) -> None:
    path = ROOT / place
    if path.is_dir():
        assert (path / name).is_file(), what
    else:
        assert re.search(rf"^(def|class) {name}\b|^{name}\b.* = ", path.read_text(), re.MULTILINE), what
