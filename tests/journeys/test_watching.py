"""Watching what is learnt: an admin's pages follow the ratings by themselves, with announcements and without."""

from dataclasses import replace

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.conftest import Join
from tests.journeys.rater import Rater
from tests.journeys.server import Server
from tests.journeys.test_accessible import assert_accessible
from web.domain.abtests.abtest import ABTest, Decision, Design, Pair, stand
from web.domain.ids import new_id
from web.domain.studies.study import Study
from web.services.prompts import pointers

SOON_MS = 40_000
OPEN_SOME = "() => [...document.querySelectorAll('main details')].slice(0, 3).forEach((one) => { one.open = true; })"


def ab_test(server: Server, study: Study) -> str:
    """Return an A/B test with three pairs, which never runs on, so that it takes nothing from other journeys."""
    now = server.parts.clock.now()
    with server.store.read() as tx:
        live, shown = (
            pointers.live_version(tx, study.prompt_key),
            tx.experiments.all(study_id=study.id, kind="explore")[:3],
        )
    texts = {"local": live.components["local"] | {"prompt": "Make the photo brighter."}}
    made = replace(live, id=new_id(), number=1000, name=None, status="candidate", components=texts, sha256="")
    design = Design(least_pairs=2)
    key = study.prompt_key
    test = ABTest(
        new_id(), study.project_id, study.id, key, "challenge", "running", live.id, (made.id,), design, "manual", now
    )
    pairs = [
        Pair(new_id(), test.id, one.id, one.input_id, made.id, "closed", now, at, 1.0, {"too_dark": -1.0})
        for at, one in enumerate(shown, 1)
    ]
    ended = replace(test.decided(Decision("promote", made.id, stand(test, pairs)), now), settled_at=None)
    with server.store.begin() as tx:
        tx.versions.add(replace(made, revision=0, number=tx.of_prompts.lines(key)[-1].number + 1))
        tx.ab_tests.add(ended)
        tx.ab_pairs.add_all(pairs)
    return test.id


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
    server: Server, study: Study, rater: Rater, join: Join, scheme: str, width: int
) -> None:
    rater.rate(4, 2, 5, 3)
    rater.settled()
    admin = join(role="admin", color_scheme=scheme, viewport={"width": width, "height": 800})
    admin.page.goto(f"/status?study={study.id}")
    expect(admin.page.get_by_text("What was learnt")).to_be_visible(timeout=SOON_MS)
    expect(admin.page.get_by_role("heading", name="What is asked now")).to_be_visible(timeout=SOON_MS)
    why = admin.page.locator("[data-part=asked] a").first.get_attribute("href") or ""
    admin.page.goto(f"/admin/raters?study={study.id}")
    one = admin.page.get_by_role("link", name=rater.email).get_attribute("href") or ""
    test = ab_test(server, study)
    for address in (
        f"/status?study={study.id}",
        why,
        f"/history?study={study.id}",
        f"/admin/raters?study={study.id}",
        one,
        "/admin/studies",
        "/admin/studies/new",
        f"/admin/studies/{study.id}",
        "/admin/prompts",
        f"/admin/prompts/{study.prompt_key}",
        f"/admin/prompts/{study.prompt_key}/write",
        f"/admin/prompts/{study.prompt_key}/versions/v1.0.0",
        f"/admin/evolution?study={study.id}",
        f"/admin/evolution/{study.id}/issues",
        "/admin/abtests",
        f"/admin/abtests/new?study={study.id}",
        f"/admin/abtests/{test}",
        "/admin/people",
        "/admin/keys",
        "/admin/jobs",
        "/admin/audit",
        "/account",
    ):
        admin.page.goto(address)
        assert admin.page.evaluate("document.scrollingElement.scrollWidth") == width, address
        admin.page.evaluate(OPEN_SOME)
        assert_accessible(admin.page)


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1280), ("light", 320)])
def test_a_raters_own_pages_can_be_used_by_everybody(study: Study, join: Join, scheme: str, width: int) -> None:
    rater = join(study, color_scheme=scheme, viewport={"width": width, "height": 800})
    rater.open()
    rater.rate(4, 2, 5)
    rater.settled()
    for address in (f"/status?study={study.id}", f"/history?study={study.id}", "/history?state=undone", "/account"):
        rater.page.goto(address)
        assert rater.page.evaluate("document.scrollingElement.scrollWidth") == width, address
        rater.page.evaluate(OPEN_SOME)
        assert_accessible(rater.page)


def test_an_item_opens_beside_the_history_and_leads_to_its_neighbours(study: Study, rater: Rater, join: Join) -> None:
    rater.rate(4, 2, 5)
    rater.settled()
    admin = join(role="admin", service_workers="block")
    admin.page.goto(f"/history?study={study.id}")
    links = admin.page.locator("td.when a")
    links.first.focus()
    admin.page.keyboard.press("Enter")
    box = admin.page.get_by_role("dialog", name="One item")
    expect(box.get_by_role("heading", name="What happened")).to_be_visible()
    assert_accessible(admin.page)
    first = box.get_by_role("link", name="Open as a page").get_attribute("href")
    expect(box.get_by_role("button", name="← Newer")).to_be_disabled()
    admin.page.keyboard.press("ArrowRight")
    expect(box.get_by_role("link", name="Open as a page")).not_to_have_attribute("href", first or "")
    expect(box.get_by_role("heading", name="What happened")).to_be_visible()
    admin.page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(links.first).to_be_focused()
    links.first.click()
    expect(box.get_by_role("link", name="Open as a page")).to_have_attribute("href", first or "")


def test_a_pause_reaches_the_rater_whose_appeal_reaches_the_admin(study: Study, rater: Rater, join: Join) -> None:
    rater.rate(4, 2)
    rater.settled()
    admin = join(role="admin", service_workers="block")
    admin.page.goto(f"/admin/raters?study={study.id}")
    admin.page.get_by_role("link", name=rater.email).click()
    admin.page.get_by_label("Why").first.fill("Let us talk about the scale.")
    admin.page.get_by_role("button", name="Pause them").click()
    expect(admin.page.get_by_role("button", name="Let them go on")).to_be_visible()
    rater.page.goto(f"/status?study={study.id}")
    expect(rater.page.get_by_text("Let us talk about the scale.")).to_be_visible()
    rater.page.get_by_label("What is wrong").fill("I see it differently.")
    rater.page.get_by_role("button", name="Send it").click()
    expect(rater.page.get_by_text("I see it differently.")).to_be_visible()
    expect(admin.page.locator("[data-part=standing]").get_by_text("appeal")).to_be_visible(timeout=SOON_MS)
