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
        named |= set(re.findall(r"""([a-z-]+)=["'](?:/|\{\{ *(?:here|home|place|static)\b)""", path.read_text()))
    assert named - set(ADDRESSES) == set()


def test_a_table_that_may_be_too_wide_can_be_scrolled_by_keyboard() -> None:
    found = [
        f"{path.name}: {tag}"
        for path in sorted((ROOT / "web/pages/templates").rglob("*.html"))
        for tag in re.findall(r'<div class="table-wrap[^>]*>', path.read_text(encoding="utf-8"))
        if 'tabindex="0" role="region" aria-label' not in " ".join(tag.split())
    ]
    assert found == []
