"""Habits of the templates."""

import re

from tests.shape.places import ROOT
from web.http.serving.templates import ADDRESSES

WIDEST = 160


def test_no_line_of_a_template_is_long() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "web/pages/templates").rglob("*.html"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > WIDEST
    ]
    assert long == []


def test_what_holds_an_address_is_put_below_the_path_of_the_public_address() -> None:
    named = set()
    for path in (ROOT / "web/pages/templates").rglob("*.html"):
        named |= set(re.findall(r"""([a-z-]+)=["'](?:/|\{\{ *(?:here|home|place)\b)""", path.read_text()))
    assert named - set(ADDRESSES) == set()
