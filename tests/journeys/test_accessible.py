"""Pages that everybody can use: no violation that axe finds, in light and dark, wide and narrow."""

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Join, Visit
from tests.journeys.server import Server
from web.domain.study import Study

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
NARROW = {"width": 320, "height": 640}


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def assert_accessible_in_light_and_dark(page: Page) -> None:
    shades = set[str]()
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        shades.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert_accessible(page)
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
