"""What every answer carries, whatever it answers, and what no template holds."""

import re
from itertools import product
from pathlib import Path

import httpx
import pytest

from tests.grounds import Grounds, routes
from tests.site import Site, serving
from web.app import PAGES
from web.http.edge.edge import HEADERS, OVER_HTTPS

PAGE = {"Accept": "text/html,application/xhtml+xml"}
ENDLESS = "/api/train/events"
OWN = {  # what some routes say for themselves instead
    "cache-control": re.compile(r"private, max-age=\d+(, immutable)?|private, no-cache|no-cache"),
    "content-security-policy": re.compile("default-src 'none'; sandbox"),
}
sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@sqlite
@pytest.mark.parametrize("name", ["nobody", "rater", "admin"])
def test_every_answer_of_every_route_carries_safe_headers(grounds: Grounds, name: str) -> None:
    wrong, person = [], grounds.person(name)
    for accept, route in product(({}, PAGE), routes(grounds.site.app)):
        if route.path != ENDLESS:
            person = grounds.person(name) if person.may(route.demand) else person
            answer = grounds.send(person, route.method, grounds.path(route), headers=accept)
            for header, wanted in ((left.decode(), right.decode()) for left, right in HEADERS):
                given = answer.headers.get(header, "")
                own = OWN.get(header)
                if given != wanted and not (own and own.fullmatch(given)):
                    wrong.append((route.name, answer.status_code, header, given))
    assert wrong == []


@sqlite
def test_images_are_nothing_but_images(grounds: Grounds) -> None:
    ids = grounds.ids
    rater, admin = grounds.person("rater"), grounds.person("admin")
    for person, path in (
        (rater, f"/i/{ids['token']}"),
        (admin, f"/media/input/{ids['input_id']}"),
        (admin, f"/media/output/{ids['output_id']}"),
        (admin, f"/media/output/{ids['output_id']}?w=32"),
    ):
        answer = grounds.send(person, "GET", path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"].startswith("private")


@sqlite
def test_an_image_that_has_not_changed_keeps_its_headers(grounds: Grounds) -> None:
    admin, ids = grounds.person("admin"), grounds.ids
    kept = ("etag", "cache-control", "content-security-policy", "x-content-type-options")
    preview = f"/admin/prompts/{ids['key']}/versions/{ids['name']}/preview/{ids['input_id']}"
    for path in (f"/media/input/{ids['input_id']}", f"/media/output/{ids['output_id']}", preview):
        whole = grounds.send(admin, "GET", path)
        for given in (whole.headers["etag"], f'"other", W/{whole.headers["etag"]}', "*"):
            again = grounds.send(admin, "GET", path, headers={"If-None-Match": given})
            assert (whole.status_code, again.status_code, again.content) == (200, 304, b""), path
            assert [again.headers[name] for name in kept] == [whole.headers[name] for name in kept], path


@sqlite
def test_only_https_is_made_to_last(site: Site) -> None:
    name, value = (part.decode() for part in OVER_HTTPS[0])
    assert site.visitor(https=True).get("/sign-in").headers[name] == value
    assert name not in site.visitor().get("/sign-in").headers


@sqlite
def test_the_policy_lets_no_inline_code_run(site: Site) -> None:
    policy = site.visitor().get("/sign-in").headers["content-security-policy"]
    assert not re.search(r"unsafe|\*|https?:", policy)
    assert {"default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(
        policy.split("; ")
    )


TEMPLATES = sorted((PAGES / "templates").rglob("*.html"))
INLINE = {
    "a style element": r"<style\b",
    "a style attribute": r"<[^>]*\sstyle\s*=",
    "an event handler": r"<[^>]*\son[a-z]+\s*=",
    "a script without a source": r"<script\b(?![^>]*\ssrc\s*=)",
    "a script address": r"javascript:",
    "htmx code": r"hx-on|hx-vals\s*=\s*[\"']js:",
}


def test_there_are_templates() -> None:
    assert len(TEMPLATES) > 10


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_inline_code(template: Path) -> None:
    source = template.read_text()
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", source, flags=re.DOTALL)
    assert [what for what, pattern in INLINE.items() if re.search(pattern, text, re.IGNORECASE)] == []
    assert not re.search(r"\|\s*safe\b|autoescape\s+false", source)


@sqlite
def test_a_refusal_says_how_to_ask_rightly(site: Site) -> None:
    assert site.visitor().post("/health/live").headers["allow"] == "GET"
    assert site.visitor().get("/api/v1/users").headers["www-authenticate"] == "Bearer"


@sqlite
@pytest.mark.parametrize(("proxy", "trusted"), [("127.0.0.1", True), ("127.0.0.2", False)])
def test_a_proxy_on_this_machine_says_that_it_is_https_and_no_other_does(site: Site, proxy: str, trusted: bool) -> None:
    secret, said = site.link("rater", "rita@example.org"), {"X-Forwarded-Proto": "https", "Host": "palate.test"}
    transport = httpx.HTTPTransport(local_address=proxy)
    with serving(site) as port, httpx.Client(transport=transport, base_url=f"http://127.0.0.1:{port}") as client:
        answer = client.post(f"/link/{secret}", headers=said)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-palate=" if trusted else "palate=")
    assert ("Secure" in cookie) == ("strict-transport-security" in answer.headers) == trusted
