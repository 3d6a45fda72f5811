"""Browsers that lack something, and answers that break: told in words, never in those of the programming language."""

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.journeys.conftest import PATIENCE_MS, Join
from tests.journeys.rater import Rater
from tests.journeys.server import Server
from tests.journeys.studies import image, photos
from web.domain.studies.study import Study

LIST = "Chrome or Edge 114, Firefox 125, Safari 17, or anything newer"
LACKING = ["AbortSignal.timeout", "TransformStream", "Array.prototype.at", "HTMLDialogElement.prototype.showModal"]


@pytest.fixture
def rater(study: Study, join: Join) -> Rater:
    """A rater before a blank tab."""
    return join(study)


def assert_no_page(page: Page, words: str) -> None:
    """Hold the page to these words, and to nothing that looks as if it worked."""
    expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("alert").filter(has_text=LIST)).to_be_visible()
    expect(page.locator("#workbench")).to_be_hidden()
    expect(page.get_by_text("Error")).to_have_count(0)


@pytest.mark.parametrize("name", LACKING)
def test_a_browser_that_lacks_what_the_page_needs_is_told_which_ones_have_it(rater: Rater, name: str) -> None:
    rater.page.add_init_script(f"delete window.{name}")
    rater.page.goto("/train")
    assert_no_page(rater.page, "You cannot rate in this browser")
    expect(rater.main).to_have_attribute("data-missing", name)


@pytest.mark.network_fails
def test_a_page_whose_scripts_do_not_all_come_says_so(rater: Rater) -> None:
    rater.page.context.route("**/static/train/session.js*", lambda route: route.abort())
    rater.page.goto("/train")
    assert_no_page(rater.page, "The page did not load whole. Load it again")


def cut(route: Route) -> None:
    """Answer with the half of it."""
    route.fulfill(status=200, content_type="application/json", body='{"state": "ready", "experi')


def unreached(route: Route) -> None:
    """Answer nothing."""
    route.abort()


BROKEN = {"cut short": cut, "not reached": unreached}
SAID = {
    "cut short": "Something on the way to Palate answered in its place, or cut its answer short (200). "
    "Try again, or tell the admin.",
    "not reached": "The server cannot be reached.",
}


@pytest.mark.network_fails
@pytest.mark.parametrize("how", list(BROKEN))
def test_a_broken_answer_is_told_in_words(rater: Rater, how: str) -> None:
    rater.page.context.route("**/api/train/next*", BROKEN[how])
    rater.page.goto(f"/train?study={rater.study_id}")
    expect(rater.page.locator("#message-title")).to_have_text("Waiting for the network", timeout=PATIENCE_MS)
    expect(rater.page.locator("#message-text")).to_have_text(SAID[how])


def test_an_upload_whose_answer_is_not_ours_is_told_and_can_be_tried_again(server: Server, rater: Rater) -> None:
    rater.open()
    photo: FilePayload = {"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": image(photos()[0]).body}
    rater.page.route(
        "**/api/enhance/train", lambda route: route.fulfill(status=200, body="<html>Welcome to the lobby</html>")
    )
    rater.page.set_input_files("#files", files=[photo])
    upload = rater.page.locator(".upload")
    expect(upload.get_by_role("alert")).to_have_text(SAID["cut short"], timeout=PATIENCE_MS)
    expect(upload.get_by_role("button", name="Try again")).to_be_visible()
