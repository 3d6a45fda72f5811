"""What helps a rater look and go on: one's own keys, the slider, zoom, fingers, targets, breaks, a way back in."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Locator, Page, Route, expect

from tests.journeys.conftest import Join
from tests.journeys.rater import Rater
from tests.journeys.server import Server, until
from tests.journeys.studies import studying
from tests.journeys.test_accessible import assert_accessible, assert_accessible_in_light_and_dark
from web.domain.studies.study import Study
from web.services.accounts import passwords

CLOSE: dict[str, Any] = {"viewport": {"width": 320, "height": 200}, "device_scale_factor": 4}  # 1280 by 800 at 400 %
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WORD = "a long word for a test"
ATTENDED = """async () => {
  const { Attention } = await import("/static/train/attention.js");
  let now = 0;
  const attention = new Attention(() => now);
  const told = [];
  const after = (seconds, act) => { now += seconds * 1000; if (act) act(); told.push(attention.ms() / 1000); };
  after(10);                              // looked at
  after(55);                              // nobody stirred for 65 s: 60 of them count
  after(0, () => attention.stir());
  after(20);
  after(5, () => attention.turn(true));   // hidden from here on
  after(100, () => attention.turn(false));
  after(7);
  const worked = attention.sinceBreak() / 1000;
  after(400, () => attention.stir());     // more than five minutes away: a break
  return { told, worked, since: attention.sinceBreak() / 1000 };
}"""


@pytest.fixture(scope="module")
def room(server: Server) -> Iterator[Study]:
    """A study that every rater of these journeys gets whole."""
    with studying(server, "the room", raters_wanted=20) as study:
        yield study


@pytest.fixture
def rater(room: Study, join: Join) -> Rater:
    one = join(room)
    one.open()
    return one


def own(server: Server, rater: Rater) -> list[float | None]:
    """Return the scores that a rater gave, in order."""
    with server.store.read() as tx:
        user = tx.users.find(email=rater.email)
        assert user is not None
        kept = tx.ratings.all(study_id=rater.study_id, judge_id=user.id)
    return [rating.score for rating in sorted(kept, key=lambda rating: rating.id) if rating.undone_at is None]


def frame(rater: Rater) -> dict[str, float]:
    box = rater.page.locator("#frame").bounding_box()
    assert box is not None
    return {side: round(box[side]) for side in ("x", "y", "width", "height")}


def original_there(rater: Rater) -> None:
    rater.await_photo()
    expect(rater.page.locator("#frame .original")).to_have_count(1)


def test_keys_can_be_changed_and_switched_off_and_stay_so(server: Server, rater: Rater) -> None:
    page = rater.page
    page.keyboard.press("?")
    page.get_by_text("Change keys").click()
    assert_accessible_in_light_and_dark(page)
    said = page.locator("#keymap-said")
    page.get_by_role("button", name="Rate 5, Excellent").click()
    page.keyboard.press("s")
    expect(said).to_have_text("S is taken: Skip.")
    page.keyboard.press("j")
    expect(said).to_contain_text("changed")
    page.get_by_role("button", name="Skip:").click()
    page.keyboard.press("Escape")
    expect(said).to_have_text("Nothing was changed.")
    page.keyboard.press("Escape")

    page.reload()
    rater.await_photo()
    expect(page.locator("#scores [data-key=rate5]")).to_have_text("J")
    page.keyboard.press("5")
    page.keyboard.press("j")
    rater.await_photo()
    page.get_by_role("switch", name="Keys").click()
    page.keyboard.press("j")
    page.keyboard.press("2")
    page.wait_for_timeout(300)  # a click that comes sooner is the second half of a double click
    page.get_by_role("radio", name="4 Good").click()
    rater.settled()
    assert own(server, rater) == [5, 4]


def test_the_slider_moves_by_arrows_buttons_and_pointer(rater: Rater) -> None:
    page, stage = rater.page, rater.page.locator("#stage")
    original_there(rater)
    page.keyboard.press("c")
    expect(stage).to_have_attribute("data-view", "slider")
    slider = page.get_by_role("slider", name="How much of the photo is the original")
    expect(slider).to_have_value("50")
    assert_accessible_in_light_and_dark(page)
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("55")
    page.get_by_role("button", name="More of the variant").click()
    expect(slider).to_have_value("50")
    slider.press("ArrowLeft")
    expect(slider).to_have_value("49")

    box = frame(rater)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    page.mouse.up()
    expect(slider).to_have_value("25")
    clip = page.locator("#frame .variant").evaluate("image => getComputedStyle(image).clipPath")
    found = re.search(r"([\d.]+)%\)$", clip)
    assert found is not None
    assert float(found.group(1)) == pytest.approx(25, abs=0.5)
    page.keyboard.down("Space")
    expect(stage).to_have_attribute("data-view", "original")
    page.keyboard.up("Space")
    expect(stage).to_have_attribute("data-view", "slider")
    page.keyboard.press("3")
    rater.await_photo()
    expect(stage).to_have_attribute("data-view", "variant")


def test_zoom_and_place_are_the_same_for_the_original_and_the_next_photo(rater: Rater) -> None:
    page = rater.page
    original_there(rater)
    fitted = frame(rater)
    for key in ("+", "+", "+", "+", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    zoomed = frame(rater)
    assert zoomed["width"] == pytest.approx(fitted["width"] * 1.25**4, abs=2)
    page.keyboard.down("Space")
    both = [page.locator(f"#frame .{name}").bounding_box() for name in ("original", "variant")]
    page.keyboard.up("Space")
    assert both[0] == both[1]
    for score in "3421":
        page.keyboard.press(score)
        rater.await_photo()
    expect(page.locator("#zoom-level")).to_have_text("×2.4")
    for _ in range(4):
        page.keyboard.press("u")
        rater.await_photo()
    assert frame(rater) == zoomed
    page.keyboard.press("0")
    expect(page.locator("#zoom-level")).to_have_text("fit")


def nodes_of(rater: Rater) -> int:
    """Return how many nodes the page still has in memory, in sight or not."""
    session = rater.page.context.new_cdp_session(rater.page)
    session.send("HeapProfiler.collectGarbage")
    counted = session.send("Memory.getDOMCounters")["nodes"]
    session.detach()
    return int(counted)


def test_photos_that_are_past_are_let_go(rater: Rater) -> None:
    rater.rate(3, 3, 3, 3)
    original_there(rater)
    before = nodes_of(rater)
    rater.rate(*[4] * 12)
    original_there(rater)
    assert nodes_of(rater) < before + 4 * 12  # one photo that stays takes more than four, with its original


def touch(session: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    spots = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})


def tap_twice(page: Page, x: float, y: float, zoom: str) -> None:
    """Tap twice until that is taken for one gesture: on a busy machine the second tap may come too late."""

    def is_zoomed() -> bool:
        for _ in range(2):
            page.touchscreen.tap(x, y)
        page.wait_for_timeout(100)
        return page.locator("#zoom-level").inner_text() == zoom

    until(f"the zoom {zoom}", is_zoomed)


def test_fingers_pinch_drag_and_tap(server: Server, room: Study, join: Join) -> None:
    rater = join(room, **PHONE)
    rater.open()
    page = rater.page
    assert page.evaluate("document.scrollingElement.scrollWidth") == PHONE["viewport"]["width"]
    box = page.locator("#stage").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    touch(session, "touchStart", (x - 30, y), (x + 30, y))
    for spread in (45, 60, 75, 90):
        touch(session, "touchMove", (x - spread, y), (x + spread, y))
    touch(session, "touchEnd")
    expect(page.locator("#zoom-level")).to_have_text("×3.0")

    before = frame(rater)
    touch(session, "touchStart", (x, y))
    for way in (10, 20, 30, 40):
        touch(session, "touchMove", (x - way, y))
    touch(session, "touchEnd")
    assert frame(rater)["x"] == pytest.approx(before["x"] - 40, abs=2)

    tap_twice(page, x, y, "fit")
    tap_twice(page, x, y, "×2.5")
    page.get_by_role("radio", name="4 Good").tap()
    rater.settled()
    assert own(server, rater) == [4]


def test_all_of_it_works_by_keyboard_at_four_hundred_per_cent(server: Server, room: Study, join: Join) -> None:
    rater = join(room, **CLOSE)
    rater.open()
    page = rater.page
    original_there(rater)
    for opened, key, closed in (
        ("#split-tools", "c", "c"),
        ("#skip-panel", "s", "Escape"),
        ("#note-panel", "t", "Escape"),
        ("#help", "?", "Escape"),
        ("#grid", "g", "Escape"),
    ):
        page.keyboard.press(key)
        expect(page.locator(opened)).to_be_visible()
        assert page.evaluate("document.scrollingElement.scrollWidth") <= CLOSE["viewport"]["width"], opened
        assert_accessible(page)
        focused = page.evaluate("document.activeElement.getBoundingClientRect().right")
        assert focused <= CLOSE["viewport"]["width"], opened
        page.keyboard.press(closed)
        expect(page.locator(opened)).to_be_hidden()
    rater.rate(4)
    rater.await_photo()
    page.keyboard.press("s")
    page.keyboard.press("4")
    rater.rate(2)
    rater.settled()
    assert own(server, rater) == [4, None, 2]


def notice_of(rater: Rater) -> Locator:
    return rater.page.locator("#notice")


def test_who_has_reached_the_target_goes_on_or_stops(server: Server, room: Study, rater: Rater) -> None:
    with server.store.begin() as tx:
        tx.studies.replace(replace(tx.studies.get(room.id), daily_target=2))
    rater.page.reload()
    rater.rate(4, 4)
    notice = notice_of(rater)
    expect(notice).to_contain_text("Today's target is reached.")
    assert_accessible_in_light_and_dark(rater.page)
    notice.get_by_role("button", name="Stop for today").click()
    expect(rater.page.get_by_role("heading", name="Done for today")).to_be_visible()
    assert_accessible_in_light_and_dark(rater.page)
    rater.page.keyboard.press("5")
    rater.page.get_by_role("button", name="Go on").click()
    rater.rate(3)
    rater.settled()
    assert own(server, rater) == [4, 4, 3]


def test_who_works_long_is_asked_to_take_a_break(rater: Rater) -> None:
    break_after = "(main, seconds) => { main.dataset.breakAfter = seconds; }"
    notice = notice_of(rater)
    for answer in ("Go on", "Take a break"):
        rater.main.evaluate(break_after, "0.5")
        expect(notice).to_be_visible(timeout=20_000)  # it is looked at every few seconds
        expect(notice).to_contain_text("A short break keeps your eye fair.")
        rater.main.evaluate(break_after, "1200")
        notice.get_by_role("button", name=answer).click()
        expect(notice).to_be_hidden()
    expect(rater.page.get_by_role("heading", name="Take your time")).to_be_visible()
    rater.page.get_by_role("button", name="Go on").click()
    rater.await_photo()


def test_time_counts_while_the_page_is_seen_and_somebody_is_there(rater: Rater) -> None:
    found = rater.page.evaluate(ATTENDED)
    assert found["told"] == [10, 60, 60, 80, 85, 85, 92, 145]
    assert found["worked"] == 92
    assert found["since"] == 0


@pytest.mark.network_fails
def test_who_was_signed_out_comes_back_by_password_in_place(server: Server, room: Study, rater: Rater) -> None:
    with server.store.begin() as tx:
        user = tx.users.find(email=rater.email)
        assert user is not None
        passwords.keep_password(tx, user.id, server.parts.passwords.hash(WORD), server.parts.clock.now())
        for session in tx.sessions.all(user_id=user.id):
            tx.sessions.replace(replace(session, revoked_at=server.parts.clock.now()))
    rater.rate(2)
    dialog = rater.page.get_by_role("dialog", name="Your session is over")
    expect(dialog).to_be_visible()
    assert_accessible_in_light_and_dark(rater.page)
    dialog.get_by_label("Password").focus()
    assert own(server, rater) == []
    rater.page.keyboard.type("not the word at all")
    rater.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    dialog.get_by_label("Password").fill(WORD)
    rater.page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    rater.rate(4, 5)
    rater.settled()
    assert own(server, rater) == [2, 4, 5]


@pytest.mark.network_fails
def test_a_photo_that_cannot_be_had_is_tried_three_times_and_skipped(server: Server, room: Study, join: Join) -> None:
    rater = join(room)
    rater.page.goto("about:blank")
    asked: list[str] = []
    spoilt: list[str] = []

    def spoil(route: Route) -> None:
        address = route.request.url
        if not spoilt:
            spoilt.append(address)
        if address not in spoilt:
            return route.continue_()
        asked.append(address)
        return route.fulfill(status=200, content_type="image/jpeg", body=b"no image")

    rater.page.context.route("**/i/*", spoil)
    rater.open()
    rater.rate(3)
    rater.settled()
    assert asked == spoilt * 3
    with server.store.read() as tx:
        user = tx.users.find(email=rater.email)
        assert user is not None
        skips = [rating.skip for rating in tx.ratings.all(judge_id=user.id)]
    assert sorted(skips, key=str) == [None, "not_loaded"]
