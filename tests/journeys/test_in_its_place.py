"""What something on the way answers in Palate's place is told as that, and never taken for the server's own word."""

from collections import Counter

import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.journeys.conftest import Join
from tests.journeys.rater import Rater
from tests.journeys.server import Server
from tests.journeys.studies import photos
from tests.pictures import picture, saved
from web.domain.studies.study import Study

PAGE = (
    "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr><center>nginx</center></body></html>"
)
TOO_BIG = "The proxy in front of Palate takes no files that big: ask the admin to raise its limit"
UNREACHED = "The proxy in front of Palate does not reach it ({0}); it may be starting again."
IN_ITS_PLACE = "Something on the way to Palate answered in its place, or cut its answer short ({0})."
SAID = {
    413: TOO_BIG,
    502: UNREACHED.format(502),
    503: UNREACHED.format(503),
    504: "The proxy in front of Palate waited too long for it (504).",
    403: IN_ITS_PLACE.format(403),
    200: IN_ITS_PLACE.format(200),
}
TRIES = 3  # of the page, before it passes over a photo


def strange(page: Page, address: str, status: int) -> None:
    """Have a proxy answer at an address from now on."""

    def answer(route: Route) -> None:
        route.fulfill(status=status, content_type="text/html", body=PAGE.format(status))

    page.context.route(address, answer)


def a_file(body: bytes) -> list[FilePayload]:
    return [{"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": body}]


def upload(page: Page) -> Locator:
    page.locator("input#files").set_input_files(a_file(photos()[0].body))
    return page.locator("li.upload").first


@pytest.mark.network_fails
@pytest.mark.parametrize("status", SAID)
def test_an_upload_that_a_proxy_answers_is_told_as_that_and_can_be_tried_again(rater: Rater, status: int) -> None:
    strange(rater.page, "**/api/enhance/train", status)
    mine = upload(rater.page)
    expect(mine.get_by_role("alert")).to_contain_text(SAID[status])
    expect(rater.page.get_by_role("dialog")).to_have_count(0)
    rater.page.context.unroute("**/api/enhance/train")
    mine.get_by_role("button", name="Try again").click()
    expect(mine).to_have_attribute("data-state", "ready", timeout=60_000)


@pytest.mark.network_fails
@pytest.mark.parametrize("status", [403, 404, 405, 413, 502, 200])
def test_an_answer_that_a_proxy_refuses_waits_until_the_server_has_it(
    server: Server, study: Study, rater: Rater, status: int
) -> None:
    strange(rater.page, "**/api/train/rate", status)
    rater.rate(4)
    rater.page.wait_for_selector("main.train[data-sync=waiting][data-pending='1']")
    expect(rater.page.get_by_role("dialog")).to_have_count(0)
    rater.page.context.unroute("**/api/train/rate")
    rater.settled()
    assert [rating.score for rating in server.ratings(study.id)] == [4]


@pytest.mark.network_fails
@pytest.mark.parametrize("status", [403, 404, 429, 200])
def test_a_photo_that_a_proxy_refuses_for_a_time_is_not_skipped(
    server: Server, study: Study, join: Join, status: int
) -> None:
    rater, asked = join(study), Counter[str]()

    def refuse(route: Route) -> None:
        asked[route.request.url] += 1
        if asked[route.request.url] > TRIES:
            return route.continue_()
        return route.fulfill(status=status, content_type="text/html", body=PAGE.format(status))

    rater.page.context.route("**/i/*", refuse)
    rater.page.goto(f"/train?study={study.id}")
    rater.page.wait_for_selector("main.train[data-gate=open]", timeout=60_000)
    rater.rate(5)
    rater.settled()
    assert [(rating.score, rating.skip) for rating in server.ratings(study.id)] == [(5, None)]


@pytest.mark.network_fails
def test_photos_that_a_proxy_refuses_are_told_of_and_sent_once_it_lets_them_through(study: Study, join: Join) -> None:
    page = join(role="admin").page
    page.goto(f"/admin/studies/{study.id}/photos")
    before = page.locator("ul.inputs > li").count()
    for status, says in ((413, TOO_BIG), (502, UNREACHED.format(502))):
        strange(page, "**/batches/items/*", status)
        page.locator("input[data-files]").set_input_files(a_file(saved(picture(width=96 + status), "PNG")))
        expect(page.locator("[data-rows]")).to_contain_text(says)
        page.context.unroute("**/batches/items/*")
        expect(page.locator("[data-done] .notice")).to_have_count(1, timeout=60_000)
        page.reload()
    expect(page.locator("ul.inputs > li")).to_have_count(before + 2)
