"""What production pulls, and the REST of versions and promotions, over HTTP on both engines."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.rows import diagnosis
from tests.site import Site
from tests.visitors import another_project, machine, member_of
from web.domain.ids import new_id
from web.domain.prompts.prompt import DEFAULT_KEY, from_bytes
from web.domain.studies.study import Learnt

CURRENT = "/prompts/current.json"
FIRST = "/prompts/versions/v1.0.0.json"
SECOND = "/prompts/versions/v1.1.0.json"


def learn(site: Site, exposure: float = 0.25) -> str:
    """Keep a diagnosis with a best point, newer than all others; return its id."""
    world = site.world
    world.clock.advance(minutes=1)
    found = diagnosis(world.admin.user_id, 0, 4.0)
    assert found.best is not None
    found = found.model_copy(
        update={"best": found.best.model_copy(update={"point": {"exposure": exposure, "contrast": 1.1}})}
    )
    with world.parts.store.begin() as tx:
        return tx.diagnoses.add(Learnt(new_id(), world.study.id, new_id(), found, world.clock.now())).id


def publish(site: Site, admin: TestClient, exposure: float = 0.25, **more: Any) -> Response:
    learn(site, exposure)
    site.world.clock.advance(minutes=1)
    return admin.post("/api/v1/promotions/best", json={"study_id": site.world.study.id, **more})


def promote(admin: TestClient, version: str, revision: int, **more: Any) -> Response:
    return admin.post("/api/v1/promotions", json={"version": version, "revision": revision, **more})


def folder(site: Site) -> Path:
    return site.world.parts.published.root  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def admin(site: Site) -> TestClient:
    return site.signed_in("admin", "boss@example.org")


@pytest.fixture
def puller(site: Site) -> TestClient:
    return machine(site, "prompts:read")


def test_production_pulls_the_bytes_of_the_file(site: Site, puller: TestClient) -> None:
    answer = puller.get(CURRENT)
    body = (folder(site) / "versions/current.json").read_bytes()
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["etag"] == f'"{hashlib.sha256(body).hexdigest()}"'
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["x-palate-version"] == "v1.0.0"
    assert answer.headers["content-type"] == "application/json"
    pinned = puller.get(FIRST)
    assert (pinned.content, pinned.headers["etag"]) == (body, answer.headers["etag"])
    assert pinned.headers["cache-control"] == "private, max-age=3600"
    assert puller.get(CURRENT, params={"key": DEFAULT_KEY}).content == body


def test_what_is_known_is_not_sent_again(puller: TestClient) -> None:
    etag = puller.get(CURRENT).headers["etag"]
    for known in (etag, f"W/{etag}", "*", f'"a,b", W/"c" ,{etag}', f' {etag},"x"'):
        for path in (CURRENT, FIRST):
            answer = puller.get(path, headers={"If-None-Match": known})
            assert (answer.status_code, answer.content) == (304, b""), known
            assert answer.headers["etag"] == etag
            assert answer.headers["x-palate-version"] == "v1.0.0"
            assert "private" in answer.headers["cache-control"]
            assert puller.head(path, headers={"If-None-Match": known}).status_code == 304
    for unknown in ('"x"', etag.strip('"'), etag[:-2] + '"', "", '"*"', f'"x{etag[1:]}'):
        assert puller.get(CURRENT, headers={"If-None-Match": unknown}).status_code == 200, unknown


def test_a_head_says_what_a_get_would(puller: TestClient) -> None:
    for path in (CURRENT, FIRST):
        whole, head = puller.get(path), puller.head(path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("etag", "cache-control", "x-palate-version", "content-length", "content-type"):
            assert head.headers[name] == whole.headers[name]


def test_no_other_site_is_let_in(puller: TestClient) -> None:
    for answer in (
        puller.get(CURRENT, headers={"Origin": "https://elsewhere.example"}),
        puller.options(
            CURRENT, headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
        ),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_who_may_pull(site: Site, admin: TestClient) -> None:
    for path in (CURRENT, FIRST):
        assert site.visitor().get(path).status_code == 401
        assert site.signed_in("rater").get(path).status_code == 403
        assert machine(site, "feedback:write").get(path).status_code == 403
        assert admin.get(path).status_code == 200
        strange = site.visitor()
        strange.headers["Authorization"] = "Bearer palate_guessed"
        assert strange.get(path).status_code == 401


def test_another_project_finds_nothing(site: Site) -> None:
    elsewhere = another_project(site)
    for client in (machine(site, "prompts:read", project_id=elsewhere), member_of(site, elsewhere)):
        for path in (CURRENT, FIRST, "/prompts/versions/v7.7.7.json"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["detail"]) == (404, f"There is no prompt {DEFAULT_KEY}.")


def test_what_is_unknown_is_not_found(puller: TestClient) -> None:
    for path in (
        "/prompts/versions/v9.9.9.json",
        "/prompts/versions/current.json",
        "/prompts/versions/..%2f..%2fetc%2fpasswd.json",
        f"{CURRENT}?key=nothing",
        f"{CURRENT}?key=..",
        f"{FIRST}?key=",
    ):
        assert puller.get(path).status_code == 404, path
    assert puller.get(CURRENT, params={"key": "x" * 65}).status_code == 422


@pytest.mark.parametrize("fault", ["gone", "torn", "emptied", "another", "not ours", "a folder", "older"])
def test_production_gets_a_whole_version_whatever_became_of_the_files(
    site: Site, admin: TestClient, puller: TestClient, fault: str
) -> None:
    assert publish(site, admin).status_code == 200
    right = {path: puller.get(path).content for path in (CURRENT, SECOND)}
    for name in ("current.json", "v1.1.0.json"):
        file = folder(site) / "versions" / name
        whole = file.read_bytes()
        file.unlink()
        if fault == "torn":
            file.write_bytes(whole[: len(whole) // 2])
        elif fault == "emptied":
            file.write_bytes(b"")
        elif fault == "another":
            file.write_bytes(whole.replace(b"0.25", b"0.52"))
        elif fault == "not ours":
            file.write_bytes(b"[1, 2]")
        elif fault == "a folder":
            file.mkdir()
        elif fault == "older":
            file.write_bytes((folder(site) / "versions" / "v1.0.0.json").read_bytes())
    for path, body in right.items():
        answer = puller.get(path)
        assert (answer.status_code, answer.content) == (200, body)
        assert from_bytes(answer.content).version == answer.headers["x-palate-version"] == "v1.1.0"


def test_best_settings_go_live_and_are_pulled_at_once(site: Site, admin: TestClient, puller: TestClient) -> None:
    before = puller.get(CURRENT)
    done = publish(site, admin, note="Brighter is better.")
    assert (done.status_code, done.json()) == (
        200,
        {
            "prompt_key": DEFAULT_KEY,
            "version": "v1.1.0",
            "revision": 1,
            "moved_at": site.world.clock.now().isoformat().replace("+00:00", "Z"),
        },
    )
    after = puller.get(CURRENT, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.content == (folder(site) / "versions/v1.1.0.json").read_bytes() == puller.get(SECOND).content
    assert after.json()["parameter_defaults"] == {"local": {"exposure": 0.25, "contrast": 1.1}}
    assert after.json()["parents"] == ["v1.0.0"]
    assert puller.get(FIRST).content == before.content


def test_publishing_again_under_an_id_publishes_nothing_new(site: Site, admin: TestClient) -> None:
    learn(site)
    body = {"study_id": site.world.study.id, "id": new_id(), "revision": 0}
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: admin.post("/api/v1/promotions/best", json=body), range(8)))
    assert {answer.status_code for answer in told} == {200}
    assert len({answer.text for answer in told}) == 1
    learn(site, 0.75)
    assert admin.post("/api/v1/promotions/best", json=body).json() == told[0].json()
    whole = admin.get(f"/api/v1/prompts/{DEFAULT_KEY}").json()
    assert ([one["name"] for one in whole["versions"]], whole["revision"]) == (["v1.1.0", "v1.0.0"], 1)


def test_publishing_on_top_of_what_somebody_else_did_is_refused(site: Site, admin: TestClient) -> None:
    assert publish(site, admin, revision=0).status_code == 200
    late = publish(site, admin, 0.75, revision=0)
    assert late.status_code == 409
    assert "revision 1" in late.json()["detail"]
    assert publish(site, admin, 0.75, revision=1).json()["version"] == "v1.2.0"


def test_promoting_an_older_version_is_written_down_as_a_rollback(site: Site, admin: TestClient) -> None:
    publish(site, admin, note="first")
    back = promote(admin, "v1.0.0", 1, note="too bright")
    assert (back.json()["version"], back.json()["revision"]) == ("v1.0.0", 2)
    assert promote(admin, "v1.0.0", 1, note="too bright").json() == back.json()
    forth = promote(admin, "v1.1.0", 2)
    assert (forth.json()["version"], forth.json()["revision"]) == ("v1.1.0", 3)
    assert promote(admin, "v1.1.0", 2).json() == forth.json()
    assert promote(admin, "v1.0.0", 2).status_code == 409
    moves = admin.get("/api/v1/promotions", params={"prompt_key": DEFAULT_KEY}).json()
    told = [
        (move["action"], move["from_version"], move["to_version"], move["revision"], move["note"]) for move in moves
    ]
    assert told == [
        ("prompt.promoted", "v1.0.0", "v1.1.0", 3, ""),
        ("prompt.rolled_back", "v1.1.0", "v1.0.0", 2, "too bright"),
        ("prompt.published", "v1.0.0", "v1.1.0", 1, "first"),
        ("prompt.adopted", "", "v1.0.0", 0, ""),
    ]
    assert moves[0]["actor"] == "boss@example.org"


def test_rolling_back_goes_to_what_was_live_before(site: Site, admin: TestClient, puller: TestClient) -> None:
    publish(site, admin)
    done = admin.post("/api/v1/promotions/rollback", json={"revision": 1, "note": "no"})
    assert (done.json()["version"], done.json()["revision"]) == ("v1.0.0", 2)
    assert puller.get(CURRENT).headers["x-palate-version"] == "v1.0.0"
    assert admin.post("/api/v1/promotions/rollback", json={"revision": 1, "note": "no"}).json() == done.json()
    assert admin.post("/api/v1/promotions/rollback", json={"revision": 7}).status_code == 409


def test_a_withdrawn_version_is_gone_for_good(site: Site, admin: TestClient, puller: TestClient) -> None:
    publish(site, admin)
    withdraw = f"/api/v1/prompts/{DEFAULT_KEY}/versions/{{}}/withdraw"
    assert admin.post(withdraw.format("v1.1.0")).status_code == 409
    assert promote(admin, "v1.0.0", 1).status_code == 200
    for _ in range(2):
        gone = admin.post(withdraw.format("v1.1.0"), json={"note": "It burns the sky."})
        assert (gone.status_code, gone.json()["status"]) == (200, "withdrawn")
    for answer in (puller.get(SECOND), puller.get(SECOND, headers={"If-None-Match": "*"}), puller.head(SECOND)):
        assert answer.status_code == 410
        assert answer.headers["cache-control"] == "no-store"
    assert promote(admin, "v1.1.0", 2).status_code == 409
    assert admin.post(withdraw.format("v9.9.9")).status_code == 404
    assert puller.get(CURRENT).status_code == 200


def test_a_prompt_is_told_with_its_versions_and_what_production_said(site: Site, admin: TestClient) -> None:
    publish(site, admin)
    report = {"id": new_id(), "version": "v1.1.0", "score": 2, "failure": "tint"}
    assert machine(site, "feedback:write").post("/api/v1/feedback", json=report).status_code == 200
    (line,) = admin.get("/api/v1/prompts").json()
    assert (line["key"], line["live"], line["revision"]) == (DEFAULT_KEY, "v1.1.0", 1)
    whole = admin.get(f"/api/v1/prompts/{DEFAULT_KEY}").json()
    newest, oldest = whole.pop("versions")
    assert whole == line
    assert (newest["name"], newest["parents"], newest["status"]) == ("v1.1.0", ["v1.0.0"], "released")
    assert newest["feedback"] == {"reports": 1, "scores": 1, "mean": 2.0, "failed": 1, "failures": {"tint": 1}}
    assert (oldest["name"], oldest["parents"], oldest["feedback"]["reports"]) == ("v1.0.0", [], 0)
    version = admin.get(f"/api/v1/prompts/{DEFAULT_KEY}/versions/v1.1.0").json()
    file = json.loads((folder(site) / "versions/v1.1.0.json").read_bytes())
    for name in ("components", "variables", "parameter_defaults", "changelog", "sha256", "parents"):
        assert version[name] == file[name]


def test_two_versions_are_compared(site: Site, admin: TestClient) -> None:
    publish(site, admin)
    found = admin.get(f"/api/v1/prompts/{DEFAULT_KEY}/diff", params={"from": "v1.0.0", "to": "v1.1.0"}).json()
    assert {(one["name"], one["old"], one["new"]) for one in found["parameters"]} == {
        ("exposure", None, 0.25),
        ("contrast", None, 1.1),
    }
    assert {piece["kind"] for text in found["texts"] for piece in text["pieces"]} == {"same"}
    for unknown in ({"from": "v1.0.0", "to": "v9.0.0"}, {"from": "", "to": "v1.0.0"}):
        assert admin.get(f"/api/v1/prompts/{DEFAULT_KEY}/diff", params=unknown).status_code == 404
    assert admin.get(f"/api/v1/prompts/{DEFAULT_KEY}/diff").status_code == 422


def test_a_note_loses_what_cannot_be_seen(site: Site, admin: TestClient) -> None:
    publish(site, admin, note="so\u202e\x07 much <b>better</b>")
    moves = admin.get("/api/v1/promotions").json()
    assert moves[0]["note"] == "so much <b>better</b>"
    assert publish(site, admin, 0.5, note="x" * 501).status_code == 422


def test_what_means_nothing_is_refused(site: Site, admin: TestClient) -> None:
    study = site.world.study.id
    assert admin.post("/api/v1/promotions/best", json={"study_id": study}).status_code == 409
    assert admin.post("/api/v1/promotions/best", json={"study_id": new_id()}).status_code == 404
    assert admin.post("/api/v1/promotions/best", json={"study_id": study, "id": "1"}).status_code == 422
    assert promote(admin, "v1.0.0", -1).status_code == 422
    assert promote(admin, "v9.0.0", 0).status_code == 404
    assert promote(admin, "v1.0.0", 0, prompt_key="nothing").status_code == 404
    assert promote(admin, "v1.0.0", 0).json()["revision"] == 0
    assert admin.post("/api/v1/promotions/rollback", json={"revision": 0}).status_code == 409
    assert admin.get("/api/v1/promotions", params={"prompt_key": "nothing"}).status_code == 404
    assert admin.get("/api/v1/prompts/nothing").status_code == 404


def test_only_admins_of_the_project_see_and_move_anything(site: Site, admin: TestClient, puller: TestClient) -> None:
    publish(site, admin)
    rater, stranger = site.signed_in("rater"), member_of(site, another_project(site))
    key = DEFAULT_KEY
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/api/v1/prompts", {}),
        ("GET", f"/api/v1/prompts/{key}", {}),
        ("GET", f"/api/v1/prompts/{key}/versions/v1.0.0", {}),
        ("GET", f"/api/v1/prompts/{key}/diff?from=v1.0.0&to=v1.1.0", {}),
        ("POST", f"/api/v1/prompts/{key}/versions/v1.0.0/withdraw", {}),
        ("GET", "/api/v1/promotions", {}),
        ("POST", "/api/v1/promotions", {"version": "v1.0.0", "revision": 1}),
        ("POST", "/api/v1/promotions/best", {"study_id": site.world.study.id}),
        ("POST", "/api/v1/promotions/rollback", {"revision": 1}),
    ]
    for method, path, body in asked:
        more: dict[str, Any] = {"json": body} if body else {}
        assert site.visitor().request(method, path, **more).status_code == 401, path
        assert rater.request(method, path, **more).status_code == 403, path
        assert puller.request(method, path, **more).status_code == 403, path
        answer = stranger.request(method, path, **more)
        if path == "/api/v1/prompts":
            assert answer.json() == []
        else:
            assert answer.status_code == 404, path
        assert "v1.1.0" not in answer.text
    assert admin.get(f"/api/v1/prompts/{key}").json()["revision"] == 1


def test_an_archived_look_at_a_row_that_was_changed_by_hand_gives_the_file(site: Site, puller: TestClient) -> None:
    right = puller.get(CURRENT).content
    with site.world.parts.store.begin() as tx:
        (version,) = tx.versions.all()
        tx.versions.replace(replace(version, changelog="by hand"))
    assert puller.get(CURRENT).content == right
    (folder(site) / "versions/current.json").unlink()
    answer = puller.get(CURRENT)
    assert answer.status_code >= 400
    assert "by hand" not in answer.text
