"""Watching what is learnt: an admin's pages follow the ratings by themselves, with announcements and without."""

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.conftest import Join
from tests.journeys.rater import Rater
from tests.journeys.test_accessible import assert_accessible
from web.domain.study import Study

SOON_MS = 40_000


def ratings_on(admin: Rater) -> Locator:
    return admin.page.locator(".card", has=admin.page.get_by_role("heading", name="Ratings", exact=True)).locator(
        ".figure"
    )


@pytest.mark.network_fails
@pytest.mark.parametrize("announced", [True, False])
def test_the_status_follows_the_ratings_by_itself(study: Study, rater: Rater, join: Join, announced: bool) -> None:
    admin = join(role="admin", service_workers="block")
    if not announced:
        admin.page.route("**/api/train/events*", lambda route: route.abort())
    admin.page.goto(f"/status?study={study.id}")
    expect(ratings_on(admin)).to_have_text("0")
    admin.page.evaluate("window.neverReloaded = true")
    rater.rate(4, 2, 5, 3)
    rater.settled()
    expect(ratings_on(admin)).to_have_text("4", timeout=SOON_MS)
    expect(admin.page.get_by_text("Best settings so far")).to_be_visible(timeout=SOON_MS)
    assert admin.page.evaluate("window.neverReloaded") is True


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_the_admins_pages_can_be_used_by_everybody(
    study: Study, rater: Rater, join: Join, scheme: str, width: int
) -> None:
    rater.rate(4, 2, 5, 3)
    rater.settled()
    admin = join(role="admin", color_scheme=scheme, viewport={"width": width, "height": 800})
    admin.page.goto(f"/status?study={study.id}")
    expect(admin.page.get_by_text("What was learnt")).to_be_visible(timeout=SOON_MS)
    expect(admin.page.get_by_role("heading", name="What is asked now")).to_be_visible(timeout=SOON_MS)
    why = admin.page.locator("[data-part=asked] a").first.get_attribute("href") or ""
    for address in (
        f"/status?study={study.id}",
        why,
        f"/history?study={study.id}",
        "/admin/studies",
        f"/admin/studies/{study.id}",
        "/admin/people",
        "/admin/jobs",
    ):
        admin.page.goto(address)
        assert admin.page.evaluate("document.scrollingElement.scrollWidth") == width, address
        assert_accessible(admin.page)
