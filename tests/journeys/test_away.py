"""Work that outlives the network, the page, the server and the session: stored once, whatever happens on the way."""

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Route, expect

from benchmarks.chaos import Chaos
from tests.journeys.conftest import Join
from tests.journeys.rater import Rater
from tests.journeys.server import Server, until
from tests.journeys.studies import studying
from web.domain.studies.study import Study

pytestmark = pytest.mark.network_fails

FIFTY = [number % 5 + 1 for number in range(50)]
SHELL = "async () => (await (await caches.open('palate-shell')).keys()).map((request) => new URL(request.url).pathname)"

# Longer than the worker lets a cache be silent while there may be a network to ask.
SLOW = """() => {
  const match = Cache.prototype.match;
  Cache.prototype.match = async function (key) {
    await new Promise((resolve) => setTimeout(resolve, 2500));
    return match.call(this, key);
  };
}"""


@pytest.fixture
def network(server: Server) -> Iterator[Chaos]:
    """A network to the server that can be broken."""
    with Chaos(server.port) as proxy:
        yield proxy


@pytest.fixture
def through(network: Chaos, study: Study, join: Join) -> Rater:
    """A rater whose network can be broken."""
    rater = join(study, base_url=f"http://localhost:{network.port}")
    rater.open()
    return rater


def await_shell(rater: Rater) -> None:
    """Wait until the browser keeps the page itself, with the script that loads last among its files."""
    until("the page kept for a reload", lambda: {"/train", "/static/train.js"} <= set(rater.page.evaluate(SHELL)))


def test_ratings_without_network_are_sent_once_it_is_back(server: Server, study: Study, rater: Rater) -> None:
    until("some photos ahead", lambda: rater.images_kept() >= 9)
    rater.page.context.set_offline(True)
    rater.rate(5, 4, 3)
    rater.await_photo()
    rater.page.keyboard.press("u")
    rater.rate(2)
    banner = rater.page.locator("#banner")
    expect(banner).to_contain_text("The server is out of reach. 5 saved here.")
    assert server.ratings(study.id) == ()

    rater.page.context.set_offline(False)
    rater.settled()
    expect(banner).to_be_hidden()
    ratings = server.ratings(study.id)
    assert [(rating.score, rating.undone_at is None) for rating in ratings] == [
        (5, True), (4, True), (3, False), (2, True),
    ]  # fmt: skip


def test_a_cache_that_is_slow_is_waited_for_where_the_network_is_gone(rater: Rater) -> None:
    await_shell(rater)
    (worker,) = rater.page.context.service_workers
    worker.evaluate(SLOW)
    rater.page.context.set_offline(True)
    rater.page.reload()
    rater.await_photo()


@pytest.fixture
def long_study(server: Server) -> Iterator[Study]:
    """A study with enough photos ahead for fifty ratings."""
    with studying(server, "fifty ratings", ready=26) as study:
        yield study


def test_fifty_ratings_without_network_survive_a_reload(
    server: Server, long_study: Study, network: Chaos, join: Join
) -> None:
    rater = join(long_study, base_url=f"http://localhost:{network.port}")
    rater.open(ahead=26)
    until("three images of each experiment kept", lambda: rater.images_kept() >= 26 * 3)
    await_shell(rater)

    network.down = True
    network.cut()
    rater.rate(*FIFTY)
    expect(rater.main).to_have_attribute("data-pending", "50")
    rater.page.reload()
    expect(rater.main).to_have_attribute("data-pending", "50")
    rater.await_photo()
    assert server.ratings(long_study.id) == ()

    network.down = False
    rater.settled()
    ratings = server.ratings(long_study.id)
    assert [rating.score for rating in ratings] == FIFTY
    assert len({rating.option_id for rating in ratings}) == 50
    assert not any(rating.late or rating.undone_at for rating in ratings)


def test_ratings_pressed_while_the_server_is_dead_are_stored_once(server: Server, study: Study, rater: Rater) -> None:
    until("some photos ahead", lambda: rater.images_kept() >= 9)
    rater.rate(1)
    server.kill()
    try:
        rater.rate(2, 3, 4)
        expect(rater.page.locator("#banner")).to_contain_text("The server is out of reach.")
    finally:
        server.start()
    rater.settled()
    rater.rate(5)
    rater.settled()
    assert [rating.score for rating in server.ratings(study.id)] == [1, 2, 3, 4, 5]


def test_a_rating_whose_answer_was_lost_is_stored_once(
    server: Server, study: Study, network: Chaos, through: Rater
) -> None:
    network.mute = True
    through.rate(4)
    until("the rating in the database", lambda: len(server.ratings(study.id)) == 1)
    expect(through.main).to_have_attribute("data-pending", "1")
    network.mute = False
    network.cut()
    through.settled()
    through.await_photo()
    assert "not accepted" not in through.said()
    (rating,) = server.ratings(study.id)
    assert rating.score == 4


@pytest.fixture
def stalling() -> Iterator[str]:
    """The address of a server that begins to send an image, and falls silent."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Stalling) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


class Stalling(socketserver.StreamRequestHandler):
    """Sends the first thousand bytes of a long answer, then nothing until whoever asked goes away."""

    def handle(self) -> None:
        """Answer."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n" + bytes(1000))
        while self.rfile.read(1):
            pass


@pytest.mark.parametrize("begun", [False, True], ids=["not at all", "in part"])
def test_a_photo_whose_answer_does_not_come_is_asked_for_again(
    study: Study, join: Join, stalling: str, begun: bool
) -> None:
    rater = join(study)
    asked: set[str] = set()

    def silent_at_first(route: Route) -> None:
        url = route.request.url
        if url in asked:
            route.continue_()
        elif begun:
            route.continue_(url=stalling)
        asked.add(url)

    rater.page.context.route("**/i/*", silent_at_first)
    rater.open()
    assert len(asked) >= 2


def test_a_session_that_ended_is_renewed_in_another_tab(server: Server, study: Study, rater: Rater) -> None:
    with server.store.begin() as tx:
        user = tx.users.find(email=rater.email)
        assert user is not None
        for session in tx.sessions.all(user_id=user.id):
            tx.sessions.replace(replace(session, revoked_at=server.parts.clock.now()))
    rater.rate(4)
    dialog = rater.page.get_by_role("dialog", name="Your session is over")
    expect(dialog).to_be_visible()
    assert server.ratings(study.id) == ()
    dialog.get_by_role("button", name="Retry").click()
    expect(dialog.get_by_role("alert")).not_to_be_empty()

    tab = rater.page.context.new_page()
    tab.goto(server.link(rater.email))
    tab.get_by_role("button", name="Sign in", exact=True).click()
    tab.wait_for_url("**/train")
    tab.close()
    dialog.get_by_role("button", name="Retry").click()
    expect(dialog).to_be_hidden()
    rater.settled()
    (rating,) = server.ratings(study.id)
    assert rating.score == 4
