"""A day is that of whoever asks, wherever they are: in filters, downloads, charts, lists, and the times beside them."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from tests.site import Site
from tests.world import answer
from web.domain.access import Actor
from web.services.evolution import views
from web.services.rating import enrolment

PAGE = {"Accept": "text/html,application/xhtml+xml"}
HOURS = (20, 27)  # of 1 March, UTC: Tokyo's next day begins at 15, New York's at 29
ZONES = [
    ("UTC", 1, 1, "2026-03-01 20:00 UTC"),
    ("Asia/Tokyo", 0, 2, "2026-03-02 05:00 JST"),
    ("America/New_York", 2, 0, "2026-03-01 15:00 EST"),
    ("Asia/Kathmandu", 0, 2, "2026-03-02 01:45 +0545"),
]
DAYS = ("2026-03-01", "2026-03-02")


@pytest.fixture
def rated(site: Site) -> Actor:
    """Return who rated one photo on the evening of 1 March and another one in the night after it."""
    world, person = site.world, site.world.person()
    options = [option.option_id for held in world.hold(person).held for option in held.options]
    for hour, option in zip(HOURS, options, strict=False):
        world.clock.time = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour)
        world.rate(person, answer(option, 3, tags=("hazy",), comment="grey"))
    return person


def browser(site: Site, actor: Actor) -> TestClient:
    return site.signed_in("admin" if actor.role == "admin" else "rater", actor.email)


@pytest.mark.parametrize(("zone", "first", "second", "shown"), ZONES)
def test_the_history_is_filtered_and_shown_by_the_days_of_who_asks(
    site: Site, rated: Actor, zone: str, first: int, second: int, shown: str
) -> None:
    for actor in (site.world.admin, rated):
        enrolment.choose_time_zone(site.world.parts, actor, zone)
        client = browser(site, actor)
        for day, count in zip(DAYS, (first, second), strict=True):
            asked = {"since": day, "until": day}
            assert len(client.get("/api/train/history", params=asked).json()["rows"]) == count
            assert len(client.get("/api/train/history.json", params=asked).json()) == count
            assert client.get("/api/train/history.csv", params=asked).text.strip().count("\n") == count
            assert client.get("/history", params=asked, headers=PAGE).text.count('class="when"') == count
        assert len(client.get("/api/train/history", params={"since": "0001-01-01"}).json()["rows"]) == 2
        page = client.get("/history", headers=PAGE).text
        assert shown in page
        assert "(UTC)" not in page


@pytest.mark.parametrize(("zone", "first", "second", "shown"), ZONES)
def test_the_audit_and_complaints_go_by_the_days_of_who_asks(
    site: Site, rated: Actor, zone: str, first: int, second: int, shown: str
) -> None:
    world = site.world
    for hour in HOURS:
        world.clock.time = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour)
        enrolment.message(world.parts, world.admin, world.study.id, rated.user_id, f"Hello at {hour}")
    enrolment.choose_time_zone(world.parts, world.admin, zone)
    client = browser(site, world.admin)
    for day, count in zip(DAYS, (first, second), strict=True):
        asked = {"since": day, "until": day, "action": "rater.messaged"}
        assert client.get("/admin/audit", params=asked, headers=PAGE).text.count('class="when"') == count
    assert shown in client.get("/admin/audit", params={"action": "rater.messaged"}, headers=PAGE).text
    told = views.issues_view(world.parts, replace(world.admin, time_zone=zone), world.study.id).issues.by_time
    counts = {one.name: one.ratings for one in told}
    assert counts == {day: count for day, count in zip(DAYS, (first, second), strict=True) if count}


@pytest.mark.parametrize(("zone", "first", "second", "shown"), ZONES)
def test_a_rater_is_excluded_from_the_day_of_who_excludes_them(
    site: Site, rated: Actor, zone: str, first: int, second: int, shown: str
) -> None:
    world = site.world
    enrolment.choose_time_zone(world.parts, world.admin, zone)
    client, here = browser(site, world.admin), f"/admin/studies/{world.study.id}/raters/{rated.user_id}"
    client.post(f"{here}/exclude", data={"words": "Too quick", "since": DAYS[1]})
    assert client.get("/api/train/status").json()["counts"]["ratings"] == first
    assert re.search(r"since <time[^>]*>2026-03-02 00:00 ", client.get(here, headers=PAGE).text)
