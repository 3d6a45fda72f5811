from fastapi.testclient import TestClient

from tests.http.test_sign_in import BETTER, FIREFOX, GOOD, PAGE, by_api, with_password
from tests.site import Site
from tests.visitors import another_project
from web.domain.accounts import Membership
from web.domain.ids import new_id


def sign_in(site: Site, email: str = "rita@example.org", password: str = GOOD) -> TestClient:
    client = site.visitor()
    client.headers["User-Agent"] = FIREFOX
    assert client.post("/api/v1/session", json={"email": email, "password": password}).status_code == 204
    client.headers["X-CSRF-Token"] = client.get("/api/v1/session").json()["csrf_token"]
    return client


def alive(client: TestClient) -> bool:
    return client.get("/api/v1/session").status_code == 200


def test_the_account_page_says_who_one_is_and_where_one_is_signed_in(site: Site) -> None:
    with_password(site)
    text = sign_in(site).get("/account", headers=PAGE).text
    for words in ("rita@example.org", "You rate, and see your own numbers", "Firefox on Linux", "this one"):
        assert words in text
    assert text.count("this one") == 1
    assert site.visitor().get("/account", headers=PAGE).headers["location"] == "/sign-in?next=/account"


def test_a_password_is_changed_by_the_page(site: Site) -> None:
    other = with_password(site)
    client = sign_in(site)
    wrong = client.post("/account/password", data={"current": BETTER, "password": BETTER}, headers=PAGE)
    assert (wrong.status_code, "The current password is not right." in wrong.text) == (422, True)
    weak = client.post("/account/password", data={"current": GOOD, "password": "password1234"}, headers=PAGE)
    assert (weak.status_code, "too easy to guess" in weak.text) == (422, True)
    assert not any(word in weak.text + wrong.text for word in (GOOD, BETTER, "password1234"))
    done = client.post("/account/password", data={"current": GOOD, "password": BETTER}, headers=PAGE)
    assert (done.status_code, done.headers["location"]) == (303, "/account?said=password")
    assert "Your password is set" in client.get(done.headers["location"]).text
    assert (alive(client), alive(other)) == (True, False)
    assert by_api(site, "rita@example.org", BETTER).status_code == 204


def test_a_password_is_changed_by_the_rest_interface(site: Site) -> None:
    with_password(site)
    client = sign_in(site)
    assert client.post("/api/v1/password", json={"new": BETTER}).status_code == 422
    assert client.post("/api/v1/password", json={"new": BETTER, "current": GOOD}).status_code == 204
    for _ in range(5):
        assert client.post("/api/v1/password", json={"new": GOOD, "current": GOOD}).status_code == 422
    answer = client.post("/api/v1/password", json={"new": GOOD, "current": BETTER})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    page = client.post("/account/password", data={"password": GOOD, "current": BETTER}, headers=PAGE)
    assert (page.status_code, page.headers["retry-after"]) == (429, "900")
    assert alive(client)


def test_a_forgotten_password_is_replaced_after_a_link(site: Site) -> None:
    with_password(site)
    client = site.signed_in("rater", "rita@example.org")
    assert 'name="current"' not in client.get("/account").text
    assert client.post("/account/password", data={"password": BETTER}).status_code == 303
    assert 'name="current"' in sign_in(site, password=BETTER).get("/account").text


def test_sessions_are_ended_by_the_page(site: Site) -> None:
    first, second = with_password(site), sign_in(site)
    here = sign_in(site)
    listed = here.get("/api/v1/sessions").json()
    assert [one["current"] for one in listed] == [True, False, False]
    assert [one["via"] for one in listed] == ["password", "password", "link"]
    assert here.post(f"/account/sessions/{listed[2]['id']}/end").status_code == 303
    assert (alive(first), alive(second)) == (False, True)
    assert here.post("/account/sessions/end-others").status_code == 303
    assert (alive(second), alive(here)) == (False, True)
    left = here.post(f"/account/sessions/{listed[0]['id']}/end")
    assert left.headers["location"] == "/sign-in"
    assert "palate" not in here.cookies


