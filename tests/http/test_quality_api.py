"""Quality control over HTTP on both engines: what raters may not notice, and what admins do about ratings."""

from dataclasses import replace

from tests.site import Site
from tests.world import answer
from web.domain.ids import new_id
from web.domain.rating.enrolment import Enrolment
from web.domain.studies.study import Shares
from web.jobs import tasks
from web.jobs.tasks import TASKS
from web.jobs.worker import Worker
from web.services.rating import training


def work(site: Site) -> None:
    """Make what is to be made, and learn nothing."""
    site.world.clock.advance(seconds=10)
    worker = Worker(site.world.parts, {**TASKS, "learn": lambda *_: None, "plan": lambda *_: None})
    while worker.step():
        pass


def test_a_gold_item_looks_like_any_other_and_has_a_page_for_admins(site: Site) -> None:
    world, rater = site.world, site.signed_in("rater")
    tasks.plan(world.parts, world.study.id, depth=6)
    work(site)
    with world.parts.store.begin() as tx:
        study = tx.studies.get(world.study.id)
        tx.studies.replace(replace(study, shares=Shares(ab=0, explore=0, gold=1, repeat=0, overlap=0)))
    first = rater.get("/api/train/next", params={"n": 1}).json()["experiments"]
    work(site)
    second = rater.get("/api/train/next", params={"n": 2}).json()["experiments"]
    with world.parts.store.read() as tx:
        (item,) = [one for one in second if tx.experiments.get(one["experiment_id"]).kind == "gold"]
        usual = first[0]
        text = str(tx.golds.all(experiment_id=item["experiment_id"]))
    assert "degraded" in text
    assert item.keys() == usual.keys()
    assert item["options"][0].keys() == usual["options"][0].keys()
    image = rater.get(item["options"][0]["image_url"])
    other = rater.get(usual["options"][0]["image_url"])
    assert image.status_code == other.status_code == 200
    assert image.headers.keys() == other.headers.keys()
    sizes = {(one["options"][0]["width"], one["options"][0]["height"]) for one in (item, usual)}
    assert len(sizes) == 1
    sent = [
        {"id": new_id(), "option_id": one["options"][0]["option_id"], "score": 5, "seen_ms": 900}
        for one in (item, usual)
    ]
    one, two = rater.post("/api/train/rate", json={"answers": sent}).json()["verdicts"]
    assert {**one, "id": ""} == {**two, "id": ""}
    page = site.signed_in("admin").get(f"/history/{item['experiment_id']}")
    assert page.status_code == 200
    assert "degraded" in page.text


def test_calibration_answers_come_back_with_what_is_right(site: Site) -> None:
    world, rater = site.world, site.signed_in("rater")
    user_id = _me(site)
    with world.parts.store.begin() as tx:
        now = world.clock.now()
        tx.enrolments.add(Enrolment(new_id(), world.study.id, user_id, now, read_at=now))
    assert rater.get("/api/train/next").json()["experiments"] == []
    work(site)
    (one, *_) = rater.get("/api/train/next").json()["experiments"]
    sent = {"id": new_id(), "option_id": one["options"][0]["option_id"], "score": 5}
    (verdict,) = rater.post("/api/train/rate", json={"answers": [sent]}).json()["verdicts"]
    with world.parts.store.read() as tx:
        gold = tx.golds.find(experiment_id=one["experiment_id"])
    assert gold is not None
    assert (verdict["verdict"], verdict["right"]) == ("stored", [gold.low, gold.high])


def _me(site: Site) -> str:
    with site.world.parts.store.read() as tx:
        return [one.user_id for one in tx.memberships.all(role="rater")][-1]


def test_an_admin_excludes_a_rater_and_lifts_it_over_the_api(site: Site) -> None:
    world, admin = site.world, site.signed_in("admin")
    rater = world.person()
    tasks.plan(world.parts, world.study.id, depth=4)
    work(site)
    held = training.next_items(world.parts, rater, "tab", 1).held[0]
    world.rate(rater, answer(held.options[0].option_id))
    place = f"/api/v1/studies/{world.study.id}/raters/{rater.user_id}/exclude"
    assert admin.post(place, json={"reason": ""}).status_code == 422
    made = admin.post(place, json={"reason": "clicks at random", "since": "2026-01-01T00:00:00Z"})
    assert made.status_code == 200
    (listed,) = admin.get(f"/api/v1/studies/{world.study.id}/exclusions").json()
    assert listed == made.json()
    assert (listed["rater_id"], listed["reason"], listed["lifted_at"]) == (rater.user_id, "clicks at random", None)
    with world.parts.store.read() as tx:
        assert tx.of_studies.figures(world.study.id).ratings == 0
    lifted = admin.post(f"/api/v1/exclusions/{listed['id']}/lift")
    assert lifted.json()["lifted_at"] is not None
    with world.parts.store.read() as tx:
        assert tx.of_studies.figures(world.study.id).ratings == 1
