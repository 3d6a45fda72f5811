"""Pages tell no percentage beside "not known", and no interval that equal ratings make too narrow."""

import re

import pytest
from fastapi.testclient import TestClient

from tests.site import Site
from tests.world import answer
from web.domain.access import Actor
from web.services.learning.learn import learn

PAGE = {"Accept": "text/html,application/xhtml+xml"}
UNKNOWN = re.compile(r"not known yet|not enough to tell yet|>–<", re.IGNORECASE)
SHARE = re.compile(r"(?<!95)(?<!\d)(\d+ %)")
INNERMOST = re.compile(r"<(section|li)\b(?:(?!<\1\b).)*?</\1>", re.DOTALL)
BETWEEN = re.compile(
    r"(?:between|Between) (\d[\d.]*) and (\d[\d.]*\d|\d)|<small>([+-]?[\d.]+) to\s+([+-]?[\d.]+)</small>"
)


def rater_of(site: Site, name: str) -> tuple[TestClient, Actor]:
    email = f"{name}@example.org"
    client = site.signed_in("rater", email)
    return client, Actor(site.members()[email].user.id, email, site.world.admin.project_id, "rater")


def give(site: Site, rater: Actor, most: int, star: float) -> None:
    """Have a rater give some options the same stars."""
    options = [option for held in site.world.hold(rater, 4).held for option in held.options]
    for option in options[:most]:
        assert site.world.rate(rater, answer(option.option_id, star)) == ["stored"]
    site.world.work()


def told(text: str) -> list[str]:
    """Return what each innermost card or line of a page says, without its drawings' tables."""
    return [re.sub(r"<(details|svg)\b.*?</\1>", "", found[0], flags=re.DOTALL) for found in INNERMOST.finditer(text)]


@pytest.mark.parametrize(("raters", "each", "star"), [(0, 0, 3), (1, 1, 3), (1, 8, 5), (3, 8, 3), (3, 8, 5)])
def test_equal_ratings_are_told_as_little_knowledge(site: Site, raters: int, each: int, star: int) -> None:
    people = [rater_of(site, f"rater{number}") for number in range(raters)]
    for _, actor in people:
        give(site, actor, each, star)
    learn(site.world.parts, site.world.study.id)
    admin, study = site.signed_in("admin"), site.world.study.id
    paths = ["/status", "/admin/raters", f"/admin/evolution/{study}/issues", f"/admin/studies/{study}"]
    paths += [f"/admin/studies/{study}/raters/{actor.user_id}" for _, actor in people]
    pages = [admin.get(path, headers=PAGE) for path in paths]
    pages += [client.get("/status", headers=PAGE) for client, _ in people]
    assert {page.status_code for page in pages} == {200}
    for page in pages:
        for card in told(page.text):
            assert not (UNKNOWN.search(card) and SHARE.search(card)), card
        for one in BETWEEN.finditer(page.text):
            low, high = (one[1], one[2]) if one[1] else (one[3], one[4])
            assert float(low) < float(high), one[0]
        assert "at 1 ratings" not in page.text
        assert "tastes differ more" not in page.text
        assert "of what tells items apart is real" not in page.text
