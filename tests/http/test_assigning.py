"""Who rates what over HTTP: set by admins, seen by raters, refused in sentences."""

import re

import pytest
from fastapi.testclient import TestClient

from tests.site import Site
from tests.world import SPACE, photo
from web.domain.ids import new_id
from web.domain.studies.assigning import Audience
from web.domain.studies.study import Study
from web.http.answers.lists import OFFERED
from web.services.studies.studies import StudyDraft, make_study, move_study

PAGE = {"Accept": "text/html"}


@pytest.fixture
def admin(site: Site) -> TestClient:
    return site.signed_in("admin")


@pytest.fixture
def second(site: Site) -> Study:
    """A study that was made while another runs."""
    return make_study(site.world.parts, site.world.admin, StudyDraft("Second", {"local": SPACE}))


def user_of(site: Site, client: TestClient) -> str:
    email = client.get("/api/v1/session").json()["email"]
    return site.members()[email].user.id


def names(client: TestClient) -> list[str]:
    return [one["name"] for one in client.get("/api/train/studies").json()["studies"]]


def test_a_new_study_is_nobodys_until_it_is_assigned_and_each_change_is_kept_once(
    site: Site, admin: TestClient, second: Study
) -> None:
    rater = site.signed_in()
    here, person = f"/api/v1/studies/{second.id}/assignments", user_of(site, rater)
    assert admin.get(here).json() == {"assigned": [], "people": 0}
    assert names(rater) == ["Photos"]
    for _ in range(2):
        told = admin.put(here, json={"kind": "person", "id": person, "share": 3, "place": 2}).json()
    (one,) = told["assigned"]
    assert (one["kind"], one["id"], one["share"], one["place"], one["people"]) == ("person", person, 3, 2, 1)
    assert names(rater) == ["Photos", "Second"]
    with site.world.parts.store.read() as tx:
        events = tx.events.all(action="study.assigned", object_id=second.id)
        assert len(events) == 1, "the same twice is one event"
    for _ in range(2):
        assert admin.delete(here, params={"kind": "person", "id": person}).status_code == 204
    assert names(rater) == ["Photos"]


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({"kind": "everyone", "share": 0}, 422, "share must be a whole number from 1 to 100"),
        ({"kind": "everyone", "place": 2000}, 422, "order must be a whole number from 1 to 1000"),
        ({"kind": "everyone", "id": "x"}, 422, "Everyone has no id"),
        ({"kind": "panel", "id": "none"}, 404, "There is no panel none."),
        ({"kind": "person", "id": "nobody"}, 404, "There is no person nobody in this project."),
    ],
)
def test_what_cannot_be_assigned_is_refused_in_a_sentence(
    admin: TestClient, second: Study, given: dict[str, object], status: int, said: str
) -> None:
    here = f"/api/v1/studies/{second.id}/assignments"
    answer = admin.put(here, json=given)
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert admin.get(here).json()["assigned"] == []


def test_a_panel_rates_what_it_is_assigned_to_until_it_is_deleted(site: Site, admin: TestClient, second: Study) -> None:
    rater = site.signed_in()
    panel = admin.post("/api/v1/panels", json={"name": "  Experts  of skies "}).json()
    assert panel["name"] == "Experts of skies"
    assert admin.post("/api/v1/panels", json={"name": "Experts of skies"}).status_code == 409
    at = f"/api/v1/panels/{panel['id']}"
    admin.put(f"{at}/members/{user_of(site, rater)}")
    admin.put(f"/api/v1/studies/{second.id}/assignments", json={"kind": "panel", "id": panel["id"]})
    assert names(rater) == ["Second", "Photos"]
    (line,) = admin.get("/api/v1/panels").json()
    assert ([one["id"] for one in line["members"]], line["studies"]) == ([user_of(site, rater)], [second.id])
    assert admin.patch(at, json={"name": "Skies", "revision": panel["revision"]}).json()["revision"] == 1
    assert admin.patch(at, json={"name": "Late", "revision": panel["revision"]}).status_code == 409
    assert admin.delete(at).status_code == 204
    assert names(rater) == ["Photos"]


