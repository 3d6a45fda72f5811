"""Pages of a project that has lived for years: none is large, and what one leaves out another one shows."""

import re
from collections.abc import Iterator
from html import unescape

import pytest

from tests.grounds import Grounds, lived, routes
from tests.grown import Many
from tests.http.test_matrix import bodies

MOST_BYTES = 200_000
ENDLESS = "/api/train/events"
MANY = Many(110, 110, 110, 130, 110, 110, 20, 10, 5, 110, 10, 100)


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    """A site with 5,000 ratings, and hundreds of all that goes with them."""
    with lived(tmp_path_factory.mktemp("years"), 5000, Many()) as grounds:
        yield grounds


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    """A site with few ratings, and more than a page of all that goes with them."""
    with lived(tmp_path_factory.mktemp("months"), 300, MANY) as grounds:
        yield grounds


@pytest.mark.parametrize("name", ["admin", "rater"])
def test_no_page_is_large(years: Grounds, name: str) -> None:
    person, asked, sizes = years.person(name), bodies(years.ids), {}
    for route in routes(years.site.app):
        if route.method == "GET" and route.path != ENDLESS and person.may(route.demand):
            answer = years.send(person, "GET", years.path(route), **asked.get(route.name, {}))
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert answer.status_code == 200, route.name
                sizes[route.name] = len(answer.content)
    assert len(sizes) > (20 if name == "admin" else 4)
    assert {page: size for page, size in sizes.items() if size > MOST_BYTES} == {}


# Where a long list is, by the name in which its rows are asked for, and what names each row once or more.
LISTS = {
    "members": ("/admin/people", r"/admin/people/([^/]+)/erase"),
    "links": ("/admin/people", r"/admin/people/links/([^/]+)/void"),
    "keys": ("/admin/keys", r'code-id">([^<]+)<'),
    "sessions": ("/account", r"/account/sessions/([^/]+)/end\""),
    "studies": ("/admin/studies", r'<h2><a href="/admin/studies/([^"]+)"'),
    "prompts": ("/admin/prompts", r'<h2><a href="/admin/prompts/([^"]+)"'),
    "versions": ("/admin/prompts/{key}", r'<h3><a href="/admin/prompts/{key}/versions/([^"]+)"'),
    "moves": ("/admin/prompts/{key}", r'<li><time datetime="([^"]+)"[^<]+</time> <span><strong>'),
    "children": ("/admin/prompts/{key}/versions/v1.0.0", r'href="/admin/prompts/{key}/versions/([^"/]+)">'),
    "tests": ("/admin/abtests", r'<a href="/admin/abtests/([^"]+)"><strong>'),
    "raters": ("/admin/raters", r'<th scope="row"><a href="/admin/studies/{study_id}/raters/([^"]+)"'),
    "option-1": ("/history/{experiment_id}", r'class="muted">(person-\d+@example.org)<(?=.*id="option-2")'),
}
CALLED = {"moves": "changes", "children": "versions that it led to", "option-1": "ratings"}


@pytest.mark.parametrize("name", LISTS)
def test_every_row_of_a_long_list_is_on_some_page(months: Grounds, name: str) -> None:
    address, pattern = (text.replace("{key}", months.ids["key"]) for text in LISTS[name])
    admin, address = months.person("admin"), address.format_map(months.ids)
    found: list[str] = []
    total, after = 0, address
    while after:
        page = months.send(admin, "GET", after).text
        found += dict.fromkeys(re.findall(pattern.replace("{study_id}", months.ids["study_id"]), page, re.DOTALL))
        told = re.search(rf" {len(found):,} of ([0-9,]+) {CALLED.get(name, name)}<", page)
        assert told is not None, f"the page does not say that it ends with row {len(found)}"
        total, after = int(told[1].replace(",", "")), _next(page, name)
    assert len(found) == len(set(found)) == total > 60


def _next(page: str, name: str) -> str:
    link = re.search(rf'href="([^"]*[?;]{name}=\d+)#[^"]*" rel="next"', page)
    return unescape(link[1]) if link else ""


def test_a_list_is_asked_for_from_a_row_on_and_a_place_that_is_none_is_said_so(months: Grounds) -> None:
    admin = months.person("admin")
    told = months.send(admin, "GET", "/admin/keys?keys=all", headers={"Accept": "text/html"})
    assert (told.status_code, "keys must be a number of rows" in told.text) == (422, True)
    assert "Back in keys" in months.send(admin, "GET", "/admin/keys?keys=9999").text


def test_somebody_among_many_is_found_by_their_address(months: Grounds) -> None:
    page = months.send(months.person("admin"), "GET", "/admin/people?named=PERSON-99%40").text
    assert re.findall(r"person-\d+@example.org", page)[0] == "person-99@example.org"
    assert "person-98@example.org" not in page


def test_the_history_of_somebody_among_many_is_asked_for_by_their_address(months: Grounds) -> None:
    admin = months.person("admin")
    rows = months.send(admin, "GET", "/api/train/history?rater=Person-7@example.org&limit=500").json()["rows"]
    assert {row["rater"] for row in rows} == {"person-7@example.org"}
    page = months.send(admin, "GET", f"/history?rater={rows[0]['rater_id']}").text
    assert 'name="rater" type="search"' in page
    assert 'value="person-7@example.org"' in page


def test_what_a_field_does_not_offer_and_a_table_does_not_hold_is_said(months: Grounds) -> None:
    admin = months.person("admin")
    assert "The first 100 of 13" in months.send(admin, "GET", f"/admin/prompts/{months.ids['key']}").text
    assert "The first 60 of 110 rows." in months.send(admin, "GET", "/status").text
