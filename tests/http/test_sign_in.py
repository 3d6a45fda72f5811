import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.hashes import CountedHashes
from tests.site import Site
from web.services.accounts.throttle import LINK

PAGE = {"Accept": "text/html"}
ADMINS = ("people", "keys", "studies", "jobs", "prompts", "audit")
GOOD, BETTER = "zufriedener Hund am See", "kupfer Fagott, 12 Regale"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def with_password(site: Site, email: str = "rita@example.org", password: str = GOOD) -> TestClient:
    client = site.visitor()
    body = {"secret": site.link("rater", email), "new_password": password}
    assert client.post("/api/v1/session", json=body).status_code == 204
    client.headers["X-CSRF-Token"] = client.get("/api/v1/session").json()["csrf_token"]
    return client


def by_page(site: Site, email: str, password: str, **more: str) -> Response:
    return site.visitor().post("/sign-in", data={"email": email, "password": password, **more}, headers=PAGE)


def by_api(site: Site, email: str, password: str) -> Response:
    return site.visitor().post("/api/v1/session", json={"email": email, "password": password})


def test_a_password_signs_in_by_the_page_and_leads_to_where_one_wanted(site: Site) -> None:
    with_password(site)
    visitor = site.visitor()
    form = {"email": "Rita@example.org", "password": GOOD, "next": "/history?a=1"}
    answer = visitor.post("/sign-in", data=form, headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/history?a=1")
    assert visitor.get("/api/v1/session").json()["email"] == "rita@example.org"
    assert by_page(site, "rita@example.org", GOOD, next="//evil.example").headers["location"] == "/train"
    assert by_page(site, "rita@example.org", GOOD, next="/\t/evil.example").headers["location"] == "/train"


def test_a_password_signs_in_by_the_rest_interface(site: Site) -> None:
    with_password(site)
    answer = by_api(site, "rita@example.org", GOOD)
    assert answer.status_code == 204
    assert answer.headers["set-cookie"].startswith("palate=")


def test_signing_in_anew_takes_a_new_session_and_ends_the_one_before(site: Site) -> None:
    client = with_password(site)
    before = client.cookies["palate"]
    token = client.headers["X-CSRF-Token"]
    form = {"email": "rita@example.org", "password": GOOD, "csrf_token": token}
    assert client.post("/sign-in", data=form).status_code == 303
    assert client.cookies["palate"] != before
    old = site.visitor()
    old.cookies.set("palate", before, domain="palate.test")
    assert old.get("/api/v1/session").status_code == 401
    assert len(client.get("/api/v1/sessions").json()) == 1


def test_whatever_is_wrong_the_answers_are_equal_to_the_byte(site: Site) -> None:
    with_password(site)
    with_password(site, "gone@example.org")
    site.signed_in("rater", "bare@example.org")
    admin = site.signed_in("admin")
    gone = site.members()["gone@example.org"].user.id
    assert admin.patch(f"/api/v1/users/{gone}", json={"active": False}).status_code == 200
    tries = [
        ("nobody@example.org", GOOD),
        ("rita@example.org", BETTER),
        ("bare@example.org", GOOD),
        ("gone@example.org", GOOD),
        ("no address at all", GOOD),
    ]
    pages, answers = set(), set()
    for email, password in tries:
        page, answer = by_page(site, email, password), by_api(site, email, password)
        assert (page.status_code, answer.status_code) == (401, 401)
        assert page.headers.get("set-cookie") is answer.headers.get("set-cookie") is None
        pages.add(page.text.replace(email, ""))
        answers.add((answer.text.replace(answer.headers["x-request-id"], ""), tuple(answer.headers)))
    assert len(pages) == len(answers) == 1
    assert "The address or the password is not right." in pages.pop()


@pytest.mark.parametrize("email", ["rita@example.org", "nobody@example.org"])
def test_too_many_wrong_tries_are_told_when_to_come_back(site: Site, email: str) -> None:
    with_password(site)
    for _ in range(5):
        assert by_page(site, email, BETTER).status_code == 401
    page, answer = by_page(site, email, GOOD), by_api(site, email, GOOD)
    assert (page.status_code, answer.status_code) == (429, 429)
    assert page.headers["retry-after"] == answer.headers["retry-after"] == "900"
    assert "in 15 minutes, or ask an admin for a sign-in link" in page.text
    assert answer.json()["type"] == "/problems/throttled"
    site.world.clock.advance(minutes=15)
    assert by_api(site, email, GOOD).status_code == (204 if email.startswith("rita") else 401)


def test_the_sign_in_page_keeps_the_address_and_never_the_password(site: Site) -> None:
    answer = by_page(site, "<b>rita@example.org", "hunter2 hunter2", next="/history")
    assert 'value="&lt;b&gt;rita@example.org"' in answer.text
    assert 'name="next" value="/history"' in answer.text
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "rita@example.org"},
        {"password": GOOD},
        {"email": "rita@example.org", "password": 5},
        {"email": "rita@example.org", "password": GOOD, "secret": "x"},
        {"email": "rita@example.org", "password": "x" * 100_000},
        {"email": ["rita@example.org"], "password": GOOD},
        {"secret": {"a": GOOD}},
        [GOOD],
        GOOD,
        {"email": "rita@example.org", "password": "\ud800 half a pair"},
    ],
)
def test_a_body_of_another_form_is_refused_without_repeating_it(site: Site, body: object) -> None:
    kind = {"Content-Type": "application/json"}
    answer = site.visitor().post("/api/v1/session", content=json.dumps(body), headers=kind)
    assert answer.status_code == 422
    assert GOOD not in answer.text
    assert "xxx" not in answer.text


