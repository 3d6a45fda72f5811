"""What was live when, on a prompt's page: drawn, in a table and in words, and by whom."""

import re
from dataclasses import dataclass
from itertools import pairwise

import pytest
from fastapi.testclient import TestClient

from tests.site import Site
from tests.unit.abtests.test_verdicts import candidate
from web.domain.access import Actor
from web.domain.prompts.prompt import DEFAULT_KEY
from web.services.prompts import pointers, promotion

HOME = f"/admin/prompts/{DEFAULT_KEY}"


@dataclass(frozen=True)
class Stay:
    """One bar of the drawing: from where to where, and in which row."""

    start: float
    end: float
    row: float


@pytest.fixture
def admin(site: Site) -> TestClient:
    client = site.signed_in("admin", "boss@example.org")
    client.headers["Accept"] = "text/html"
    return client


def revision(site: Site) -> int:
    with site.world.parts.store.read() as tx:
        return pointers.live(tx, DEFAULT_KEY)[0].revision


def moved(site: Site, admin: TestClient) -> str:
    """Promote by hand, by a test and back, and by hand again, a day apart; return the page as it is then."""
    parts, clock, palate = site.world.parts, site.world.clock, Actor.itself(site.world.admin.project_id)
    boss = next(one.user for one in site.members().values() if one.user.email == "boss@example.org")
    person = Actor(boss.id, boss.email, site.world.admin.project_id, "admin")
    for actor, phrase, note in ((person, "brighter", "<b>lighter</b>"), (palate, "warmer", "A/B test 1")):
        clock.advance(minutes=24 * 60)
        version = candidate(site.world, phrase)
        promotion.promote(parts, actor, DEFAULT_KEY, version.id, revision(site), note=note)
    clock.advance(minutes=24 * 60)
    promotion.roll_back(parts, palate, DEFAULT_KEY, revision(site), note="A/B test 2")
    clock.advance(minutes=24 * 60)
    promotion.promote(parts, person, DEFAULT_KEY, candidate(site.world, "cooler").id, revision(site))
    clock.advance(minutes=24 * 60)
    return admin.get(HOME).text


def test_each_stay_is_drawn_from_when_it_began_until_the_next_one(site: Site, admin: TestClient) -> None:
    text = moved(site, admin)
    drawing = text[text.index("<title>What was live when") : text.index("</svg>", text.index("What was live when"))]
    assert "v1.3.0 is live since 2026-03-05 09:00 UTC, after 4 changes." in drawing
    bars = re.findall(r'<rect class="bar" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', drawing)
    stays = [Stay(float(x), float(x) + float(width), float(y)) for x, y, width in reversed(bars)]
    assert len(stays) == 5
    for before, after in pairwise(stays):
        assert before.end == pytest.approx(after.start, abs=0.2)
        assert after.end - after.start == pytest.approx(before.end - before.start, abs=0.3)  # a day each
    first, second, third, back, last = (stay.row for stay in stays)
    assert back == second
    assert len({first, second, third, last}) == 4
    assert (drawing.count('class="over"'), drawing.count('class="default"')) == (1, 3)
    names = re.findall(r'class="label named"[^>]*>(v[\d.]+)<', drawing)
    assert names == ["v1.3.0", "v1.1.0", "v1.2.0", "v1.0.0"]


def test_the_table_and_the_words_tell_the_same_and_who_moved_it(site: Site, admin: TestClient) -> None:
    text = moved(site, admin)
    table = text[text.index("<caption") : text.index("</table>", text.index("What was live when"))]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)]
    assert rows[1:] == [
        ["2026-03-05 09:00 UTC", "v1.3.0", "v1.1.0", "promoted"],
        ["2026-03-04 09:00 UTC", "v1.1.0", "v1.2.0", "rolled back"],
        ["2026-03-03 09:00 UTC", "v1.2.0", "v1.1.0", "promoted"],
        ["2026-03-02 09:00 UTC", "v1.1.0", "v1.0.0", "promoted"],
        ["2026-03-01 09:00 UTC", "v1.0.0", "–", "taken in from the files"],
    ]
    told = re.findall(r"(?s)<li>.*?</li>", text[text.index('<ol class="timeline">') :])
    words = [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", line)).strip() for line in told]
    assert [line.partition(" v")[2] for line in words] == [
        "1.1.0 → v1.3.0 promoted by boss@example.org",
        "1.2.0 → v1.1.0 rolled back by Palate A/B test 2",
        "1.1.0 → v1.2.0 promoted by Palate A/B test 1",
        "1.0.0 → v1.1.0 promoted by boss@example.org &lt;b&gt;lighter&lt;/b&gt;",
        "1.0.0 taken in from the files by Palate",
    ]


def test_before_anything_was_moved_nothing_is_drawn(admin: TestClient) -> None:
    text = admin.get(HOME).text
    assert "What was live when" not in text
    assert "taken in from the files" in text


def test_the_audit_tells_what_palate_did_by_itself(site: Site, admin: TestClient) -> None:
    moved(site, admin)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", admin.get("/admin/audit").text))
    assert "Palate rolled the prompt photo-enhance back from v1.2.0 to v1.1.0" in text
    assert "Palate took over v1.0.0" in text
