"""The pages and routes of status, history, studies and jobs, over HTTP on both engines."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ml_service.errors import Unavailable
from ml_service.wire.contract import Interval, Why
from tests.rows import diagnosis
from tests.site import MOMENT, Site, table_of
from tests.world import SPACE, answer, photo
from web.api.reports.status import changes
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.job import Job
from web.domain.studies.assigning import EVERYONE
from web.domain.studies.study import Learnt, StopRules
from web.services.learning.learn import learn
from web.services.studies.studies import StudyDraft, change_guide, make_study

PAGE = {"Accept": "text/html,application/xhtml+xml"}
PAGES = ("/status", "/history", "/admin/studies", "/admin/studies/new", "/admin/jobs")
FORM = {"options_per_experiment": "2", "raters_wanted": "1", "daily_target": "50", "goal": "4.5"}
EXPOSURE = {"use.exposure": "yes", "low.exposure": "-0.5", "high.exposure": "0.5", "default.exposure": "0"}


def rated(site: Site, email: str = "rita@example.org", comment: str = "", **more: Any) -> tuple[TestClient, Actor]:
    """Have a rater answer one experiment; return their browser and who they are."""
    client = site.signed_in("rater", email)
    member = site.members()[email]
    actor = Actor(member.user.id, email, site.world.admin.project_id, "rater")
    held = site.world.hold(actor, 1).held
    for option in held[0].options:
        assert site.world.rate(actor, answer(option.option_id, 4, comment=comment, **more)) == ["stored"]
    site.world.work()
    return client, actor


def outputs(site: Site) -> list[str]:
    with site.world.parts.store.read() as tx:
        return [option.output_id for option in tx.options.all() if option.output_id]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_before_anything_was_rated(site: Site, path: str) -> None:
    shown = site.signed_in("admin").get(path, headers=PAGE)
    assert shown.status_code == 200
    assert "style=" not in shown.text
    assert "<script>" not in shown.text


@pytest.mark.parametrize(
    "path", ["/admin/studies", "/admin/studies/new", "/admin/jobs", "/api/v1/studies", "/api/v1/jobs"]
)
def test_what_steers_is_for_admins(site: Site, path: str) -> None:
    assert site.signed_in("rater").get(path).status_code == 403
    assert site.visitor().get(path).status_code == 401


def test_status_tells_an_admin_what_was_learnt(site: Site) -> None:
    rated(site, tags=("hazy",))
    study, now = site.world.study.id, site.world.clock.now()
    with site.world.parts.store.begin() as tx:
        tx.diagnoses.add(Learnt(new_id(), study, "h", diagnosis(site.world.admin.user_id, 2, 4.0), now))
    admin = site.signed_in("admin")
    text = admin.get("/status", headers=PAGE).text
    assert "Learnt from 2 ratings" in text
    assert "Best settings so far" in text
    assert "About 0.2 stars still to be had" in text
    assert "best 0.25" in text
    assert 'class="plot"' in text
    assert "Hazy or flat" in text
    report = admin.get("/api/train/status").json()
    assert report["counts"]["ratings"] == 2
    assert report["learnt"]["diagnosis"]["best"]["generator"] == "local"
    assert [one["rater"] for one in report["raters"]] == ["rita@example.org"]


def test_status_tells_an_admin_when_to_stop(site: Site) -> None:
    rated(site)
    study = replace(site.world.study, stop=StopRules(goal=4.5, gain=0.05, at_least=2, ratings=8))
    with site.world.parts.store.begin() as tx:
        tx.studies.replace(study)
        tx.diagnoses.add(Learnt(new_id(), study.id, "h", diagnosis("r", 2, 4.0), site.world.clock.now()))
    admin = site.signed_in("admin")
    text = admin.get("/status", headers=PAGE).text
    assert "The first rule that holds ends the study" in text
    assert "2 ratings of 8." in text
    assert "Go on" in text
    told = {one["rule"]: one for one in admin.get("/api/train/status").json()["stopping"]}
    assert list(told) == ["goal", "gain", "ratings"]
    assert told["ratings"]["near"] == 0.25


def test_an_admin_reads_why_each_option_is_asked(site: Site) -> None:
    rated(site)
    admin = site.signed_in("admin")
    with site.world.parts.store.begin() as tx:
        asked = max((one for one in tx.options.all() if one.state == "ready"), key=lambda one: one.experiment_id)
        known = Why(best=4.06, chance=0.22, rated=1, differs=("exposure",))
        likely = Interval(mean=3.6, low=2.5, high=4.7)
        tx.options.replace(replace(asked, why="explore", expected=likely, evidence=known))
    report = admin.get("/api/train/status").json()
    kept = next(one["option"] for one in report["asked"] if one["option"]["id"] == asked.id)
    assert kept["evidence"] == {"best": 4.06, "chance": 0.22, "rated": 1, "differs": ["exposure"]}
    assert sum(one["ratings"] for one in report["coverage"]["local"]["exposure"]) == 2
    for path in ("/status", f"/history/{asked.experiment_id}"):
        text = admin.get(path, headers=PAGE).text
        assert "Little is known around here" in text
        assert "Expected 3.6 ★, 2.5 to 4.7." in text
        assert "22 % likely to beat the best known then (4.1 ★). Differs from it in exposure." in text


def test_before_anything_is_learnt_the_page_says_what_is_missing(site: Site) -> None:
    admin = site.signed_in("admin")
    assert "No ratings yet" in admin.get("/status", headers=PAGE).text
    rated(site)
    none = diagnosis("r", 2, 4.0).model_copy(update={"best": None, "convergence": None, "parameters": {}})
    with site.world.parts.store.begin() as tx:
        tx.diagnoses.add(Learnt(new_id(), site.world.study.id, "h", none, site.world.clock.now()))
    text = admin.get("/status", headers=PAGE).text
    assert "Too few ratings to tell yet" in text
    assert "Publish these settings" not in text


def test_a_rater_sees_own_numbers_and_nothing_of_how_images_were_made(site: Site) -> None:
    rated(site, "other@example.org", comment="other's words")
    client, _ = rated(site, comment="my words")
    learn(site.world.parts, site.world.study.id)
    for path in ("/status", "/history", "/api/train/status", "/api/train/history", "/api/train/history.csv"):
        text = client.get(path, headers=PAGE).text
        for secret in (
            "exposure",
            "contrast",
            "v1.0.0",
            "other@",
            "other's",
            "local",
            "/media/",
            "experiment_id",
            "rater_id",
        ):
            assert secret not in text, (path, secret)
    assert client.get("/api/train/status").json()["total"] == 2
    assert "my words" in client.get("/history", headers=PAGE).text
    rows = client.get("/api/train/history").json()["rows"]
    assert len(rows) == 2
    assert set(rows[0]) == {
        "id",
        "rated_at",
        "study",
        "score",
        "skip",
        "tags",
        "comment",
        "flagged",
        "late",
        "undone_at",
    }


def test_a_rater_gets_no_experiment_and_no_picture_by_its_id(site: Site) -> None:
    client, _ = rated(site)
    experiment = site.signed_in("admin").get("/api/train/history").json()["rows"][0]
    assert client.get(f"/history/{experiment['experiment_id']}").status_code == 403
    assert client.get(f"/media/output/{experiment['output_id']}").status_code == 403
    assert client.get(f"/media/input/{experiment['input_id']}").status_code == 403


def test_history_filters_by_the_tags_of_each_study(site: Site) -> None:
    world = site.world
    rated(site, tags=("plastic",))
    draft = StudyDraft(name="Other", spaces=world.study.spaces)
    other = make_study(world.parts, world.admin, draft, raters=(EVERYONE,))
    for study, tags in ((world.study, {"plastic": "Looks like plastic"}), (other, {"glass": "Looks like glass"})):
        change_guide(world.parts, world.admin, study.id, study.revision, replace(study.guide, tags=tags))
    for browser in (site.signed_in("admin"), site.signed_in("rater", "rita@example.org")):
        text = browser.get("/history", params={"tag": "plastic"}, headers=PAGE).text
        assert '<option value="plastic" selected>Looks like plastic' in text
        assert '<option value="glass">Looks like glass' in text
        assert '<span class="badge">Looks like plastic</span>' in text
        chosen = browser.get("/history", params={"study": other.id}, headers=PAGE).text
        assert "Looks like plastic" not in chosen
        assert "Looks like glass" in chosen
        assert "Nothing matches" in browser.get("/history", params={"tag": "glass"}, headers=PAGE).text
        assert browser.get("/api/train/history.csv", params={"tag": "glass"}).text.count("\n") == 1
        assert browser.get("/history", params={"tag": '"%'}, headers=PAGE).status_code == 422


def test_history_shows_filters_and_leads_to_the_experiment(site: Site) -> None:
    rated(site, comment="<i>too much</i>")
    admin = site.signed_in("admin")
    text = admin.get("/history", params={"text": "too much"}, headers=PAGE).text
    assert "&lt;i&gt;too much&lt;/i&gt;" in text
    assert "exposure" in text
    assert "/api/train/history.csv?text=too+much" in text
    link = re.search(r"/history/[0-9a-f-]{36}", text)
    assert link is not None
    detail = admin.get(link[0], headers=PAGE).text
    assert "What happened" in detail
    assert "option 1 rated 4" in detail
    assert "Nothing matches" in admin.get("/history", params={"tag": "noisy"}, headers=PAGE).text
    assert admin.get("/history", params={"low": "9"}, headers=PAGE).status_code == 422
    assert admin.get(f"/history/{new_id()}", headers=PAGE).status_code == 404


def test_history_goes_on_where_the_page_before_ended(site: Site) -> None:
    rated(site)
    admin = site.signed_in("admin")
    first = admin.get("/api/train/history", params={"limit": 1}).json()
    second = admin.get("/api/train/history", params={"limit": 1, "after": first["after"]}).json()
    assert len({first["rows"][0]["id"], second["rows"][0]["id"]}) == 2
    assert second["after"] == ""
    assert admin.get("/api/train/history", params={"after": "x"}).status_code == 422


def test_csv_holds_every_row_and_no_formula(site: Site) -> None:
    rated(site, comment='=HYPERLINK("http://x")')
    admin = site.signed_in("admin")
    answered = admin.get("/api/train/history.csv")
    assert "attachment" in answered.headers["content-disposition"]
    rows = table_of(answered)
    assert len(rows) == 2
    assert all(MOMENT.fullmatch(row["rated_at"]) for row in rows)
    assert [row["rated_at"] for row in rows] == [one["rated_at"] for one in admin.get("/api/train/history.json").json()]
    assert {row["comment"] for row in rows} == {'\'=HYPERLINK("http://x")'}
    assert all(set(json.loads(row["point"])) == set(SPACE.parameters) for row in rows)
    assert {row["score"] for row in rows} == {"4.0"}


def test_json_holds_every_row_of_whoever_asks(site: Site) -> None:
    rated(site, "other@example.org")
    mine, _ = rated(site, comment="my words")
    own = mine.get("/api/train/history.json")
    assert "attachment" in own.headers["content-disposition"]
    assert [(row["comment"], "rater" in row) for row in own.json()] == [("my words", False)] * 2
    every = site.signed_in("admin").get("/api/train/history.json", params={"low": "4"}).json()
    assert {row["rater"] for row in every} == {"other@example.org", "rita@example.org"}
    assert len(every) == 4


def test_pictures_come_as_thumbnails_that_may_be_kept(site: Site) -> None:
    rated(site)
    admin = site.signed_in("admin")
    address = f"/media/output/{outputs(site)[0]}"
    whole, small = admin.get(address), admin.get(address, params={"w": 32})
    assert whole.status_code == small.status_code == 200
    assert small.headers["content-type"] == "image/jpeg"
    assert small.headers["x-content-type-options"] == "nosniff"
    assert small.headers["cache-control"].startswith("private, max-age=")
    assert small.headers["etag"] != whole.headers["etag"]
    again = admin.get(address, params={"w": 32}, headers={"If-None-Match": small.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert admin.get(address, params={"w": 9000}).status_code == 422
    assert admin.get(f"/media/output/{new_id()}").status_code == 404


def test_a_study_is_made_changed_paused_and_cloned_by_its_pages(site: Site) -> None:
    admin = site.signed_in("admin")
    made = admin.post("/admin/studies/new", data={**FORM, **EXPOSURE, "name": "Skies", "generator": "local"})
    assert made.status_code == 303
    address = made.headers["location"].partition("#")[0]
    study = admin.get(f"/api/v1/studies/{address.rpartition('/')[2]}").json()
    assert study["spaces"]["local"]["parameters"]["exposure"]["high"] == 0.5
    assert list(study["spaces"]["local"]["parameters"]) == ["exposure"]
    assert study["stop"]["goal"] == 4.5
    more = {**EXPOSURE, "use.style": "yes", "choice.style": ["natural", "vivid"], "default.style": "vivid", "goal": ""}
    changed = admin.post(address, data={**FORM, **more, "name": "Skies 2", "revision": study["revision"]})
    assert changed.status_code == 303
    study = admin.get(f"/api/v1/studies/{study['id']}").json()
    assert study["spaces"]["local"]["parameters"]["style"]["choices"] == ["natural", "vivid"]
    assert (study["name"], study["stop"]["goal"]) == ("Skies 2", None)
    admin.post(f"{address}/state", data={"state": "paused"})
    assert "Resume" in admin.get(address, headers=PAGE).text
    clone = admin.post(f"{address}/clone", data={"name": "Skies 3"}).headers["location"]
    assert "Skies 3" in admin.get(clone, headers=PAGE).text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": ""}, "Give the study a name"),
        ({"default.exposure": "0.7"}, "exposure: the default 0.7 is not between"),
        ({"low.exposure": "x"}, "exposure, low"),
        ({"high.exposure": "9"}, "beyond what the generator can do"),
        ({"raters_wanted": "0"}, "Raters wanted must be between"),
        ({"daily_target": "many"}, "Daily target must be a whole number"),
        ({"goal": "7"}, "from 1 to 5 stars"),
        ({"use.exposure": ""}, "at least one parameter"),
        ({"use.style": "yes", "default.style": "vivid"}, "style, choices"),
    ],
)
def test_a_form_with_a_fault_comes_back_with_the_reason(site: Site, typed: dict[str, str], said: str) -> None:
    shown = site.signed_in("admin").post(
        "/admin/studies/new", data={**FORM, **EXPOSURE, "name": "Skies", **typed}, headers=PAGE
    )
    assert shown.status_code == 422
    assert said in shown.text.replace("&#39;", "'")
    assert 'name="low.exposure"' in shown.text


def test_a_change_on_top_of_anothers_is_refused(site: Site) -> None:
    admin, study = site.signed_in("admin"), site.world.study
    data = {**FORM, **EXPOSURE, "name": "Mine", "revision": str(study.revision)}
    assert admin.post(f"/admin/studies/{study.id}", data=data).status_code == 303
    shown = admin.post(f"/admin/studies/{study.id}", data={**data, "name": "Theirs"}, headers=PAGE)
    assert shown.status_code == 409
    assert "changed this study meanwhile" in shown.text


def test_studies_are_steered_by_rest(site: Site) -> None:
    admin = site.signed_in("admin")
    draft = {"name": "Skies", "spaces": {"local": SPACE.model_dump(mode="json")}}
    made = admin.post("/api/v1/studies", json=draft)
    assert made.status_code == 201
    address = f"/api/v1/studies/{made.json()['id']}"
    changed = admin.patch(address, json={"revision": 0, "name": "Seas"})
    assert (changed.json()["name"], changed.json()["spaces"]) == ("Seas", made.json()["spaces"])
    assert admin.patch(address, json={"revision": 0, "name": "Lakes"}).status_code == 409
    assert admin.post(f"{address}/pause").json()["state"] == "paused"
    assert admin.post(f"{address}/resume").json()["state"] == "running"
    assert admin.post(f"{address}/archive").json()["state"] == "archived"
    assert admin.post(f"{address}/resume").status_code == 409
    assert admin.post(f"{address}/clone", json={"name": "Copy"}).status_code == 201
    assert {line["study"]["name"] for line in admin.get("/api/v1/studies").json()} == {"Photos", "Seas", "Copy"}
    assert admin.get(f"/api/v1/studies/{new_id()}").status_code == 404
    added = admin.post(f"{address}/inputs", files={"file": ("sky.jpg", photo(104), "image/jpeg")})
    assert added.status_code == 201
    assert [admin.delete(f"/api/v1/inputs/{added.json()['id']}").status_code for _ in range(2)] == [204, 204]


def test_a_parked_job_is_shown_with_its_reason_and_retried(site: Site) -> None:
    now, study = site.world.clock.now(), site.world.study
    job = Job(new_id(), "k", "learn", {}, now, now, "parked", attempts=5, error="It broke.", study_id=study.id)
    with site.world.parts.store.begin() as tx:
        tx.jobs.add(job)
    admin = site.signed_in("admin")
    assert "It broke." in admin.get("/admin/jobs", headers=PAGE).text
    assert "/admin/jobs" in admin.get("/status", headers=PAGE).text
    assert [one["id"] for one in admin.get("/api/v1/jobs").json()] == [job.id]
    assert admin.post(f"/admin/jobs/{job.id}/retry").status_code == 303
    assert admin.get("/api/v1/jobs").json() == []
    assert admin.post(f"/api/v1/jobs/{job.id}/retry").status_code == 409


def test_changes_are_announced_once_each() -> None:
    numbers = iter(["a", "a", "b", "b"])

    async def heard() -> list[str]:
        stream = changes(lambda: next(numbers), Event(), pause=0)
        return [await anext(stream) for _ in range(3)]

    retry, first, second = asyncio.run(heard())
    assert retry.startswith("retry: ")
    assert first == 'event: change\nid: a\ndata: {"change": "a"}\n\n'
    assert "id: b" in second


def test_a_quiet_line_shows_that_it_is_alive() -> None:
    async def heard() -> list[str]:
        stream = changes(lambda: "a", Event(), pause=0)
        return [await anext(stream) for _ in range(3)]

    assert asyncio.run(heard())[2].startswith(":")


def test_a_line_ends_with_the_server_and_while_the_database_is_away() -> None:
    def away() -> str:
        raise Unavailable("The database does not answer.")

    async def heard(look: Callable[[], str]) -> list[str]:
        return [line async for line in changes(look, ending, pause=0)]

    ending = Event()
    assert len(asyncio.run(heard(away))) == 1
    ending.set()
    assert len(asyncio.run(heard(lambda: "a"))) == 1


def test_nobody_listens_without_a_session(site: Site) -> None:
    assert site.visitor().get("/api/train/events").status_code == 401


def test_a_study_of_another_project_is_not_found(site: Site) -> None:
    admin = site.signed_in("admin")
    for path in ("/status", "/api/train/status", "/api/train/events"):
        assert admin.get(path, params={"study": new_id()}).status_code == 404
