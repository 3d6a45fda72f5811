import re

import pytest
from fastapi.testclient import TestClient

from tests.site import Site

PAGE = {"Accept": "text/html,application/xhtml+xml"}


def shown_link(text: str) -> str:
    found = re.search(r'value="http://palate\.test(/link/[^"]+)"', text)
    assert found is not None
    return found[1]


def test_an_admin_invites_and_a_rater_comes_in_by_the_pages(site: Site) -> None:
    admin, rater = site.signed_in("admin"), site.visitor()
    made = admin.post("/admin/people/invite", data={"role": "rater", "email": "Rita@example.org"})
    link = shown_link(made.text)
    assert "Rate in Palate" in rater.get(link).text
    joined = rater.post(link)
    assert (joined.status_code, joined.headers["location"]) == (303, "/train")
    assert rater.get("/api/v1/session").json()["email"] == "rita@example.org"
    assert "rita@example.org" in admin.get("/admin/people").text


def test_looking_at_a_link_does_not_use_it_up(site: Site) -> None:
    secret, visitor = site.link(), site.visitor()
    for _ in range(3):
        assert visitor.get(f"/link/{secret}", headers=PAGE).status_code == 200
    assert visitor.post(f"/link/{secret}").status_code == 303
    assert visitor.get(f"/link/{secret}", headers=PAGE).status_code == 410


def test_a_link_lets_in_the_one_it_is_for_and_nobody_else(site: Site) -> None:
    visitor, secret = site.visitor(), site.link("rater", "rita@example.org")
    visitor.post(f"/link/{secret}", data={"email": "mallory@example.org"})
    assert visitor.get("/api/v1/session").json()["email"] == "rita@example.org"


def test_no_link_is_made_without_an_address(site: Site) -> None:
    admin = site.signed_in("admin")
    assert admin.post("/admin/people/invite", data={"role": "rater"}).status_code == 422
    assert admin.post("/api/v1/users/invites", json={"role": "rater"}).status_code == 422


def test_an_unknown_link_says_so_on_a_page(site: Site) -> None:
    answer = site.visitor().get("/link/guess", headers=PAGE)
    assert answer.status_code == 404
    assert "This link is not known here" in answer.text


