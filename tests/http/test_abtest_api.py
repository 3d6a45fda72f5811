"""REST of A/B tests on both engines: opened once, looked at whole, steered, approved by who may."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from tests.site import Site
from tests.unit.abtests.test_verdicts import candidate, judge_pairs, live, now, opened
from tests.visitors import another_project, machine, member_of
from web.domain.ids import new_id

PLACE = "/api/v1/abtests"


@pytest.fixture
def admin(site: Site) -> TestClient:
    for seed in range(100, 108):
        site.world.add_input(seed)
    return site.signed_in("admin", "boss@example.org")


def test_a_test_is_opened_once_by_name_or_id_and_shown_whole(site: Site, admin: TestClient) -> None:
    version, test_id = candidate(site.world, "brighter"), new_id()
    body = {
        "study_id": site.world.study.id,
        "challengers": [version.id],
        "hypothesis": "Light\u202e sells.",
        "design": {"most_pairs": 60},
        "policy": "manual",
        "id": test_id,
    }
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: admin.post(PLACE, json=body), range(4)))
    assert [answer.status_code for answer in told] == [201] * 4
    (one,) = {answer.text for answer in told}
    assert told[0].json()["id"] == test_id
    assert told[0].json()["hypothesis"] == "Light sells."
    shown = admin.get(f"{PLACE}/{test_id}")
    assert shown.text == one
    whole = shown.json()
    assert (whole["state"], whole["policy"], whole["threshold"], whole["outcome"]) == ("running", "manual", 20.0, None)
    assert (whole["design"]["most_pairs"], whole["design"]["least_pairs"]) == (60, 12)
    assert whole["names"] == {live(site.world).id: "v1.0.0"}
    assert whole["pairs"] == []
    assert [found["better"] for found in whole["evidence"]] == [1.0]
    listed = admin.get(PLACE).json()
    assert [line["id"] for line in listed] == [test_id]
    assert "pairs" not in listed[0]
    assert admin.get(PLACE, params={"prompt_key": "photo-enhance"}).json() == listed
    assert admin.get(PLACE, params={"prompt_key": "other"}).status_code == 404
    other = candidate(site.world, "cooler")
    assert admin.post(PLACE, json={**body, "challengers": [other.id]}).status_code == 409
    assert admin.post(PLACE, json={**body, "challengers": [other.id], "id": new_id()}).status_code == 409


def test_two_versions_are_compared_by_name_or_id_and_nothing_goes_live(site: Site, admin: TestClient) -> None:
    before, champion, challenger = live(site.world), candidate(site.world, "cooler"), candidate(site.world, "brighter")
    figures = {"least_pairs": 2, "most_pairs": 6, "threshold": 10, "least_raters": 1}
    body = {
        "study_id": site.world.study.id,
        "challengers": [challenger.id],
        "champion": champion.id,
        "design": figures,
        "id": new_id(),
    }
    first, second = (admin.post(PLACE, json=body) for _ in range(2))
    assert (first.status_code, second.text) == (201, first.text)
    told = first.json()
    assert (told["kind"], told["champion"], told["challengers"]) == ("comparison", champion.id, [challenger.id])
    assert (told["policy"], told["names"]) == ("manual", {})
    with site.world.parts.store.read() as tx:
        test = tx.ab_tests.get(told["id"])
    judge_pairs(site.world, test, 3)
    whole = admin.get(f"{PLACE}/{test.id}").json()
    assert (whole["state"], whole["outcome"], whole["winner"]) == ("decided", "better", challenger.id)
    assert not whole["waits_for_approval"]
    assert whole["settled_at"] is not None
    refused = admin.post(f"{PLACE}/{test.id}/approve", json={"confirmation": test.prompt_key})
    assert (refused.status_code, "Nothing goes live by this" in refused.json()["detail"]) == (409, True)
    assert live(site.world) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"challengers": []},
        {"challengers": ["v1.0.0"]},
        {"challengers": ["v9.0.0"]},
        {"challengers": "v1.0.0"},
        {"design": {"raters": 0}},
        {"design": {"raters": "2"}},
        {"design": {"unknown": 1}},
        {"policy": "whatever"},
        {"champion": "v9.0.0"},
        {"champion": ["v1.0.0"]},
        {"id": "mine"},
        {"hypothesis": "x" * 1001},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_tested_is_refused(site: Site, admin: TestClient, wrong: dict[str, object]) -> None:
    version = candidate(site.world, "brighter")
    body = {"study_id": site.world.study.id, "challengers": [version.id]}
    assert admin.post(PLACE, json=body | wrong).status_code == 422
    assert admin.get(PLACE).json() == []


def test_a_test_is_paused_resumed_and_stopped_for_good(site: Site, admin: TestClient) -> None:
    test = opened(site.world)
    for action, state in (("pause", "paused"), ("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        done = admin.post(f"{PLACE}/{test.id}/{action}")
        assert (done.status_code, done.json()["state"]) == (200, state)
    assert admin.post(f"{PLACE}/{test.id}/stop").status_code == 200
    assert admin.post(f"{PLACE}/{test.id}/resume").status_code == 409
    assert admin.get(f"{PLACE}/{test.id}").json()["outcome"] == "stopped"


def test_a_winner_waits_for_a_typed_confirmation_and_goes_live_once(site: Site, admin: TestClient) -> None:
    test = opened(site.world, policy="manual")
    judge_pairs(site.world, test, 3)
    whole = admin.get(f"{PLACE}/{test.id}").json()
    assert whole["waits_for_approval"]
    assert (whole["outcome"], whole["winner"]) == ("promote", test.challengers[0])
    assert [pair["number"] for pair in whole["pairs"]] == list(range(1, len(whole["pairs"]) + 1))
    place = f"{PLACE}/{test.id}/approve"
    assert admin.post(place, json={"confirmation": "yes"}).status_code == 422
    assert admin.post(place, json={}).status_code == 422
    assert live(site.world).id == test.champion
    first, second = (admin.post(place, json={"confirmation": test.prompt_key, "note": "Good."}) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert live(site.world).id == test.challengers[0]
    assert admin.post(f"{PLACE}/{test.id}/decline", json={}).status_code == 409


def test_a_declined_winner_stays_out(site: Site, admin: TestClient) -> None:
    test = opened(site.world, policy="manual")
    assert admin.post(f"{PLACE}/{test.id}/decline", json={}).status_code == 409
    judge_pairs(site.world, test, 3)
    done = admin.post(f"{PLACE}/{test.id}/decline", json={"note": "Not now."})
    assert (done.json()["state"], done.json()["waits_for_approval"]) == ("stopped", False)
    assert admin.post(f"{PLACE}/{test.id}/approve", json={"confirmation": test.prompt_key}).status_code == 409
    assert live(site.world).id == test.champion
    assert now(site.world, test).settled_by is not None


def test_raters_machines_and_other_projects_reach_no_test(site: Site, admin: TestClient) -> None:
    test = opened(site.world)
    rater, stranger = site.signed_in("rater"), member_of(site, another_project(site))
    body = {"study_id": site.world.study.id, "challengers": ["v1.0.0"]}
    for method, path, sent in (
        ("GET", PLACE, None),
        ("POST", PLACE, body),
        ("GET", f"{PLACE}/{test.id}", None),
        ("POST", f"{PLACE}/{test.id}/stop", None),
        ("POST", f"{PLACE}/{test.id}/approve", {"confirmation": test.prompt_key}),
        ("POST", f"{PLACE}/{test.id}/decline", {}),
    ):
        assert rater.request(method, path, json=sent).status_code == 403
        assert machine(site, "prompts:read").request(method, path, json=sent).status_code == 403
        assert stranger.request(method, path, json=sent).status_code == (200 if path == PLACE and not sent else 404)
    assert now(site.world, test).state == "running"