def test_a_rater_reaches_no_study_that_is_not_theirs_and_reads_of_none(site: Site, second: Study) -> None:
    rater = site.signed_in()
    for address in ("/api/train/next", "/api/train/guide", "/api/train/studies", "/status"):
        answer = rater.get(address, params={"study": second.id})
        assert answer.status_code == 404, address
    refused = rater.post("/api/train/studies", json={"study": second.id})
    assert (refused.status_code, "for you to rate" in refused.json()["detail"]) == (404, True)
    assert rater.post("/api/train/enrolment", json={"study": second.id}).status_code == 404
    for page in ("/status", "/history"):
        assert "Second" not in rater.get(page, headers=PAGE).text, page
    admin = site.signed_in("admin")
    assert admin.get("/api/train/next", params={"study": second.id}).status_code == 200


def test_the_choice_is_kept_for_all_devices_and_its_address_on_every_page(site: Site, second: Study) -> None:
    email = f"{new_id()}@example.org"
    rater, phone = site.signed_in(email=email), site.signed_in(email=email)
    assert "chooser" not in rater.get("/train", headers=PAGE).text
    site.signed_in("admin").put(f"/api/v1/studies/{second.id}/assignments", json={"kind": "everyone"})
    token = {"csrf_token": rater.headers["X-CSRF-Token"], "study": second.id}
    chosen = rater.post("/train/study", data=token)
    assert (chosen.status_code, chosen.headers["location"]) == (303, f"/train?study={second.id}")
    assert phone.get("/api/train/studies").json()["chosen"] == second.id
    page = phone.get("/status", params={"study": second.id}, headers=PAGE).text
    assert f'href="/train?study={second.id}"' in page
    assert f'href="/history?study={second.id}"' in page
    assert phone.post("/api/train/studies", json={"study": None}).json()["chosen"] is None


def test_raters_bring_photos_only_where_the_study_takes_them(site: Site, admin: TestClient, second: Study) -> None:
    world = site.world
    admin.put(f"/api/v1/studies/{second.id}/assignments", json={"kind": "everyone"})
    world.add_inputs(1)
    rater, body = site.signed_in(), {"file": ("mine.jpg", photo(1), "image/jpeg")}
    refused = rater.post("/api/enhance/train", files=body, data={"study_id": second.id})
    assert (refused.status_code, "bring no photos" in refused.json()["detail"]) == (403, True)
    assert 'data-uploads="off"' in rater.get("/train", params={"study": second.id}, headers=PAGE).text
    assert 'data-uploads="on"' in admin.get("/train", params={"study": second.id}, headers=PAGE).text
    changed = admin.patch(f"/api/v1/studies/{second.id}", json={"revision": 0, "uploads": True})
    assert changed.json()["uploads"] is True
    assert 'data-uploads="on"' in rater.get("/train", params={"study": second.id}, headers=PAGE).text


def test_the_form_of_a_new_study_asks_who_rates_it(site: Site, admin: TestClient) -> None:
    page = admin.get("/admin/studies/new", headers=PAGE).text
    assert '<option value="nobody" selected>' in page
    move_study(site.world.parts, site.world.admin, site.world.study.id, "paused")
    assert '<option value="everyone" selected>' in admin.get("/admin/studies/new", headers=PAGE).text


def test_two_studies_are_compared_side_by_side_by_admins_alone(site: Site, admin: TestClient, second: Study) -> None:
    address, chosen = "/admin/studies/compare", {"a": site.world.study.id, "b": second.id}
    page = admin.get(address, params=chosen, headers=PAGE)
    assert (page.status_code, "cannot be compared yet" in page.text) == (200, True)
    assert admin.get(address, headers=PAGE).status_code == 200
    assert admin.get(address, params={"a": new_id()}, headers=PAGE).status_code == 404
    assert site.signed_in().get(address, params=chosen).status_code == 403


