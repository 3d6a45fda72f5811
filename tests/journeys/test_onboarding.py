"""The first visit: what a rater agrees to and is told, and a practice that says what was expected."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Join, Visit
from tests.journeys.rater import Rater
from tests.journeys.server import Server, until
from tests.journeys.studies import studying
from tests.journeys.test_accessible import NARROW, assert_accessible, assert_accessible_in_light_and_dark
from web.domain.enrolment import Enrolment
from web.domain.study import Study

CONSENT = "We keep your ratings under your name.\n\nYou may stop at any time."


@pytest.fixture
def asking(server: Server) -> Iterator[Study]:
    """A study that asks for consent."""
    with studying(server, "asking", ready=6) as study:
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


def test_a_first_visit_by_keyboard_from_consent_to_the_first_rating(
    server: Server, asking: Study, visit: Visit, join: Join
) -> None:
    rater = Rater(join(None).page, "", asking.id)
    page = rater.page
    email = page.locator("#session-email").input_value()
    page.emulate_media(color_scheme="light")
    page.goto(f"/train?study={asking.id}")
    expect(page.get_by_role("heading", name="Before you start")).to_be_visible()
    expect(page.get_by_text("You may stop at any time.")).to_be_visible()
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
    page.keyboard.press("5")
    expect(lesson).to_contain_text("You said 5; 1 or 2 is expected here")
    expect(lesson).to_contain_text("Practice: 1 of")
    assert_accessible_in_light_and_dark(page)
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    rater.await_photo()
    page.keyboard.press("1")
    expect(lesson).to_contain_text("1 fits")
    page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    assert page.evaluate("document.scrollingElement.scrollWidth") == NARROW["width"]
    assert_accessible(page)
    page.keyboard.press("Enter")

    server.settle_in(email, asking.id)
    page.reload()
    rater.await_photo()
    expect(page.locator("#welcome")).to_be_hidden()
    rater.settled()
    with server.store.read() as tx:
        kinds = [tx.experiments.get(rating.experiment_id).kind for rating in server.ratings(asking.id)]
    assert kinds == ["calibration", "calibration"]


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