def test_sessions_are_ended_by_the_rest_interface_and_never_those_of_others(site: Site) -> None:
    first, stranger = with_password(site), site.signed_in("admin")
    here = sign_in(site)
    one, other = (each["id"] for each in here.get("/api/v1/sessions").json())
    assert stranger.delete(f"/api/v1/sessions/{other}").status_code == 404
    assert stranger.post(f"/account/sessions/{other}/end").status_code == 404
    assert here.delete(f"/api/v1/sessions/{other}").status_code == 204
    assert (alive(first), alive(here)) == (False, True)
    sign_in(site)
    assert here.delete("/api/v1/sessions").status_code == 204
    assert [each["id"] for each in here.get("/api/v1/sessions").json()] == [one]


def test_an_admin_signs_somebody_out_everywhere(site: Site) -> None:
    admin, rita, again = site.signed_in("admin"), with_password(site), sign_in(site)
    user = site.members()["rita@example.org"].user.id
    assert "Sign rita@example.org out everywhere" in admin.get("/admin/people").text
    assert admin.post(f"/admin/people/{user}/sign-out").status_code == 303
    assert (alive(rita), alive(again), alive(admin)) == (False, False, True)
    back = sign_in(site)
    assert admin.delete(f"/api/v1/users/{user}/sessions").status_code == 204
    assert not alive(back)
    assert admin.delete("/api/v1/users/nobody/sessions").status_code == 404


def test_people_show_no_state_of_passwords(site: Site) -> None:
    with_password(site, "rita@example.org")
    site.signed_in("rater", "anna@example.org")
    admin = site.signed_in("admin")
    assert "assword" not in admin.get("/admin/people").text
    assert all("password" not in str(user) for user in admin.get("/api/v1/users").json())


def test_a_person_of_two_projects_goes_from_one_to_the_other(site: Site) -> None:
    with_password(site)
    client = sign_in(site)
    first = site.world.admin.project_id
    assert 'action="/account/project"' not in client.get("/account", headers=PAGE).text
    second = joined_another(site, "rita@example.org")
    assert f'<option value="{first}" selected>Palate</option>' in client.get("/account", headers=PAGE).text
    before = client.cookies["palate"]
    strangers = site.visitor()
    strangers.cookies.set("palate", before)
    assert strangers.post("/account/project", data={"project": second}, headers=PAGE).status_code == 403
    assert client.post("/account/project", data={"project": "nowhere"}, headers=PAGE).status_code == 404
    stayed = client.post("/account/project", data={"project": first}, headers=PAGE)
    assert (stayed.status_code, stayed.headers["location"]) == (303, "/account")
    assert client.cookies["palate"] == before
    done = client.post("/account/project", data={"project": second}, headers=PAGE)
    assert (done.status_code, done.headers["location"]) == (303, "/account?said=project")
    assert client.cookies["palate"] != before
    assert not alive(strangers)
    text = client.get(done.headers["location"], headers=PAGE).text
    assert f'<option value="{second}" selected>Others</option>' in text
    assert client.get("/api/v1/session").json()["role"] == "admin"


def test_who_came_by_a_link_stays_in_its_project(site: Site) -> None:
    client = site.signed_in(email="rita@example.org")
    second = joined_another(site, "rita@example.org")
    told = client.post("/account/project", data={"project": second}, headers=PAGE)
    assert (told.status_code, "good for one project" in told.text) == (409, True)
    page = site.visitor().get(f"/link/{site.link(email='rita@example.org')}", headers=PAGE).text
    assert ("Welcome back" in page, "New password" in page) == (True, False)


def test_who_can_choose_no_password_here_reads_why_and_sees_no_form(site: Site) -> None:
    client = site.signed_in(email="rita@example.org")
    assert 'action="/account/password"' in client.get("/account", headers=PAGE).text
    joined_another(site, "rita@example.org")
    page = client.get("/account", headers=PAGE).text
    assert ("You are in another project too" in page, 'action="/account/password"' in page) == (True, False)
    told = client.post("/account/password", data={"password": "a few uncommon words"}, headers=PAGE)
    assert (told.status_code, told.text.count("You are in another project too")) == (422, 1)


def joined_another(site: Site, email: str) -> str:
    """Make somebody an admin of another project too, and return its id."""
    project_id, now = another_project(site), site.world.clock.now()
    with site.world.parts.store.begin() as tx:
        user = tx.users.find(email=email)
        assert user is not None
        tx.memberships.add(Membership(new_id(), project_id, user.id, "admin", now))
    return project_id
