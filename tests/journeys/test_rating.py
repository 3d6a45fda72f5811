"""Rating: one key, one rating, for as long as the photo on the screen is the one that was seen."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Error, Page, Route, expect

from tests.journeys.conftest import Join, Visit
from tests.journeys.rater import Rater
from tests.journeys.server import Server
from web.domain.studies.study import Study
from web.jobs import schedule

TWO_PRESSES = """async ([key, pause]) => {
  const down = { key, code: `Digit${key}`, bubbles: true };
  const press = () => document.body.dispatchEvent(new KeyboardEvent("keydown", down));
  press();
  if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
  press();
}"""


def enter_by_keyboard(page: Page, link: str) -> None:
    page.goto(link)
    join = page.get_by_role("button", name="Join and sign in")
    for _ in range(10):
        page.keyboard.press("Tab")
        if join.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/train")


def test_a_session_with_the_keyboard_only(server: Server, study: Study, visit: Visit) -> None:
    page = visit().new_page()
    enter_by_keyboard(page, server.link("keys@example.org"))
    server.settle_in("keys@example.org", study.id)
    rater = Rater(page, "keys@example.org", study.id)
    rater.open()
    twelve = [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2]
    rater.rate(*twelve)

    rater.await_photo()
    page.keyboard.press("s")
    expect(page.get_by_role("region", name="Why skip it?")).to_be_visible()
    page.keyboard.press("4")

    rater.await_photo()
    for key in ("t", "d", "n", "Escape", "2"):
        page.keyboard.press(key)
    rater.await_photo()
    page.keyboard.press("f")
    page.keyboard.type("The sky has 3 rings.")
    page.keyboard.press("Escape")
    page.keyboard.press("1")

    rater.await_photo()
    page.keyboard.press("u")
    rater.rate(5)
    rater.await_photo()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="How to rate")).to_be_visible()
    page.keyboard.press("3")
    page.keyboard.press("Escape")
    rater.settled()

    ratings = server.ratings(study.id)
    assert [rating.score for rating in ratings[:12]] == twelve
    skipped, tagged, flagged, again = ratings[12:]
    assert (skipped.score, skipped.skip) == (None, "cannot_judge")
    assert (tagged.score, tagged.tags) == (2, ("noisy", "too_dark"))
    assert (flagged.score, flagged.flagged, flagged.comment) == (1, True, "The sky has 3 rings.")
    assert flagged.undone_at is not None
    assert (again.option_id, again.score, again.undone_at) == (flagged.option_id, 5, None)


def test_the_grid_rates_all_versions_of_a_photo_by_keyboard(server: Server, study: Study, rater: Rater) -> None:
    grid = rater.page.get_by_role("dialog", name="All versions of this photo")
    rater.page.keyboard.press("g")
    expect(grid.locator("fieldset:enabled")).to_have_count(2)
    rater.page.keyboard.press("3")
    rater.page.keyboard.press("5")
    expect(grid.get_by_text("Rated 3")).to_be_visible()
    expect(grid.get_by_text("Rated 5")).to_be_visible()
    rater.page.keyboard.press("Escape")
    expect(grid).to_be_hidden()
    rater.rate(1)
    rater.settled()

    first, second, third = server.ratings(study.id)
    assert [first.score, second.score, third.score] == [3, 5, 1]
    assert first.experiment_id == second.experiment_id != third.experiment_id


def test_two_presses_of_a_bouncing_key_rate_one_photo(server: Server, study: Study, rater: Rater) -> None:
    for pause in (0, 5):
        rater.await_photo()
        rater.page.evaluate(TWO_PRESSES, ["4", pause])
    rater.await_photo()
    rater.page.keyboard.down("2")
    rater.page.keyboard.down("2")
    rater.page.keyboard.up("2")
    rater.settled()
    assert [rating.score for rating in server.ratings(study.id)] == [4, 4, 2]


def let_go(waiting: Iterable[Route]) -> None:
    """Let requests through that were held up; on a slow machine the page has given up some, and asks again."""
    for route in waiting:
        with suppress(Error):
            route.continue_()


def test_keys_before_the_photo_is_painted_rate_nothing(server: Server, study: Study, visit: Visit) -> None:
    rater = Rater(visit().new_page(), "early@example.org", study.id)
    enter_by_keyboard(rater.page, server.link(rater.email))
    server.settle_in(rater.email, study.id)
    waiting: list[Route] = []
    rater.page.context.route("**/i/*", lambda route: waiting.append(route))
    with rater.page.expect_request("**/i/*"):
        rater.page.goto(f"/train?study={study.id}")
    for key in "12345":
        rater.page.keyboard.press(key)
    let_go(waiting)
    rater.page.context.unroute("**/i/*")
    rater.rate(3)
    rater.settled()
    (rating,) = server.ratings(study.id)
    assert rating.score == 3
    assert rating.painted_at is not None
    assert rating.seen_ms > 0


@pytest.mark.network_fails
def test_a_photo_whose_lease_ended_on_the_way_is_leased_again_and_not_skipped(
    server: Server, study: Study, visit: Visit
) -> None:
    rater = Rater(visit().new_page(), "slept@example.org", study.id)
    enter_by_keyboard(rater.page, server.link(rater.email))
    server.settle_in(rater.email, study.id)
    waiting: list[Route] = []
    rater.page.context.route("**/i/*", lambda route: waiting.append(route))
    with rater.page.expect_response("**/i/*") as answered:
        with rater.page.expect_request("**/i/*"):
            rater.page.goto(f"/train?study={study.id}")
        with server.store.begin() as tx:
            ids = [lease.id for lease in tx.leases.all(study_id=study.id, state="held")]
            tx.of_leases.renew(ids, "asleep", server.parts.clock.now() - timedelta(minutes=1))
        schedule.tick(server.parts)
        rater.page.context.unroute("**/i/*")
        let_go(waiting)
    assert answered.value.status == 410
    rater.rate(3)
    rater.settled()
    (rating,) = server.ratings(study.id)
    assert (rating.score, rating.skip) == (3, None)


def test_undo_brings_the_photo_back_and_buries_the_rating(server: Server, study: Study, rater: Rater) -> None:
    first = rater.photo()
    rater.rate(1)
    second = rater.photo()
    rater.settled()
    rater.page.keyboard.press("Backspace")
    assert rater.photo() == first
    rater.rate(4)
    assert rater.photo() == second
    rater.settled()

    undone, kept = server.ratings(study.id)
    assert (undone.score, undone.undone_at is None) == (1, False)
    assert (kept.score, kept.undone_at, kept.option_id) == (4, None, undone.option_id)


def test_two_raters_at_once_never_rate_the_same_photo(server: Server, study: Study, join: Join) -> None:
    both = [join(study), join(study)]
    for rater in both:
        rater.page.goto(f"/train?study={study.id}")
    for score in (1, 2, 3, 4, 5, 4):
        for rater in both:
            rater.rate(score)
    for rater in both:
        rater.settled()

    ratings = server.ratings(study.id)
    assert len(ratings) == 12
    assert len({rating.option_id for rating in ratings}) == 12
    assert len({(rating.experiment_id, rating.judge_id) for rating in ratings}) == len(
        {r.experiment_id for r in ratings}
    )
    with server.store.read() as tx:
        held = [lease.experiment_id for lease in tx.leases.all(study_id=study.id, state="held")]
    assert len(held) == len(set(held))


@pytest.mark.network_fails  # images of ended leases are refused
def test_a_rating_after_the_lease_ran_out_is_kept_as_late(server: Server, study: Study, rater: Rater) -> None:
    past = server.parts.clock.now() - timedelta(seconds=1)
    with server.store.begin() as tx:
        for lease in tx.leases.all(study_id=study.id, state="held"):
            tx.leases.replace(replace(lease, until=past))
    schedule.tick(server.parts)
    rater.rate(2)
    rater.settled()
    rater.await_photo()
    assert "not accepted" not in rater.said()
    (rating,) = server.ratings(study.id)
    assert (rating.score, rating.late) == (2, True)


def test_holding_space_shows_the_original(rater: Rater) -> None:
    stage = rater.page.locator("#stage")
    expect(rater.page.locator("#frame .original")).to_have_count(1)
    rater.page.keyboard.down("Space")
    expect(stage).to_have_attribute("data-view", "original")
    expect(rater.page.locator("#frame .original")).to_be_visible()
    rater.page.keyboard.up("Space")
    expect(stage).to_have_attribute("data-view", "variant")
