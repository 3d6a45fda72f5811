"""Pages that everybody can use: no violation that axe finds, in light and dark, wide and narrow."""

from typing import Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import DEFAULT_OPTIONS, Axe
from playwright.sync_api import Page, Route, expect

from tests.journeys.conftest import Join, Visit
from tests.journeys.server import Server
from web.domain.studies.study import Study

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
OF_COLOURS = ("color-contrast", "link-in-text-block")
NARROW = {"width": 320, "height": 640}
TITLES = {
    "generating": "New photos are being made",
    "empty": "Nothing to rate right now",
    "paused": "Rating is paused",
    "finished": "This study is finished",
}


def assert_accessible(page: Page, *rules: str) -> None:
    """Have axe find nothing, by all its rules or by these alone."""
    axe = Axe("0" if page.evaluate("'axe' in window") else AXE_SCRIPT)  # it is half a megabyte
    found = axe.run(page, options={**DEFAULT_OPTIONS, **({"runOnly": list(rules)} if rules else {})})
    assert found.violations_count == 0, found.generate_report()


def assert_accessible_in_light_and_dark(page: Page) -> None:
    shades = set[str]()
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        shades.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert_accessible(page, *(OF_COLOURS if len(shades) > 1 else ()))  # all else is the same in each scheme
    assert len(shades) == len(SCHEMES)


def test_the_rating_page_with_all_that_opens_on_it(study: Study, join: Join) -> None:
    rater = join(study)
    rater.open()
    assert_accessible_in_light_and_dark(rater.page)
    for key, opened in (("s", "#skip-panel"), ("t", "#note-panel"), ("g", "#grid"), ("?", "#help")):
        rater.page.keyboard.press(key)
        expect(rater.page.locator(opened)).to_be_visible()
        assert_accessible_in_light_and_dark(rater.page)
        rater.page.keyboard.press("Escape")
        expect(rater.page.locator(opened)).to_be_hidden()


@pytest.mark.network_fails
def test_the_rating_page_in_the_states_in_which_there_is_no_photo(study: Study, join: Join) -> None:
    rater = join(study)
    rater.open(ahead=4)
    page, wanted = rater.page, ""

    def answer(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), "state": wanted, "message": "This is why.", "experiments": []})

    rater.main.evaluate("main => { main.dataset.breakAfter = '0.1'; }")
    expect(page.get_by_text("A short break keeps your eye fair.")).to_be_visible()
    assert_accessible_in_light_and_dark(page)
    page.get_by_role("button", name="Take a break").click()
    expect(page.get_by_role("heading", name="Take your time")).to_be_visible()
    rater.main.evaluate("main => { main.dataset.breakAfter = '1200'; }")
    assert_accessible_in_light_and_dark(page)
    page.get_by_role("button", name="Go on").click()

    page.context.set_offline(True)
    while rater.main.get_attribute("data-state") != "offline":
        page.keyboard.press("3")
        page.wait_for_selector("main.train[data-gate=open], main.train[data-state=offline]")
    expect(page.locator("#banner")).to_contain_text("The server is out of reach.")
    assert_accessible_in_light_and_dark(page)
    page.context.route("**/api/train/rate", lambda route: route.fulfill(status=500, body="broken"))
    page.context.set_offline(False)
    page.get_by_role("button", name="Try now").click()
    expect(page.locator("#sync-text")).to_contain_text("waiting for the network")
    assert_accessible_in_light_and_dark(page)
    page.context.unroute("**/api/train/rate")
    rater.settled()

    page.context.route("**/api/train/next?*", answer)
    for wanted, title in TITLES.items():  # noqa: B007 - `answer` reads it
        page.reload()
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        assert_accessible_in_light_and_dark(page)


def test_the_pages_at_the_door(server: Server, visit: Visit) -> None:
    page = visit().new_page()
    for address in ("/sign-in", server.link("door@example.org"), server.link("admin@localhost")):
        page.goto(address)
        assert_accessible_in_light_and_dark(page)


def test_the_rating_page_fits_a_narrow_screen(study: Study, join: Join) -> None:
    rater = join(study, viewport=NARROW)
    rater.open()
    assert rater.page.evaluate("document.scrollingElement.scrollWidth") == NARROW["width"]
    assert_accessible(rater.page)
    tops = [button.bounding_box() for button in rater.page.locator("#scores .score").all()]
    assert all(box is not None and box["y"] + box["height"] <= NARROW["height"] for box in tops)