def test_links_that_nobody_made_are_throttled_by_network(site: Site) -> None:
    visitor, good = site.visitor(), site.link()
    for number in range(LINK.most):
        tries = (visitor.get(f"/link/guess{number}"), visitor.post("/api/v1/session", json={"secret": "guess"}))
        assert tries[number % 2].status_code in (404, 429)
    for answer in (
        visitor.get("/link/guess"),
        visitor.post("/link/guess"),
        visitor.post("/api/v1/session", json={"secret": "guess"}),
        visitor.get(f"/link/{good}"),
    ):
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    other = site.visitor()
    other._transport.client = ("198.51.100.7", 50000)  # type: ignore[attr-defined]
    assert other.get(f"/link/{good}").status_code == 200


def test_neighbours_with_one_ipv6_prefix_are_one_network(site: Site) -> None:
    def ask(host: str) -> int:
        visitor = site.visitor()
        visitor._transport.client = (host, 50000)  # type: ignore[attr-defined]
        return visitor.get("/link/guess").status_code

    assert [ask(f"2001:db8::{number:x}") for number in range(LINK.most)] == [404] * LINK.most
    assert ask("2001:db8::ffff:1") == 429
    assert ask("2001:db8:0:1::1") == 404
    assert ask("::ffff:192.0.2.1") == 404


def test_a_weak_password_on_a_link_is_refused_on_its_page_and_the_link_stays(site: Site) -> None:
    visitor, secret = site.visitor(), site.link("rater", "rita@example.org")
    answer = visitor.post(f"/link/{secret}", data={"password": "password1234"}, headers=PAGE)
    assert answer.status_code == 422
    assert "too easy to guess" in answer.text
    assert "password1234" not in answer.text
    assert visitor.post(f"/link/{secret}", data={"password": GOOD}).status_code == 303
    assert by_api(site, "rita@example.org", GOOD).status_code == 204


def test_who_waits_to_sign_in_keeps_no_rater_waiting(site: Site) -> None:
    cookie = {"Cookie": f"palate={site.signed_in().cookies['palate']}"}

    class Slow(CountedHashes):
        def verify(self, hashed: str, password: str) -> bool:
            time.sleep(0.2)
            return super().verify(hashed, password)

    here = site.app.state.context
    site.app.state.context = replace(here, parts=replace(here.parts, passwords=Slow()))

    def attempt(number: int) -> int:
        body = {"email": f"x{number}@example.org", "password": GOOD}
        return client.post("/api/v1/session", json=body).status_code

    with TestClient(site.app, "http://palate.test") as client, ThreadPoolExecutor(10) as pool:
        waiting = [pool.submit(attempt, number) for number in range(10)]
        time.sleep(0.1)
        answer = client.get("/api/v1/session", headers=cookie)
        still_waiting = [one for one in waiting if not one.done()]
        statuses = {one.result() for one in waiting}
    assert answer.status_code == 200
    assert len(still_waiting) >= 6
    assert statuses == {401}


def test_the_pages_at_the_door_are_made_for_password_managers(site: Site) -> None:
    visitor, secret = site.visitor(), site.link("rater", "rita@example.org")
    sign_in, link = visitor.get("/sign-in").text, visitor.get(f"/link/{secret}").text
    account = with_password(site, "anna@example.org").get("/account").text

    def fields(text: str) -> list[str]:
        return re.findall(r'autocomplete="([a-z-]+)"', text)

    assert fields(sign_in) == ["username", "current-password"]
    assert fields(link) == ["username", "new-password"]
    assert fields(account) == ["username", "new-password"]


def test_a_link_names_the_newcomer_and_welcomes_a_member_back(site: Site) -> None:
    visitor = site.visitor()
    assert "Join and sign in" in visitor.get(f"/link/{site.link('rater', 'rita@example.org')}").text
    with_password(site)
    assert "Welcome back" in visitor.get(f"/link/{site.link('rater', 'rita@example.org')}").text


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/19.0 Safari/605.1.15", "Safari on Mac"),
        ("curl/8.14.1", "curl"),
        ("<script>alert(1)</script>" * 100, "an unknown browser"),
        ("", "an unknown browser"),
    ],
)
def test_a_browser_is_known_by_a_rough_name(site: Site, agent: str, name: str) -> None:
    client = site.visitor()
    client.headers["User-Agent"] = agent
    assert client.post("/api/v1/session", json={"secret": site.link()}).status_code == 204
    assert [session["client"] for session in client.get("/api/v1/sessions").json()] == [name]


@pytest.mark.parametrize("way", ["password", "link"])
def test_a_session_that_was_slipped_into_a_browser_is_never_the_one_that_signs_in(site: Site, way: str) -> None:
    with_password(site)
    slipped = "x" * 43
    victim = site.visitor()
    victim.cookies.set("palate", slipped, domain="palate.test")
    token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', victim.get("/sign-in").text)
    assert token is not None
    victim.headers["X-CSRF-Token"] = token[1]
    link = site.link("rater", "rita@example.org")
    body = {"email": "rita@example.org", "password": GOOD} if way == "password" else {"secret": link}
    assert victim.post("/api/v1/session", json=body).status_code == 204
    thief = site.visitor()
    thief.cookies.set("palate", slipped, domain="palate.test")
    assert thief.get("/api/v1/session").status_code == 401


def test_strangers_are_sent_to_the_door(site: Site) -> None:
    for place in ("/train", "/status", "/history", *(f"/admin/{page}" for page in ADMINS)):
        answer = site.visitor().get(place, headers=PAGE)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={place}")
    for place in ("users", "keys", "studies"):
        assert site.visitor().get(f"/api/v1/{place}", headers=PAGE).status_code == 401
