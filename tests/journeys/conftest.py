"""Fixtures of journeys: one server and one Chromium for all of them, a study and fresh browser contexts for each."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.journeys.browser import chromium
from tests.journeys.rater import Rater
from tests.journeys.server import Server, serving
from tests.journeys.studies import studying
from web.domain.access import Role
from web.domain.studies.study import Study
from web.http.edge.session import COOKIE

NETWORK = "Failed to load resource"
PLAIN = "The Cross-Origin-Opener-Policy header has been ignored"  # said of every page on a plain connection
PATIENCE_MS = 20_000
numbers = count(1)

Visit = Callable[..., BrowserContext]
Join = Callable[..., Rater]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "network_fails: the journey breaks the network, so the console may say so")


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with its worker, as a newcomer starts it; the demo study is there."""
    with serving(tmp_path_factory.mktemp("journeys")) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def visit(server: Server, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Open browser contexts that nobody has signed in; a script error or a request to another host fails the test."""
    faults: list[str] = []
    opened: list[BrowserContext] = []
    may_fail = request.node.get_closest_marker("network_fails") is not None

    def hear(kind: str, text: str) -> None:
        if kind == "error" and not text.startswith(PLAIN) and not (may_fail and text.startswith(NETWORK)):
            faults.append(text)

    def visit(base_url: str = server.url, **more: object) -> BrowserContext:
        context = browser.new_context(base_url=base_url, **more)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", lambda message: hear(message.type, message.text))
        context.on("weberror", lambda error: faults.append(str(error.error)))
        context.on(
            "request", lambda sent: None if sent.url.startswith((base_url, "blob:")) else faults.append(sent.url)
        )
        opened.append(context)
        return context

    yield visit
    for context in opened:
        context.close()
    assert faults == []


@pytest.fixture
def study(server: Server, request: pytest.FixtureRequest) -> Iterator[Study]:
    """A running study of this test with experiments ready."""
    with studying(server, request.node.name) as study:
        yield study


@pytest.fixture
def join(server: Server, visit: Visit) -> Join:
    """Sign somebody new in and return them before a blank tab."""

    def join(study: Study | None = None, role: Role = "rater", base_url: str = server.url, **more: object) -> Rater:
        email = f"{role}{next(numbers)}@example.org"
        context = visit(base_url, **more)
        context.add_cookies([{"name": COOKIE, "value": server.session_of(email, role), "url": base_url}])
        if study is not None:
            server.settle_in(email, study.id)
        return Rater(context.new_page(), email, study.id if study else "")

    return join


@pytest.fixture
def rater(study: Study, join: Join) -> Rater:
    """A rater with a photo of the study on the screen."""
    one = join(study)
    one.open()
    return one
