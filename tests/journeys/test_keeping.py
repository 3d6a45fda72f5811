"""Storage that is full, forbidden, silent or gone: ratings go on, and nothing is called saved that is not."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import faults
from tests.journeys.conftest import PATIENCE_MS, Join
from tests.journeys.rater import Rater
from tests.journeys.server import Server, until
from tests.journeys.studies import studying
from web.domain.studies.study import Study

UNKEPT = "This browser keeps no ratings when the page is closed. Leave it open until all are sent."
SPARE = 1  # byte
SYNCS = """() => {
  const main = document.querySelector("main.train");
  window.syncs = [main.dataset.sync];
  new MutationObserver(() => window.syncs.push(main.dataset.sync)).observe(main, { attributeFilter: ["data-sync"] });
}"""
pytestmark = pytest.mark.network_fails


@pytest.fixture(scope="module")
def room(server: Server) -> Iterator[Study]:
    """A study that every rater of these journeys gets whole."""
    with studying(server, "the keeping room", raters_wanted=20) as study:
        yield study


@pytest.fixture
def rater(room: Study, join: Join) -> Rater:
    """A rater whose browser can be made to fail; nothing is open yet."""
    one = join(room)
    faults.injure(one.page)
    return one


def scores(server: Server, rater: Rater) -> list[float | None]:
    """Return what a rater gave, in order."""
    with server.store.read() as tx:
        user = tx.users.find(email=rater.email)
        assert user is not None
        kept = tx.ratings.all(study_id=rater.study_id, judge_id=user.id)
    return [rating.score for rating in sorted(kept, key=lambda rating: rating.id)]


def sync(rater: Rater, state: str, pending: int, words: str) -> None:
    """Wait until the page says so of its answers."""
    expect(rater.main).to_have_attribute("data-pending", str(pending), timeout=3 * PATIENCE_MS)
    expect(rater.main).to_have_attribute("data-sync", state, timeout=3 * PATIENCE_MS)
    expect(rater.page.locator("#sync-text")).to_have_text(words, timeout=3 * PATIENCE_MS)


def offline_with(rater: Rater, *given: int) -> None:
    """Rate without network, with photos enough for more."""
    rater.open()
    until("some photos ahead", lambda: rater.photos_ahead() >= len(given) + 4)
    rater.settled()
    rater.page.context.set_offline(True)
    rater.rate(*given)
    sync(rater, "waiting", len(given), f"{len(given)} saved here, waiting for the network")


def test_a_connection_that_dies_while_answers_wait_is_opened_anew_and_all_are_sent(
    server: Server, rater: Rater
) -> None:
    offline_with(rater, 1, 2)
    faults.hang_up(rater.page)
    rater.rate(3)
    sync(rater, "waiting", 3, "3 saved here, waiting for the network")
    rater.page.context.set_offline(False)
    rater.settled()
    assert scores(server, rater) == [1, 2, 3]
    expect(rater.page.locator("#notice")).to_be_hidden(timeout=PATIENCE_MS)


def test_a_database_that_is_erased_is_written_anew(server: Server, rater: Rater) -> None:
    offline_with(rater, 1, 2, 3)
    faults.erase(rater.page, server.url)
    rater.rate(4)
    sync(rater, "waiting", 4, "4 saved here, waiting for the network")
    rater.page.context.set_offline(False)
    rater.settled()
    assert scores(server, rater) == [1, 2, 3, 4]


@pytest.mark.parametrize("fault", ["silent", "mute", "forbidden"])
def test_without_a_database_ratings_go_on_and_the_page_says_that_it_keeps_none(
    server: Server, room: Study, join: Join, fault: str
) -> None:
    rater = join(room)
    faults.injure(rater.page, fault)
    rater.page.add_init_script(f"addEventListener('DOMContentLoaded', {SYNCS})")
    rater.open()
    expect(rater.page.locator("#notice-text")).to_have_text(UNKEPT, timeout=PATIENCE_MS)
    expect(rater.page.get_by_role("button", name="Stop for today")).to_be_hidden()
    rater.rate(5, 4)
    sync(rater, "unread", 0, "sent; nothing is kept here")
    expect(rater.page.locator("#status")).to_have_text(
        "This browser cannot keep ratings. Leave the page open until all are sent.", timeout=PATIENCE_MS
    )
    rater.page.context.set_offline(True)
    rater.rate(3)
    sync(rater, "waiting", 1, "1 lost if you close this page, waiting for the network")
    rater.page.context.set_offline(False)
    sync(rater, "unread", 0, "sent; nothing is kept here")
    assert scores(server, rater) == [5, 4, 3]
    assert "saved" not in rater.page.evaluate("window.syncs")


@pytest.mark.parametrize("fault", ["silent", "mute", "forbidden"])
def test_a_database_that_fails_while_answers_wait_loses_none_and_is_taken_up_again(
    server: Server, rater: Rater, fault: str
) -> None:
    offline_with(rater, 1, 2)
    faults.fail(rater.page, fault)
    rater.rate(3)
    sync(rater, "waiting", 3, "3 lost if you close this page, waiting for the network")
    expect(rater.page.locator("#notice-text")).to_have_text(UNKEPT, timeout=PATIENCE_MS)
    faults.fail(rater.page, "")
    sync(rater, "waiting", 3, "3 saved here, waiting for the network")
    expect(rater.page.locator("#notice")).to_be_hidden(timeout=PATIENCE_MS)
    faults.fail(rater.page, fault)
    rater.rate(4)
    sync(rater, "waiting", 4, "4 lost if you close this page, waiting for the network")
    rater.page.context.set_offline(False)
    sync(rater, "unread", 0, "sent; nothing is kept here")
    assert scores(server, rater) == [1, 2, 3, 4]
    faults.fail(rater.page, "")
    rater.settled()
    assert len(scores(server, rater)) == 4


@pytest.mark.parametrize("when", ["from the start", "later"])
def test_a_full_database_loses_no_rating(server: Server, rater: Rater, when: str) -> None:
    if when == "from the start":
        rater.page.goto("/sign-in")
        faults.leave_room(rater.page, server.url, SPARE)
    rater.open()
    if when == "later":
        rater.rate(5)
        rater.settled()
        faults.leave_room(rater.page, server.url, SPARE)
    rater.rate(4, 3)
    expect(rater.page.locator("#notice-text")).to_have_text(UNKEPT, timeout=PATIENCE_MS)
    rater.settled()
    assert scores(server, rater)[-2:] == [4, 3]
    faults.leave_room(rater.page, server.url, None)
    rater.rate(2)
    expect(rater.page.locator("#notice")).to_be_hidden(timeout=PATIENCE_MS)
    rater.settled()
    assert scores(server, rater)[-3:] == [4, 3, 2]


def test_a_full_cache_never_stands_between_the_page_and_the_network(server: Server, rater: Rater) -> None:
    rater.open()
    until("a worker", lambda: rater.page.evaluate("navigator.serviceWorker.controller !== null"))
    rater.page.evaluate("caches.delete('palate-shell')")
    faults.leave_room(rater.page, server.url, SPARE)
    rater.page.reload()
    rater.rate(3)
    rater.settled()
    assert scores(server, rater) == [3]


@pytest.mark.parametrize("when", ["from the start", "later", "forbidden"])
def test_a_full_or_forbidden_small_storage_hinders_nothing(server: Server, rater: Rater, when: str) -> None:
    page = rater.page
    if when == "from the start":
        page.goto("/sign-in")
        page.evaluate(faults.FILL)
    elif when == "forbidden":
        page.add_init_script(faults.FORBIDDEN)
    rater.open()
    if when == "later":
        page.evaluate(faults.FILL)
    rater.rate(1, 2)
    page.get_by_role("switch", name="Keys").click()
    expect(page.get_by_role("switch", name="Keys")).to_have_attribute("aria-checked", "false")
    page.get_by_role("switch", name="Keys").click()
    rebind(page, "Undo", "z")
    rater.await_photo()
    page.keyboard.press("z")
    rater.rate(4)
    rater.settled()
    assert scores(server, rater) == [1, 2, 4]


def rebind(page: Page, action: str, key: str) -> None:
    """Give an action another key in the help."""
    page.get_by_role("button", name="Help").click()
    page.get_by_text("Change keys").click()
    page.locator("#keymap button", has_text=re.compile(f"^{action}")).click()
    page.keyboard.press(key)
    expect(page.locator("#keymap-said")).to_have_text("The key was changed, in this browser.")
    page.keyboard.press("Escape")


def test_a_copy_of_a_tab_on_a_plain_connection_rates_photos_of_its_own(server: Server, room: Study, join: Join) -> None:
    rater = join(room, base_url=f"http://plain.test:{server.port}")
    rater.open()
    assert rater.page.evaluate("[isSecureContext, typeof navigator.locks]") == [False, "undefined"]
    with rater.page.expect_popup() as opened:
        rater.page.evaluate("() => { window.open(location.href); }")
    copy = Rater(opened.value, rater.email, room.id)
    for score in (1, 2, 3):
        rater.rate(score)
        copy.rate(score)
    for one in (rater, copy):
        one.settled()
        assert "not accepted" not in one.said()
    assert sorted(score or 0 for score in scores(server, rater)) == [1, 1, 2, 2, 3, 3]

    names = [tab_of(one) for one in (rater, copy)]
    assert names[0] != names[1]
    for one, name in zip((rater, copy), names, strict=True):
        one.page.reload()
        one.await_photo()
        assert tab_of(one) == name, "a reload goes on with what the tab held"


def tab_of(rater: Rater) -> str:
    """Return the name in which a tab leases."""
    return str(rater.main.get_attribute("data-tab"))
