"""The rating routes over HTTP on both engines: strict where data comes in, silent about what raters must not know."""

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.site import Site
from tests.visitors import another_project
from tests.world import SPACE
from web.domain.ids import new_id
from web.services.studies import intake, studies


@pytest.fixture
def rater(site: Site) -> TestClient:
    return site.signed_in("rater")


def lease(site: Site, rater: TestClient, tab: str = "tab") -> list[dict[str, Any]]:
    rater.get("/api/train/next", headers={"X-Tab": tab})
    site.world.work()
    return list(rater.get("/api/train/next", headers={"X-Tab": tab}).json()["experiments"])


def send(rater: TestClient, *answers: object) -> list[dict[str, str]]:
    response = rater.post("/api/train/rate", json={"answers": list(answers)})
    assert response.status_code == 200, response.text
    return list(response.json()["verdicts"])


def good(option: dict[str, Any], **more: object) -> dict[str, object]:
    return {"id": new_id(), "option_id": option["option_id"], "score": 4, **more}


def stored(site: Site) -> list[float | None]:
    with site.world.parts.store.read() as tx:
        return [rating.score for rating in tx.of_ratings.standing(site.world.study.id)]


def test_a_rater_leases_sees_and_rates(site: Site, rater: TestClient) -> None:
    first = lease(site, rater)[0]
    image = rater.get(first["options"][0]["image_url"])
    assert image.status_code == 200
    assert image.headers["content-type"] == "image/jpeg"
    assert image.headers["x-content-type-options"] == "nosniff"
    assert "private" in image.headers["cache-control"]
    assert rater.get(first["source_url"]).status_code == 200
    assert (
        send(rater, good(first["options"][0], tags=["noisy"], comment="grainy", flagged=True))[0]["verdict"] == "stored"
    )
    with site.world.parts.store.read() as tx:
        (rating,) = tx.of_ratings.standing(site.world.study.id)
    assert (rating.tags, rating.comment, rating.flagged) == (("noisy",), "grainy", True)


@pytest.mark.parametrize("score", [0, 6, 3.5, "5", True, None, -1, [4], 1e308])
def test_a_score_that_is_none_is_refused_and_the_rest_of_the_batch_kept(
    site: Site, rater: TestClient, score: object
) -> None:
    one, two = lease(site, rater)[0]["options"]
    verdicts = send(rater, good(one, score=score), good(two))
    assert [verdict["verdict"] for verdict in verdicts] == ["invalid", "stored"]
    assert verdicts[0]["detail"]
    assert stored(site) == [4]


@pytest.mark.parametrize("score", ["NaN", "Infinity", "-Infinity"])
def test_a_score_that_is_no_json_number_is_refused(site: Site, rater: TestClient, score: str) -> None:
    option = lease(site, rater)[0]["options"][0]
    body = json.dumps({"answers": [good(option)]}).replace(": 4", f": {score}")
    response = rater.post("/api/train/rate", content=body, headers={"Content-Type": "application/json"})
    refused = response.status_code == 422 or response.json()["verdicts"][0]["verdict"] == "invalid"
    assert refused
    assert stored(site) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"id": "not-a-uuid"},
        {"skip": "broken"},
        {"tags": ["Too dark"]},
        {"comment": "x" * 301},
        {"client_seq": -1},
        {"painted_at": "yesterday"},
        {"surprise": 1},
        {"option_id": 7},
    ],
)
def test_a_faulty_answer_says_what_is_wrong_under_its_id(
    site: Site, rater: TestClient, fault: dict[str, object]
) -> None:
    sent = good(lease(site, rater)[0]["options"][0]) | fault
    (verdict,) = send(rater, sent)
    assert verdict["verdict"] == "invalid"
    assert verdict["id"] == sent["id"]
    assert verdict["detail"]
    assert stored(site) == []


