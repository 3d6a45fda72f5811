"""The first visit: what a rater agrees to and is told, and a practice that says what was expected."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import Join, Visit
from tests.journeys.rater import Rater
from tests.journeys.server import Server, until
from tests.journeys.studies import studying
from tests.journeys.test_accessible import NARROW, assert_accessible, assert_accessible_in_light_and_dark
from tests.journeys.test_rating import enter_by_keyboard
from web.domain.rating.enrolment import Enrolment
from web.domain.studies.study import Study

CONSENT = "We keep your ratings under your name.\n\nYou may stop at any time."


@pytest.fixture
def asking(server: Server) -> Iterator[Study]:
    """A study that asks for consent."""
    with studying(server, "asking") as study:
        with server.store.begin() as tx:
            kept = tx.studies.get(study.id)
            tx.studies.replace(replace(kept, guide=replace(kept.guide, consent=CONSENT)))
        yield study


def place_of(server: Server, study: Study, email: str) -> Enrolment | None:
    with server.store.read() as tx:
        user = tx.users.find(email=email)
        assert user is not None
        return tx.enrolments.find(study_id=study.id, rater_id=user.id)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until something of that name has the focus."""
    wanted = page.get_by_label(name).or_(page.get_by_role("button", name=name, exact=True)).first
    for _ in range(30):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab never came to {name}.")


def lessons_to_the_end(rater: Rater, lesson: Locator) -> set[str]:
    """Go through the rest of the practice by keyboard and return what was said of a 1 each time."""
    button, title = lesson.get_by_role("button"), lesson.get_by_role("heading")
    told = {title.inner_text()}
    while button.inner_text() != "Start rating":
        rater.page.keyboard.press("Enter")
        rater.rate(1)
        expect(lesson).to_be_visible()
        told.add(title.inner_text())
    rater.page.keyboard.press("Enter")
    return told


def test_a_first_visit_by_keyboard_from_sign_in_to_ten_ratings(server: Server, asking: Study, visit: Visit) -> None:
    email = "first@example.org"
    rater = Rater(visit().new_page(), email, asking.id)
    page = rater.page
    page.emulate_media(color_scheme="light")
    enter_by_keyboard(page, server.link(email))
    page.goto(f"/train?study={asking.id}")
    expect(page.get_by_role("heading", name="Before you start")).to_be_visible()
    expect(page.get_by_text("You may stop at any time.")).to_be_visible()
    expect(page.get_by_text("A study may begin with a practice")).to_be_visible()
    expect(page.locator("#welcome").get_by_text("You would show it to others.")).to_be_visible()
    expect(page.locator("#stage")).to_be_hidden()
    assert_accessible_in_light_and_dark(page)
    for key in "12345":
        page.keyboard.press(key)
    tab_to(page, "I have read this and agree.")
    tab_to(page, "Give me no photos that others found unsafe or upsetting.")
    page.keyboard.press("Space")
    tab_to(page, "Start rating")
    page.keyboard.press("Enter")
    place = place_of(server, asking, email)
    assert place is None or place.consented_at is None
    page.keyboard.press("Space")  # the browser has led back to what is not agreed to
    tab_to(page, "Start rating")
    page.keyboard.press("Enter")

    lesson = page.get_by_role("group").filter(has=page.locator("#lesson-title"))
    page.wait_for_selector("main.train[data-gate=open]", timeout=60_000)
    place = place_of(server, asking, email)
    assert place is not None
    assert place.consented_at is not None
    assert place.read_at is not None
    assert place.unsafe_ok is False
    page.keyboard.press("1")
    expect(lesson).to_contain_text("Practice: 1 of")
    assert_accessible_in_light_and_dark(page)
    page.keyboard.press("4")  # while something is told, keys rate nothing
    page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    assert page.evaluate("document.scrollingElement.scrollWidth") == NARROW["width"]
    assert_accessible(page)
    tools = page.locator(".stage-tools").bounding_box()
    told = lesson.bounding_box()
    assert tools is not None
    assert told is not None
    assert told["y"] + told["height"] <= tools["y"], "the lesson covers the tools"

    told_of = lessons_to_the_end(rater, lesson)  # at 320 pixels, which is 1,280 at 400 %
    assert told_of == {"1 fits", "You said 1; 2 to 5 is expected here"}
    rater.rate(*[4] * 10)
    rater.await_photo()
    page.reload()
    rater.await_photo()
    expect(page.locator("#welcome")).to_be_hidden()
    rater.settled()
    ratings = server.ratings(asking.id)
    with server.store.read() as tx:
        kinds = [tx.experiments.get(rating.experiment_id).kind for rating in ratings]
    practice = kinds.count("calibration")
    assert practice >= 2
    assert kinds[:practice] == ["calibration"] * practice
    assert [rating.score for rating in ratings] == [1] * practice + [4] * 10


def test_a_changed_consent_is_asked_for_before_the_next_photo(server: Server, asking: Study, join: Join) -> None:
    with server.store.begin() as tx:
        kept = tx.studies.get(asking.id)
        tx.studies.replace(replace(kept, guide=replace(kept.guide, consent="")))
    rater = join(asking)
    rater.open()
    rater.rate(3)
    rater.settled()
    with server.store.begin() as tx:
        kept = tx.studies.get(asking.id)
        tx.studies.replace(replace(kept, guide=replace(kept.guide, consent="New words.")))
    rater.page.reload()
    expect(rater.page.get_by_text("New words.")).to_be_visible()
    expect(rater.page.locator("#stage")).to_be_hidden()
    rater.page.get_by_label("I have read this and agree.").check()
    rater.page.get_by_role("button", name="Start rating").click()
    rater.rate(4)
    rater.settled()
    until("two ratings", lambda: [rating.score for rating in server.ratings(asking.id)] == [3, 4])