def test_who_rates_a_study_is_on_record_from_its_start_to_the_end_of_a_panel(site: Site, admin: TestClient) -> None:
    world = site.world
    panel = admin.post("/api/v1/panels", json={"name": "Experts"}).json()["id"]
    audience = Audience("panel", panel)
    study = make_study(world.parts, world.admin, StudyDraft("Third", {"local": SPACE}), raters=(audience,))
    assert admin.delete(f"/api/v1/panels/{panel}").status_code == 204
    with world.parts.store.read() as tx:
        events = sorted(tx.events.all(object_id=study.id), key=lambda event: event.number)
    assert [event.action for event in events] == ["study.made", "study.assigned", "study.unassigned"]
    assert {event.details["whom"] for event in events[1:]} == {panel}


def test_an_address_of_a_study_that_is_theirs_no_more_leads_to_those_that_are(site: Site, second: Study) -> None:
    rater = site.signed_in()
    answer = rater.get("/train", params={"study": second.id}, headers={"Accept": "text/html"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/train")
    assert rater.get("/api/train/next", params={"study": second.id}).status_code == 404


def test_who_rates_several_studies_at_once_says_which_one_is_meant(site: Site, second: Study) -> None:
    rater = site.signed_in()
    site.signed_in("admin").put(f"/api/v1/studies/{second.id}/assignments", json={"kind": "everyone"})
    for path, said in (("appeal", {"words": "My screen was too dark."}), ("enrolment", {"read": True})):
        refused = rater.post(f"/api/train/{path}", json=said)
        assert (refused.status_code, "which one is meant" in refused.json()["detail"]) == (422, True), path
        assert rater.post(f"/api/train/{path}", json={**said, "study": second.id}).status_code == 200, path
    assert rater.post("/api/train/enrolment", json={}).status_code == 200, "nothing was said of any"


def test_a_clone_is_asked_who_rates_it_as_a_new_study_is(site: Site, admin: TestClient) -> None:
    origin, person = site.world.study.id, user_of(site, site.signed_in())

    def asked(address: str) -> str:
        found = re.search(r'<div class="field"><label for="first-raters">.*?</div>', admin.get(address).text, re.S)
        return found[0] if found else ""

    for state, proposed in (("running", "nobody"), ("paused", "everyone")):
        if state == "paused":
            move_study(site.world.parts, site.world.admin, origin, "paused")
        assert asked(f"/admin/studies/{origin}") == asked("/admin/studies/new")
        assert f'<option value="{proposed}" selected>' in asked(f"/admin/studies/{origin}")
    sent = {"name": "Copy", "raters": f"person:{person}"}
    made = admin.post(f"/admin/studies/{origin}/clone", data=sent).headers["location"].rpartition("/")[2]
    (one,) = admin.get(f"/api/v1/studies/{made}/assignments").json()["assigned"]
    assert (one["kind"], one["id"]) == ("person", person)
    assert admin.post(f"/admin/studies/{origin}/clone", data={**sent, "raters": "panel:none"}).status_code == 404


def test_of_very_many_people_each_is_chosen_by_address(site: Site, admin: TestClient, second: Study) -> None:
    people = [site.world.person() for _ in range(OFFERED + 1)]
    panel = admin.post("/api/v1/panels", json={"name": "Experts"}).json()["id"]
    assert 'type="email"' in admin.get("/admin/panels", headers=PAGE).text
    assert "Who rates it, by address" in admin.get(f"/admin/studies/{second.id}", headers=PAGE).text
    assert admin.get("/admin/studies/new", headers=PAGE).status_code == 200
    token = {"csrf_token": admin.headers["X-CSRF-Token"]}
    last, form = people[-1], f"/admin/panels/{panel}/members"
    assert admin.post(form, data={**token, "address": last.email.upper()}).status_code == 303
    assert last.email in admin.get("/admin/panels", headers=PAGE).text
    refused = admin.post(form, data={**token, "address": "nobody@example.org"})
    assert (refused.status_code, "Nobody in this project has the address" in refused.text) == (404, True)
    assert admin.post(f"/admin/studies/{second.id}/raters", data={**token, "address": last.email}).status_code == 303
    (one,) = admin.get(f"/api/v1/studies/{second.id}/assignments").json()["assigned"]
    assert (one["kind"], one["id"]) == ("person", last.user_id)