@pytest.mark.parametrize("body", [{}, {"answers": []}, {"answers": [1] * 101}, {"answers": {}}, [], "x", None])
def test_a_broken_envelope_is_refused_as_a_whole(rater: TestClient, body: object) -> None:
    response = rater.post("/api/train/rate", json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


def test_options_that_are_foreign_unknown_or_never_leased_are_refused(site: Site, rater: TestClient) -> None:
    other = site.signed_in("rater")
    theirs = lease(site, other)[0]["options"][0]
    verdicts = send(rater, good(theirs), good({"option_id": new_id()}), good({"option_id": "nonsense"}))
    assert [verdict["verdict"] for verdict in verdicts] == ["never_leased"] * 3


def test_nobody_sees_an_image_of_anothers_lease_or_a_forged_address(site: Site, rater: TestClient) -> None:
    url = lease(site, rater)[0]["options"][0]["image_url"]
    assert site.signed_in("rater").get(url).status_code == 404
    assert site.visitor().get(url).status_code in (303, 401)
    changed = url[:-2] + ("AA" if url[-2:] != "AA" else "BB")
    assert rater.get(changed).status_code == 404
    assert rater.get("/i/zzz").status_code == 404


def test_the_address_of_an_image_holds_for_as_long_as_its_lease(site: Site, rater: TestClient) -> None:
    first = lease(site, rater)[0]
    urls = [first["source_url"], *(option["image_url"] for option in first["options"])]
    given = [good(option) for option in first["options"]]
    send(rater, given[0])
    assert [rater.get(url).status_code for url in urls] == [200] * len(urls)
    send(rater, *given[1:])
    assert [rater.get(url).status_code for url in urls] == [410] * len(urls)
    rater.delete(f"/api/train/rate/{given[0]['id']}")
    assert [rater.get(url).status_code for url in urls] == [200] * len(urls)
    site.world.clock.advance(minutes=11)
    assert [rater.get(url).status_code for url in urls] == [410] * len(urls)
    again = rater.get("/api/train/next", headers={"X-Tab": "tab"}).json()["experiments"]
    (same,) = [experiment for experiment in again if experiment["experiment_id"] == first["experiment_id"]]
    urls += [same["source_url"], *(option["image_url"] for option in same["options"])]
    assert [rater.get(url).status_code for url in urls] == [200] * len(urls)


def test_an_image_that_was_taken_down_is_gone(site: Site, rater: TestClient) -> None:
    first = lease(site, rater)[0]
    with site.world.parts.store.read() as tx:
        source = tx.experiments.get(first["experiment_id"]).input_id
    intake.take_down(site.world.parts, site.world.admin, source)
    assert rater.get(first["options"][0]["image_url"]).status_code == 410
    assert rater.get(first["source_url"]).status_code == 410


def test_nothing_tells_a_rater_how_an_image_was_made(site: Site, rater: TestClient) -> None:
    lease(site, rater)
    text = rater.get("/api/train/next", headers={"X-Tab": "tab"}).text + rater.get("/train").text
    with site.world.parts.store.read() as tx:
        options = tx.options.all(study_id=site.world.study.id)
        version = tx.versions.get(options[0].version)
        outputs = tx.outputs.all()
    secrets = [*SPACE.parameters, '"local"', version.id, version.name or "", *version.components["local"].values()]
    secrets += [output.content_hash for output in outputs] + [output.object_key for output in outputs]
    secrets += [str(value) for option in options for value in option.point.values() if value not in (0, 1)]
    assert [secret for secret in secrets if secret and secret in text] == []


def test_undo_works_before_and_after_the_rating_arrives(site: Site, rater: TestClient) -> None:
    one, two = lease(site, rater)[0]["options"]
    first, second = good(one), good(two)
    send(rater, first)
    assert rater.delete(f"/api/train/rate/{first['id']}").json()["verdict"] == "undone"
    assert rater.delete(f"/api/train/rate/{second['id']}").status_code == 200
    assert [verdict["verdict"] for verdict in send(rater, first, second)] == ["undone", "undone"]
    assert stored(site) == []
    assert rater.delete("/api/train/rate/nonsense").status_code == 422


def test_one_rating_sent_sixteen_times_at_once_is_one_row(site: Site, rater: TestClient) -> None:
    sent = good(lease(site, rater)[0]["options"][0])
    verdicts: list[str] = []
    senders = [threading.Thread(target=lambda: verdicts.append(send(rater, sent)[0]["verdict"])) for _ in range(16)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(verdicts) == ["replayed"] * 15 + ["stored"]
    assert stored(site) == [4]


def test_progress_counts_scores_and_not_skips(site: Site, rater: TestClient) -> None:
    one, two = lease(site, rater)[0]["options"]
    body = {"answers": [good(one), {"id": new_id(), "option_id": two["option_id"], "skip": "broken"}]}
    assert rater.post("/api/train/rate", json=body).json()["progress"] == {"today": 1, "target": 100, "total": 1}


def test_strangers_are_turned_away_and_forged_requests_refused(site: Site, rater: TestClient) -> None:
    assert site.visitor().get("/api/train/next").status_code == 401
    assert site.visitor().post("/api/train/rate", json={"answers": [1]}).status_code in (401, 403)
    del rater.headers["X-CSRF-Token"]
    assert rater.post("/api/train/rate", json={"answers": [1]}).status_code == 403


def test_a_study_of_another_project_is_not_there(site: Site, rater: TestClient) -> None:
    elsewhere = replace(site.world.study, id=new_id(), project_id=another_project(site))
    with site.world.parts.store.begin() as tx:
        tx.studies.add(elsewhere)
    assert rater.get("/api/train/next", params={"study": elsewhere.id}).status_code == 404
    assert rater.get("/api/train/next", params={"study": new_id()}).status_code == 404


def test_what_is_said_when_there_is_nothing_to_rate(site: Site, rater: TestClient) -> None:
    world = site.world

    def told() -> str:
        return str(rater.get("/api/train/next").json()["state"])

    assert told() == "generating"
    world.work()
    assert told() == "ready"
    with world.parts.store.read() as tx:
        sources = tx.inputs.all(study_id=world.study.id)
    for source in sources:
        intake.take_down(world.parts, world.admin, source.id)
    assert told() == "empty"
    studies.move_study(world.parts, world.admin, world.study.id, "paused")
    assert told() == "paused"
    studies.move_study(world.parts, world.admin, world.study.id, "archived")
    assert told() == "empty"
