"""Erasing by page and by REST: asked for by a typed word, done at once, and told on every page afterwards."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from tests.site import Site
from tests.world import photo
from web.domain.studies.study import Input
from web.jobs import tasks
from web.services.studies import retention

PAGE = {"Accept": "text/html,application/xhtml+xml"}
RITA = "rita.b@example.org"


@pytest.fixture
def admin(site: Site) -> TestClient:
    client = site.signed_in("admin", "boss@example.org")
    client.headers.update(PAGE)
    return client


@pytest.fixture
def source(site: Site) -> Input:
    return site.world.add_input(7)


def id_of(site: Site, email: str = RITA) -> str:
    return site.members()[email].user.id


def test_a_person_is_erased_by_a_page_that_wants_their_address(site: Site, admin: TestClient) -> None:
    rita = site.signed_in("rater", RITA)
    place = f"/admin/people/{id_of(site)}/erase"
    assert f'href="{place}"' in admin.get("/admin/people").text
    asked = admin.get(place).text
    assert f"To confirm, type {RITA}" in asked
    for absent in ("style=", "<script>", "photos"):
        assert absent not in asked.replace("photos and keys", "")
    wrong = admin.post(place, data={"confirm": "rita"})
    assert wrong.status_code == 422
    assert f"Nothing was erased: type “{RITA}” to confirm." in wrong.text
    assert rita.get("/api/v1/session").status_code == 200
    done = admin.post(place, data={"confirm": RITA})
    assert (done.status_code, done.headers["location"]) == (303, "/admin/people")
    assert rita.get("/api/v1/session").status_code == 401
    for path in ("/admin/people", "/admin/audit", "/history", "/status", "/admin/keys"):
        assert RITA not in admin.get(path).text
    assert ">erased</span>" in admin.get("/admin/people").text
    assert "The chain is whole" in admin.get("/admin/audit").text
    assert admin.get(place).status_code == 303
    assert admin.post(place, data={"confirm": ""}).status_code == 303


def test_photos_that_a_person_brought_go_where_that_is_ticked(site: Site, admin: TestClient) -> None:
    other = site.signed_in("admin", RITA)
    study = site.world.study.id
    added = other.post(f"/api/v1/studies/{study}/inputs", files={"file": ("rita.jpg", photo(70))}).json()
    place = f"/admin/people/{id_of(site)}/erase"
    assert "Erase the 1 photo they brought" in admin.get(place).text
    assert admin.post(place, data={"confirm": RITA, "photos": "true"}).status_code == 303
    assert admin.get(f"/media/input/{added['id']}").status_code == 410
    assert "rita" not in admin.get(f"/admin/studies/{study}/photos").text


def test_the_last_admin_is_told_why_not(site: Site, admin: TestClient) -> None:
    for email, member in site.members().items():
        if email != "boss@example.org" and member.role == "admin":
            path = f"/api/v1/users/{member.user.id}/erase"
            assert admin.post(path, json={"confirm": email}).status_code == 204
    refused = admin.post(f"/admin/people/{id_of(site, 'boss@example.org')}/erase", data={"confirm": "boss@example.org"})
    assert refused.status_code == 409
    assert "This is the last admin" in refused.text


def test_a_photo_is_erased_by_a_page_that_wants_a_word(site: Site, admin: TestClient, source: Input) -> None:
    study = f"/admin/studies/{site.world.study.id}"
    place = f"{study}/inputs/{source.id}/erase"
    assert f'href="{place}"' in admin.get(f"{study}/photos").text
    assert "photo 7" in admin.get(place).text
    assert admin.post(place, data={"confirm": "yes"}).status_code == 422
    assert admin.get(f"/media/input/{source.id}").status_code == 200
    done = admin.post(place, data={"confirm": "erase"})
    assert (done.status_code, done.headers["location"]) == (303, f"{study}/photos")
    assert admin.get(f"/media/input/{source.id}").status_code == 410
    assert "photo 7" not in admin.get(f"{study}/photos").text
    assert "This photo was taken down" in admin.get(place).text
    assert "erased the photo" in admin.get("/api/v1/audit").text


def test_the_rest_interface_does_what_the_pages_do(site: Site, admin: TestClient, source: Input) -> None:
    site.signed_in("rater", RITA)
    user_id = id_of(site)
    person, input_ = f"/api/v1/users/{user_id}/erase", f"/api/v1/inputs/{source.id}/erase"
    for path in (person, input_):
        assert admin.post(path, json={"confirm": "no"}).status_code == 422
        assert admin.post(path, json={}).status_code == 422
    for _ in range(2):
        assert admin.post(person, json={"confirm": RITA}).status_code == 204
        assert admin.post(input_, json={"confirm": "erase"}).status_code == 204
    emails = {user["id"]: user["email"] for user in admin.get("/api/v1/users").json()}
    assert emails[user_id] == f"erased person {user_id[-12:]}"
    assert admin.patch(f"/api/v1/users/{user_id}", json={"active": True}).status_code == 410
    assert admin.post("/api/v1/inputs/nothing/erase", json={"confirm": "erase"}).status_code == 404
    assert admin.get("/admin/people/nobody/erase").status_code == 404


def test_an_image_that_was_let_go_is_gone_and_its_experiment_says_so(site: Site, admin: TestClient) -> None:
    world = site.world
    tasks.plan(world.parts, world.study.id, depth=1)
    world.work()
    with world.parts.store.begin() as tx:
        (experiment,) = tx.experiments.all(state="ready")
        tx.of_experiments.move([experiment.id], "dropped", world.clock.now())
        option = tx.options.all(experiment_id=experiment.id)[0]
    assert admin.get(f"/media/output/{option.output_id}").status_code == 200
    place = f"/history/{experiment.id}"
    assert f"/media/output/{option.output_id}" in admin.get(place).text
    world.clock.advance(days=29)  # sessions last for 30
    assert retention.prune(replace(world.parts, retention=timedelta(days=7))) == 2
    gone = admin.get(f"/media/output/{option.output_id}")
    assert gone.status_code == 410
    shown = admin.get(place).text
    assert "set aside unrated" in shown
    assert f"/media/output/{option.output_id}" not in shown
