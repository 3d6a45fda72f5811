"""Five hundred ratings through everything that can go wrong between a key and the database.

What holds, and by what means, is told in docs/rating-guide.md, *What happens to a rating*.
"""

from collections.abc import Iterator
from itertools import cycle, islice

import pytest
from playwright.sync_api import Page, Route

from benchmarks.chaos import Chaos
from benchmarks.rating_page import seed
from tests.journeys.conftest import Join
from tests.journeys.rater import Rater
from tests.journeys.server import Server, until
from tests.journeys.test_away import await_shell
from web.domain.studies.study import Study
from web.services.studies.studies import move_study

pytestmark = pytest.mark.network_fails

RATINGS = 500
AHEAD = 30
QUICK = """document.addEventListener("readystatechange", () => {
  const main = document.querySelector("main.train");
  if (main) main.dataset.keyGate = "20";
})"""
SKEWED = """{
  const Real = Date;
  const now = () => Real.now() + Number(localStorage.getItem("skew"));
  globalThis.Date = class extends Real {
    constructor(...given) { given.length ? super(...given) : super(now()); }
    static now() { return now(); }
  };
}"""


@pytest.fixture
def large(server: Server) -> Iterator[Study]:
    """A study with more to rate than is rated."""
    study = seed(server, RATINGS // 2 + 5 * AHEAD, side=160)
    yield study
    move_study(server.parts, server.operator, study.id, "archived")


class Session:
    """One rater's presses, in order, in whatever tab is before them."""

    def __init__(self, rater: Rater) -> None:
        self.rater = rater
        self.pressed: list[int] = []
        self._scores = cycle((1, 2, 3, 4, 5, 4, 3))

    def press(self, count: int, tab: Rater | None = None) -> None:
        scores = list(islice(self._scores, count))
        tab = tab or self.rater
        tab.page.bring_to_front()  # browsers let a page that nobody sees wait for its timers
        tab.rate(*scores)
        self.pressed += scores

    def is_ready_to_be_alone(self) -> None:
        """Wait until many photos are in the browser."""
        until("photos ahead", lambda: self.rater.photos_ahead() > AHEAD)


def refuse(route: Route) -> None:
    route.fulfill(status=503, headers={"Retry-After": "0"}, body="{}")


def tab_of(rater: Rater, page: Page) -> Rater:
    tab = Rater(page, rater.email, rater.study_id)
    tab.open(ahead=AHEAD)
    return tab


def test_five_hundred_ratings_are_stored_once_each_and_in_order(server: Server, large: Study, join: Join) -> None:
    with Chaos(server.port) as network:
        rater = join(large, base_url=f"http://localhost:{network.port}")
        context = rater.page.context
        context.add_init_script(SKEWED)
        context.add_init_script(QUICK)
        rater.open(ahead=AHEAD)
        session = Session(rater)
        session.press(60)

        session.is_ready_to_be_alone()
        context.set_offline(True)
        session.press(30)
        context.set_offline(False)
        session.press(20)

        session.is_ready_to_be_alone()
        context.route("**/api/train/**", refuse)
        session.press(30)
        context.unroute("**/api/train/**")
        for _ in range(6):
            session.press(10)
            network.cut()

        await_shell(rater)
        session.is_ready_to_be_alone()
        network.mute = True
        session.press(20)
        rater.page.evaluate("localStorage.setItem('skew', -3_600_000)")
        rater.page.reload()
        session.press(10)
        network.mute = False
        network.cut()
        session.press(30)

        second = tab_of(rater, context.new_page())
        for _ in range(40):
            session.press(1)
            session.press(1, second)
        session.is_ready_to_be_alone()
        server.kill()
        session.press(10)
        second.page.close()
        session.press(20)
        server.start()
        session.press(20)

        session.is_ready_to_be_alone()
        network.down = True
        network.cut()
        session.press(20)
        rater.page.evaluate("localStorage.setItem('skew', 86_400_000)")
        rater.page.close()
        rater.page = context.new_page()
        rater.open(ahead=AHEAD)
        session.press(10)
        network.down = False
        session.press(RATINGS - len(session.pressed))
        rater.settled()

    ratings = server.ratings(large.id)
    assert len(session.pressed) == RATINGS
    assert [rating.score for rating in ratings] == session.pressed
    assert len({rating.option_id for rating in ratings}) == RATINGS
    assert not any(rating.undone_at for rating in ratings)
