"""Palate behind a real nginx, by a name over plain http: what people do, and what they are told where it fails."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from client.palate_client import PalateClient
from tests.far.nginx import PLAIN, RESOLVED, Proxy, documented
from tests.journeys.browser import chromium
from tests.journeys.rater import Rater
from tests.journeys.server import ROOT, Server, serving, surroundings
from tests.journeys.studies import photos, studying
from web.domain.access import Role
from web.services.accounts import accounts, keys
from web.services.accounts.keys import KeyDraft

pytestmark = pytest.mark.far
PATIENCE_MS = 60_000
GOOD = "kupferFagott12Regale"
FIRST_EVENT = """(address) => new Promise((resolve, reject) => {
  const source = new EventSource(address);
  source.addEventListener("change", (event) => { source.close(); resolve(JSON.parse(event.data).change); });
  source.addEventListener("error", () => { source.close(); reject(new Error("no events")); });
})"""

NewPage = Callable[[], Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(RESOLVED) as running:
        yield running


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Open blank tabs of people who are not signed in."""
    opened = []

    def new_page() -> Page:
        context = browser.new_context()
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        return context.new_page()

    yield new_page
    for context in opened:
        context.close()


def invited(server: Server, email: str, role: Role = "rater") -> str:
    return accounts.invite(server.parts, server.operator, role, email)


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("Address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def join(server: Server, page: Page, place: str, email: str, study_id: str, role: Role = "rater") -> Rater:
    """Come in by a link, choose a password, sign out, sign in by it, and open the rating page."""
    page.goto(f"{place}/link/{invited(server, email, role)}")
    page.get_by_label("New password (optional)").fill(GOOD)
    page.get_by_role("button", name="Join and sign in").click()
    page.wait_for_url(f"{place}/train")
    page.goto(f"{place}/status")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{place}/sign-in")
    page.goto(f"{place}/history")
    page.wait_for_url(f"{place}/sign-in?next=/history")
    sign_in(page, email, GOOD)
    page.wait_for_url(f"{place}/history")
    server.settle_in(email, study_id)
    page.goto(f"{place}/train?study={study_id}")
    return Rater(page, email, study_id)


def upload(page: Page, tmp_path: Path, name: str, more: bytes = b"") -> None:
    (tmp_path / name).write_bytes(photos()[0].body + more)
    page.locator("input#files").set_input_files(tmp_path / name)


def works(server: Server, page: Page, place: str, tmp_path: Path) -> None:
    """Do what people do: come in, rate, upload, and be told of changes."""
    with studying(server, "Through nginx") as study:
        rater = join(server, page, place, "rita@example.org", study.id)
        rater.rate(1, 5, 3)
        rater.settled()
        assert [rating.score for rating in server.ratings(study.id)] == [1, 5, 3]
        upload(page, tmp_path, "mine.jpg")
        mine = page.locator("li.upload").filter(has_text="mine.jpg")
        expect(mine).to_have_attribute("data-state", "ready", timeout=PATIENCE_MS)
        shown = "images => images.every(image => image.complete && image.naturalWidth > 0)"
        page.wait_for_function(f"() => ({shown})([...document.querySelectorAll('li.upload figure img')])")
        assert re.search(r"\d", str(page.evaluate(FIRST_EVENT, f"{place}/api/train/events?study={study.id}")))


def test_by_the_documented_configuration_people_come_in_rate_upload_and_hear_of_changes(
    new_page: NewPage, tmp_path: Path
) -> None:
    proxy = Proxy(tmp_path / "nginx", documented()[0])
    with serving(tmp_path) as server, proxy.before(server.port):
        works(server, new_page(), proxy.url, tmp_path)


def test_behind_a_plain_proxy_pass_sign_in_says_what_to_set_and_that_is_enough(
    new_page: NewPage, tmp_path: Path
) -> None:
    proxy, page = Proxy(tmp_path / "nginx", PLAIN), new_page()
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with serving(tmp_path / "one") as server, proxy.before(server.port):
        page.goto(f"{proxy.url}/sign-in")
        sign_in(page, "admin@localhost", GOOD)
        expect(page.get_by_role("heading", name="This request comes from a page of another site")).to_be_visible()
        expect(page.locator("main")).to_contain_text(f"set PUBLIC_URL={proxy.url}")
        expect(page.locator("main")).to_contain_text(f"reached as 127.0.0.1:{server.port}")
    proxy.folder = tmp_path / "again"
    with serving(tmp_path / "two", proxy.url) as server, proxy.before(server.port):
        works(server, page, proxy.url, tmp_path)


def test_what_the_proxy_refuses_or_does_not_reach_is_told_as_that_and_no_rating_is_lost(
    new_page: NewPage, tmp_path: Path
) -> None:
    small = documented()[0].replace("client_max_body_size 34m", "client_max_body_size 8k")
    proxy, page = Proxy(tmp_path / "nginx", small), new_page()
    with serving(tmp_path) as server, proxy.before(server.port), studying(server, "Through nginx") as study:
        rater = join(server, page, proxy.url, "ada@example.org", study.id, "admin")
        rater.await_photo()
        upload(page, tmp_path, "big.jpg", bytes(5_000_000))  # much of it is on its way when it is refused
        told = page.locator("li.upload").filter(has_text="big.jpg").get_by_role("alert")
        expect(told).to_contain_text("The proxy in front of Palate takes no files that big")
        expect(told).to_contain_text("client_max_body_size")
        other = page.context.new_page()
        other.goto(f"{proxy.url}/admin/studies/{study.id}/photos")
        other.locator("input[data-files]").set_input_files(tmp_path / "big.jpg")
        expect(other.locator("[data-rows]")).to_contain_text("takes no files that big")
        server.kill()
        rater.rate(4)
        page.wait_for_selector("main.train[data-sync=waiting][data-pending='1']")
        page.locator("li.upload").get_by_role("button", name="Try again").click()
        (tmp_path / "tiny.jpg").write_bytes(photos()[0].body[:2000])
        page.locator("input#files").set_input_files(tmp_path / "tiny.jpg")
        expect(page.locator("li.upload").filter(has_text="tiny.jpg").get_by_role("alert")).to_contain_text("(502)")
        server.start()
        rater.settled()
        assert [rating.score for rating in server.ratings(study.id)] == [4]


def test_below_a_path_all_of_it_works(new_page: NewPage, tmp_path: Path) -> None:
    proxy = Proxy(tmp_path / "nginx", documented()[1])
    place = f"{proxy.url}/palate"
    outside: list[str] = []
    page = new_page()
    page.context.on("request", lambda sent: None if is_below(sent.url, place) else outside.append(sent.url))
    with serving(tmp_path, place) as server, proxy.before(server.port):
        works(server, page, place, tmp_path)
        assert outside == []
        assert {(cookie["path"], cookie["name"]) for cookie in page.context.cookies()} == {("/palate", "palate")}
        on_this_machine(server, new_page(), f"http://localhost:{proxy.port}/palate")
        programs(server, f"http://127.0.0.1:{proxy.port}/palate")
        log = server.log.read_text()
        assert f"Sign in as the first admin, once, with {place}/link/" in log


def is_below(address: str, place: str) -> bool:
    return address.startswith((f"{place}/", "blob:"))


def on_this_machine(server: Server, page: Page, place: str) -> None:
    """Where the connection is trusted, the service worker keeps the page below the path."""
    with studying(server, "Kept") as study:
        rater = join(server, page, place, "karl@example.org", study.id)
        rater.await_photo()
        keys_of = "async () => (await (await caches.open('palate-shell /palate/')).keys()).map((one) => one.url)"
        page.wait_for_function(f"async () => (await ({keys_of})()).includes('{place}/train')")  # which is kept last
        assert all(is_below(address, place) for address in page.evaluate(keys_of))
        page.context.set_offline(True)
        page.reload()
        rater.rate(2)
        page.context.set_offline(False)
        rater.settled()
        assert [rating.score for rating in server.ratings(study.id)] == [2]


def programs(server: Server, place: str) -> None:
    """The client and the simulated raters take the same address."""
    _, secret = keys.make_key(server.parts, server.operator, KeyDraft("far", ("prompts:read", "feedback:write")))
    client = PalateClient(place, secret)
    assert client.version.name == "v1.0.0"
    with studying(server, "Simulated") as study:
        call = [sys.executable, "-m", "web", "simulate", place, "--raters", "1", "--ratings", "2", "--study", study.id]
        around = {**os.environ, **surroundings(server.settings)}
        done = subprocess.run(call, cwd=ROOT, env=around, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
