"""Where Palate is reached: through a proxy, by a name of its own, below a path of another site."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ml_service.errors import InvalidRequest
from tests.grounds import Grounds, routes
from tests.site import KEY, Site
from tests.visitors import machine
from web.app import create_app
from web.http.answers.images import ImageUrls
from web.settings import Settings

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
NAME = "palate.test"
HERE = {"Host": "127.0.0.1:8000"}  # what a plain proxy_pass says
THIS_MACHINE, ELSEWHERE = "127.0.0.1", "203.0.113.9"
PAGE = {"Accept": "text/html"}
ADDRESS = re.compile(r'[a-z-]+=["\'](/[^"\']*)')

Reached = Callable[..., Site]


@pytest.fixture
def reached(site: Site) -> Reached:
    """Set where the site is reached."""

    def reached(**given: Any) -> Site:
        known = {"data_dir": site.settings.data_dir, **given}
        return Site(site.world, Settings(_env_file=None, **known))

    return reached


def through(site: Site, proxy: str = THIS_MACHINE, *, https: bool = False, **headers: str) -> TestClient:
    """A browser behind a proxy, which reaches the site at an address of this machine."""
    said = {**HERE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    base = f"http{'s' if https else ''}://{NAME}"
    return TestClient(site.app, base, headers=said, client=(proxy, 50_000), follow_redirects=False)


def come_in(client: TestClient, site: Site, origin: str) -> Any:
    return client.post("/api/v1/session", json={"secret": site.link()}, headers={"Origin": origin})


def test_a_proxy_that_is_believed_says_which_host_a_page_is_of(site: Site) -> None:
    told = through(site, X_Forwarded_Host=NAME)
    assert come_in(told, site, f"http://{NAME}").status_code == 204
    assert come_in(told, site, "http://evil.example").status_code == 403
    assert come_in(through(site, X_Forwarded_Host=f"evil.example, {NAME}"), site, f"http://{NAME}").status_code == 204
    assert come_in(through(site, X_Forwarded_Host="evil/example"), site, f"http://{NAME}").status_code == 403
    assert come_in(through(site, ELSEWHERE, X_Forwarded_Host=NAME), site, f"http://{NAME}").status_code == 403


def test_a_proxy_elsewhere_is_believed_where_it_is_named(reached: Reached) -> None:
    site = reached(forwarded_allow_ips="203.0.113.0/24")
    assert come_in(through(site, ELSEWHERE, X_Forwarded_Host=NAME), site, f"http://{NAME}").status_code == 204
    assert come_in(through(site, THIS_MACHINE, X_Forwarded_Host=NAME), site, f"http://{NAME}").status_code == 403
    over = through(site, ELSEWHERE, X_Forwarded_Host=NAME, X_Forwarded_Proto="https")
    assert "__Host-palate" in come_in(over, site, f"https://{NAME}").headers["set-cookie"]


def test_the_usual_port_may_be_told_or_not(site: Site) -> None:
    assert come_in(through(site, Host=f"{NAME}:443"), site, f"https://{NAME}").status_code == 204
    assert come_in(through(site, Host=f"{NAME.upper()}:80"), site, f"http://{NAME}").status_code == 204
    assert come_in(through(site, Host=NAME), site, f"http://{NAME}:8080").status_code == 403


def test_who_is_refused_is_told_which_host_and_origin_were_seen_and_what_to_set(site: Site) -> None:
    refused = come_in(through(site), site, f"http://{NAME}").json()
    assert refused["type"] == "/problems/foreign-origin"
    assert refused["title"] == "This request comes from a page of another site."
    for word in ("127.0.0.1:8000", f"http://{NAME}", f"PUBLIC_URL=http://{NAME}", "X-Forwarded-Host"):
        assert word in refused["detail"]
    unheard = come_in(through(site, ELSEWHERE, X_Forwarded_Host=NAME), site, f"http://{NAME}").json()
    assert f"FORWARDED_ALLOW_IPS={ELSEWHERE}" in unheard["detail"]
    form = {"email": "a@b.org", "password": "wrong"}
    page = through(site).post("/sign-in", data=form, headers={"Origin": f"http://{NAME}", **PAGE})
    assert (page.status_code, "This request comes from a page of another site" in page.text) == (403, True)
    sure = through(site).post("/sign-in", data=form, headers={"Sec-Fetch-Site": "cross-site", "Origin": "null"})
    assert "PUBLIC_URL" not in sure.json()["detail"]


def test_behind_a_plain_proxy_the_public_address_is_enough(reached: Reached) -> None:
    site = reached(public_url=f"http://{NAME}")
    assert come_in(through(site), site, f"http://{NAME}").status_code == 204
    assert come_in(through(site), site, f"https://{NAME}").status_code == 403
    assert come_in(through(site), site, "http://evil.example").status_code == 403


def test_links_and_lines_to_copy_name_the_public_address(reached: Reached) -> None:
    site = reached(public_url="https://palate.example", allowed_hosts="*")
    admin = site.signed_in("admin")
    made = admin.post("/api/v1/users/invites", json={"email": "r@example.org"}, headers={"Host": "evil.example"})
    assert made.json()["link"].startswith("https://palate.example/link/")
    page = admin.post("/admin/people/invite", data={"email": "s@example.org", "role": "rater"}).text
    assert "https://palate.example/link/" in page
    key = admin.post("/admin/keys", data={"name": "k", "scopes": "prompts:read", "environment": "production"}).text
    assert "https://palate.example/prompts/current.json" in key
    assert admin.get("/api/v1/openapi.json").json()["servers"] == [{"url": "https://palate.example"}]


def test_a_host_that_is_not_ours_is_refused_in_words(reached: Reached) -> None:
    site = reached(public_url=f"http://{NAME}", allowed_hosts="palate.internal,*.example.org")
    for host in (NAME, f"{NAME}:80", "localhost:8000", "127.0.0.1", "[::1]:8000", "palate.internal", "a.example.org"):
        assert through(site, Host=host).get("/sign-in").status_code == 200, host
    for host in ("evil.example", "example.org", f"{NAME}.evil.example", ""):
        refused = through(site, Host=host).get("/sign-in")
        assert (refused.status_code, refused.json()["type"]) == (421, "/problems/unknown-host"), host
        assert "ALLOWED_HOSTS" in refused.json()["detail"]
    shown = through(site, Host="evil.example").get("/sign-in", headers=PAGE)
    assert "Palate does not answer to this host" in shown.text
    assert through(site, Host="evil.example").get("/metrics").status_code == 421


def test_without_a_public_address_any_host_is_let_in(site: Site) -> None:
    assert through(site, Host="anything.example").get("/sign-in").status_code == 200


BELOW = "/palate"


@pytest.fixture
def below(grounds: Grounds) -> Grounds:
    """The grounds below a path, behind a proxy that passes whole addresses on."""
    folder = grounds.site.settings.data_dir
    grounds.site.settings = Settings(_env_file=None, public_url=f"http://{NAME}{BELOW}", data_dir=folder)
    grounds.site.app = create_app(grounds.world.parts, grounds.site.settings, KEY)
    grounds.client = TestClient(
        grounds.site.app, f"http://{NAME}", raise_server_exceptions=False, follow_redirects=False
    )
    return grounds


def test_below_a_path_every_address_that_an_answer_holds_is_below_it(below: Grounds) -> None:
    outside: list[tuple[str, str]] = []
    pages = 0
    for name in ("nobody", "rater", "admin"):
        person = below.person(name)
        for route in routes(below.site.app):
            if route.method != "GET" or route.path in ("/api/train/events",) or not person.may(route.demand):
                continue
            answer = below.send(person, "GET", BELOW + below.path(route), headers=PAGE)
            found = [value for name, value in answer.headers.items() if name in ("location", "hx-redirect")]
            if "html" in answer.headers.get("content-type", ""):
                pages += answer.status_code == 200
                found += ADDRESS.findall(answer.text)
            elif "json" in answer.headers.get("content-type", "") and "openapi" not in route.path:
                found += re.findall(r'"(/(?!problems/)[^"]*)"', answer.text)
            outside += [(route.name, one) for one in found if one.startswith("/") and not one.startswith(f"{BELOW}/")]
    assert pages > 30
    assert outside == []


def test_below_a_path_a_change_leads_back_below_it(below: Grounds) -> None:
    admin = below.person("admin")
    kept = below.send(admin, "POST", f"{BELOW}/account/time-zone", data={"zone": "Europe/Berlin"})
    assert (kept.status_code, kept.headers["location"]) == (303, f"{BELOW}/account?said=zone")
    lost = below.send(below.person("nobody"), "GET", f"{BELOW}/status?study=1", headers=PAGE)
    assert lost.headers["location"] == f"{BELOW}/sign-in?next=/status%3Fstudy%3D1"
    wanted = below.send(below.person("admin"), "GET", f"{BELOW}/sign-in?next=/history", headers=PAGE)
    assert wanted.headers["location"] == f"{BELOW}/history"
    assert below.send(below.person("nobody"), "GET", BELOW).headers["location"] == f"{BELOW}/train"
    htmx = below.send(below.person("nobody"), "GET", f"{BELOW}/status", headers={"HX-Request": "true"})
    assert htmx.headers["hx-redirect"] == f"{BELOW}/sign-in"


def test_below_a_path_a_proxy_may_take_the_path_off(below: Grounds) -> None:
    for place in ("/sign-in", f"{BELOW}/sign-in"):
        shown = below.send(below.person("nobody"), "GET", place, headers=PAGE)
        assert f'action="{BELOW}/sign-in"' in shown.text
    assert below.send(below.person("nobody"), "GET", "/palatexyz").status_code == 404
    assert below.send(below.person("nobody"), "GET", f"{BELOW}{BELOW}/sign-in").status_code == 404


def test_below_a_path_images_and_files_are_found(below: Grounds) -> None:
    rater, ids = below.person("rater"), below.ids
    urls = ImageUrls(KEY, BELOW)
    address = urls.url(*ImageUrls(KEY).read(ids["token"]))
    assert below.send(rater, "GET", address).headers["content-type"] == "image/jpeg"
    page = below.send(rater, "GET", f"{BELOW}/train", headers=PAGE).text
    for file in re.findall(r'"(/palate/static/[^"]+)"', page):
        answer = below.send(rater, "GET", file)
        assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True), file
    assert below.send(rater, "GET", f"{BELOW}/sw.js").status_code == 200


@pytest.mark.parametrize(("scheme", "name"), [("http", "palate"), ("https", "__Secure-palate")])
def test_below_a_path_the_cookie_is_of_that_path(reached: Reached, scheme: str, name: str) -> None:
    site = reached(public_url=f"{scheme}://{NAME}{BELOW}")
    client = site.visitor(https=scheme == "https")
    cookie = client.post(f"{BELOW}/api/v1/session", json={"secret": site.link()}).headers["set-cookie"]
    assert cookie.startswith(f"{name}=")
    assert ("Path=/palate;" in cookie, "Secure" in cookie) == (True, scheme == "https")
    assert client.get(f"{BELOW}/api/v1/session").status_code == 200
    client.headers["X-CSRF-Token"] = client.get(f"{BELOW}/api/v1/session").json()["csrf_token"]
    gone = client.delete(f"{BELOW}/api/v1/session").headers["set-cookie"]
    assert gone.startswith(f'{name}="";')
    assert "Path=/palate;" in gone


def test_a_path_that_is_a_place_of_palates_own_is_refused_at_the_start(reached: Reached) -> None:
    for path in ("train", "admin", "static", "api/v1"):
        with pytest.raises(InvalidRequest, match=f"PUBLIC_URL: its path /{path} is a place of Palate's own"):
            reached(public_url=f"http://{NAME}/{path}")


def test_a_machine_reaches_what_is_published_below_a_path(reached: Reached) -> None:
    site = reached(public_url=f"http://{NAME}{BELOW}")
    answer = machine(site, "prompts:read").get(f"{BELOW}/prompts/current.json")
    assert (answer.status_code, bool(answer.headers["etag"])) == (200, True)
    assert site.app.openapi()["servers"] == [{"url": f"http://{NAME}{BELOW}"}]


def test_numbers_are_for_this_machine_and_not_for_whom_a_proxy_names(site: Site) -> None:
    assert through(site).get("/metrics").status_code == 200
    assert through(site, X_Forwarded_Host=NAME).get("/metrics").status_code == 403