def test_signing_out_ends_the_session_and_takes_the_cookie(site: Site) -> None:
    client = site.signed_in()
    secret = client.cookies["palate"]
    answer = client.post("/sign-out", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "palate" not in client.cookies
    client.cookies.set("palate", secret, domain="palate.test")
    assert client.get("/api/v1/session").status_code == 401


def test_an_admin_deactivates_reactivates_and_renews_by_the_page(site: Site) -> None:
    admin, rater = site.signed_in("admin"), site.signed_in("rater", "rita@example.org")
    user = site.members()["rita@example.org"].user.id
    assert admin.post(f"/admin/people/{user}/deactivate").status_code == 303
    assert rater.get("/api/v1/session").status_code == 401
    assert "deactivated" in admin.get("/admin/people").text
    assert admin.post(f"/admin/people/{user}/link").status_code == 409
    assert admin.post(f"/admin/people/{user}/reactivate").status_code == 303
    link = shown_link(admin.post(f"/admin/people/{user}/link", data={"email": "rita@example.org"}).text)
    assert rater.post(link).status_code == 303
    assert rater.get("/api/v1/session").json()["user_id"] == user


def test_the_rest_interface_does_what_the_page_does(site: Site) -> None:
    admin = site.signed_in("admin", "boss@example.org")
    link = admin.post("/api/v1/users/invites", json={"role": "rater", "email": "rita@example.org"}).json()["link"]
    rater = site.visitor()
    assert rater.post(link.removeprefix("http://palate.test")).status_code == 303
    users = {user["email"]: user for user in admin.get("/api/v1/users").json()}
    rita = users["rita@example.org"]
    assert (rita["role"], rita["active"]) == ("rater", True)
    changed = admin.patch(f"/api/v1/users/{rita['id']}", json={"role": "admin", "active": False}).json()
    assert (changed["role"], changed["active"]) == ("admin", False)
    assert admin.post(f"/api/v1/users/{rita['id']}/links").status_code == 409
    assert admin.patch("/api/v1/users/nobody", json={"role": "admin"}).status_code == 404


def test_signing_out_by_the_rest_interface(site: Site) -> None:
    client = site.signed_in()
    assert client.delete("/api/v1/session").status_code == 204
    assert client.get("/api/v1/session").status_code == 401


ADMIN_ONLY = [
    ("GET", "/admin/people"),
    ("POST", "/admin/people/invite"),
    ("POST", "/admin/people/x/link"),
    ("POST", "/admin/people/x/sign-out"),
    ("POST", "/admin/people/x/role"),
    ("POST", "/admin/people/x/deactivate"),
    ("POST", "/admin/people/x/reactivate"),
    ("GET", "/api/v1/users"),
    ("POST", "/api/v1/users/invites"),
    ("POST", "/api/v1/users/x/links"),
    ("DELETE", "/api/v1/users/x/sessions"),
    ("PATCH", "/api/v1/users/x"),
]


def ask(client: TestClient, method: str, path: str, **headers: str) -> int:
    body = {"json": {}} if path.startswith("/api") else {"data": {"role": "admin", "email": "a@b.org"}}
    return client.request(method, path, headers=headers, **(body if method != "GET" else {})).status_code  # type: ignore[arg-type]


def test_routes_of_people_are_for_admins(site: Site) -> None:
    rater, visitor = site.signed_in(), site.visitor()
    assert [ask(rater, *route) for route in ADMIN_ONLY] == [403] * len(ADMIN_ONLY)
    assert [ask(visitor, *route) for route in ADMIN_ONLY] == [401] * len(ADMIN_ONLY)


def test_people_without_a_session_are_led_to_sign_in_and_back(site: Site) -> None:
    visitor = site.visitor()
    sent = visitor.get("/admin/people?a=1&b=2", headers=PAGE)
    assert sent.status_code == 303
    assert sent.headers["location"] == "/sign-in?next=/admin/people%3Fa%3D1%26b%3D2"
    assert "Or by a link" in visitor.get(sent.headers["location"], headers=PAGE).text
    admin = site.signed_in("admin")
    assert admin.get(sent.headers["location"]).headers["location"] == "/admin/people?a=1&b=2"


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", ""])
def test_sign_in_leads_to_no_other_site(site: Site, address: str) -> None:
    answer = site.signed_in().get("/sign-in", params={"next": address})
    assert answer.headers["location"] == "/train"


def test_an_htmx_fragment_is_led_to_sign_in_as_a_whole_page(site: Site) -> None:
    answer = site.visitor().get("/admin/people", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")


def test_a_rater_sees_the_refusal_as_a_page(site: Site) -> None:
    answer = site.signed_in().get("/admin/people", headers=PAGE)
    assert answer.status_code == 403
    assert "Only an admin of the project may do this." in answer.text
    assert "Sign out" in answer.text


def test_cookies_are_out_of_reach(site: Site) -> None:
    secret = site.link()
    plain = site.visitor().post(f"/link/{secret}").headers["set-cookie"]
    assert plain.startswith("palate=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(plain.split("; "))
    assert "Secure" not in plain
    safe = site.visitor(https=True).post(f"/link/{site.link()}").headers["set-cookie"]
    assert safe.startswith("__Host-palate=")
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Secure"} <= set(safe.split("; "))
    assert "Domain" not in safe


def test_over_https_a_plain_cookie_counts_for_nothing(site: Site) -> None:
    plain = site.signed_in()
    safe = site.visitor(https=True)
    safe.cookies.set("palate", plain.cookies["palate"], domain="palate.test")
    assert safe.get("/api/v1/session").status_code == 401


def test_a_session_over_https(site: Site) -> None:
    client = site.signed_in(https=True)
    assert client.get("/api/v1/session").status_code == 200
    assert client.delete("/api/v1/session").status_code == 204
    assert client.get("/api/v1/session").status_code == 401


def test_a_link_that_went_astray_is_made_void_by_the_page(site: Site) -> None:
    admin = site.signed_in("admin", "boss@example.org")
    link = shown_link(admin.post("/admin/people/invite", data={"role": "rater", "email": "rita@example.org"}).text)
    page = admin.get("/admin/people").text
    assert "Void the link for rita@example.org until 2026-03-08" in page
    assert "boss@example.org" in page
    assert link.rpartition("/")[2] not in page
    found = re.search(r"/admin/people/links/[^/]+/void", page)
    assert found is not None
    for _ in range(2):
        assert admin.post(found[0]).status_code == 303
    assert site.visitor().post(link, headers=PAGE).status_code == 410
    assert "This link was used already" in site.visitor().get(link, headers=PAGE).text
    assert "Open links" not in admin.get("/admin/people").text


def test_open_links_by_the_rest_interface(site: Site) -> None:
    admin, used = site.signed_in("admin"), site.link("rater", "used@example.org")
    first, second = site.link("admin", "anna@example.org"), site.link("rater", "rita@example.org")
    assert site.visitor().post(f"/link/{used}").status_code == 303
    listed = admin.get("/api/v1/users/links").json()
    assert [(one["email"], one["role"]) for one in listed] == [
        ("rita@example.org", "rater"),
        ("anna@example.org", "admin"),
    ]
    assert not any(secret in str(listed) for secret in (first, second))
    for _ in range(2):
        assert admin.delete(f"/api/v1/users/links/{listed[1]['id']}").status_code == 204
    assert site.visitor().post(f"/link/{first}", headers=PAGE).status_code == 410
    assert admin.delete("/api/v1/users/links/nothing").status_code == 404
    site.world.clock.advance(days=7)
    assert admin.get("/api/v1/users/links").json() == []
