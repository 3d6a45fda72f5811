"""Raters come in by a guide, consent and calibration; admins pause, calibrate again, answer, and pay."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.site import Site, table_of
from tests.world import answer
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.rating.gold import Gold
from web.domain.rating.lease import Asker
from web.domain.studies.experiment import Experiment, Option
from web.domain.studies.guide import ANCHORS, WORDS, Guide
from web.domain.studies.study import CALIBRATION
from web.services.rating import enrolment, turns

TAGS = {"plastic": "Looks like plastic"}


def browser(site: Site, actor: Actor) -> TestClient:
    """Return the browser of somebody."""
    return site.signed_in("admin" if actor.role == "admin" else "rater", actor.email)


def told(client: TestClient, admin_of: Site, **changes: Any) -> dict[str, Any]:
    """Change the guide of the study of a site, and return the study."""
    at = f"/api/v1/studies/{admin_of.world.study.id}"
    revision = client.get(at).json()["revision"]
    guide = {"words": WORDS, "anchors": ANCHORS, "tags": TAGS, **changes}
    answered = client.put(f"{at}/guide", json={"revision": revision, **guide})
    assert answered.status_code == 200, answered.text
    return dict(answered.json())


def calibrating(site: Site, count: int, of: int = 0) -> list[Option]:
    """Make calibration items of what the study has."""
    world, now = site.world, site.world.clock.now()
    world.hold(world.admin)
    with world.parts.store.begin() as tx:
        made = [option for option in tx.options.all(study_id=world.study.id) if option.output_id][of]
        options = []
        for _ in range(count):
            one = Experiment(new_id(), world.study.id, made.input_id, "calibration", "ready", now, now)
            tx.experiments.add(one)
            options.append(
                tx.options.add(Option(**{**made.__dict__, "id": new_id(), "experiment_id": one.id, "revision": 0}))
            )
            tx.golds.add(Gold(new_id(), one.id, world.study.id, 3, 4, "agreement", now))
    return options


def test_raters_are_told_what_an_admin_wrote(site: Site) -> None:
    admin, rater = browser(site, site.world.admin), browser(site, site.world.person())
    first = rater.get("/api/train/guide").json()
    assert first["words"] == WORDS
    assert [anchor["label"] for anchor in first["anchors"]] == ["Bad", "Poor", "Fair", "Good", "Excellent"]
    assert (first["consent"], first["consent_hash"], first["unsafe_ok"]) == ("", "", True)
    told(admin, site, words="Look at the skin.", anchors=ANCHORS | {"1": "Throw it away."})
    then = rater.get("/api/train/guide", params={"study": site.world.study.id}).json()
    assert (then["words"], then["anchors"][0]["words"], then["tags"]) == ("Look at the skin.", "Throw it away.", TAGS)


def test_an_example_is_seen_by_every_rater_until_it_is_taken_down(site: Site) -> None:
    admin, rater = browser(site, site.world.admin), browser(site, site.world.person())
    option = calibrating(site, 1)[0]
    told(admin, site, examples={"4": option.output_id})
    url = rater.get("/api/train/guide").json()["anchors"][3]["example_url"]
    shown = rater.get(url)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert rater.get(url, headers={"If-None-Match": shown.headers["etag"]}).status_code == 304
    assert admin.delete(f"/api/v1/inputs/{option.input_id}").status_code == 204
    assert rater.get("/api/train/guide").json()["anchors"][3]["example_url"] is None
    assert rater.get(url).status_code == 404


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tags": {}}, "1 to 12 tags"),
        ({"words": " "}, "need words"),
        ({"examples": {"4": "nothing"}}, "no image of this project"),
        ({"revision": 99}, "changed this study"),
    ],
)
def test_a_guide_that_cannot_be_is_refused(site: Site, changes: dict[str, Any], says: str) -> None:
    admin = browser(site, site.world.admin)
    guide = {"revision": 0, "words": WORDS, "anchors": ANCHORS, "tags": TAGS, **changes}
    answered = admin.put(f"/api/v1/studies/{site.world.study.id}/guide", json=guide)
    assert answered.status_code in (409, 422)
    assert says in answered.json()["detail"]
    with site.world.parts.store.read() as tx:
        assert tx.studies.get(site.world.study.id).guide == Guide()


def test_consent_is_asked_for_until_it_is_given_and_again_when_the_words_change(site: Site) -> None:
    admin, rater = browser(site, site.world.admin), browser(site, site.world.person())
    site.world.work()
    assert rater.get("/api/train/next").json()["onboarding"] == {"consent": False, "guidelines": True, "training": None}
    told(admin, site, consent="You are paid by the hour.")
    turn = rater.get("/api/train/next").json()
    assert (turn["onboarding"]["consent"], turn["experiments"]) == (True, [])
    agreed = {"consent": rater.get("/api/train/guide").json()["consent_hash"]}
    for _ in range(2):
        due = rater.post("/api/train/enrolment", json=agreed).json()
        assert due == {"consent": False, "guidelines": True, "training": None}
    rater.get("/api/train/next")
    site.world.work()
    assert rater.get("/api/train/next").json()["experiments"] != []
    told(admin, site, consent="You are paid by the rating.")
    assert rater.get("/api/train/next").json()["onboarding"] == {"consent": True, "guidelines": True, "training": None}
    stale = rater.post("/api/train/enrolment", json=agreed)
    assert stale.status_code == 200  # they agreed to it, though it is not what is asked now
    assert rater.post("/api/train/enrolment", json={"consent": "0" * 64}).status_code == 409
    with site.world.parts.store.read() as tx:
        assert len([event for event in tx.events.all() if event.action == "rater.consented"]) == 1


def test_a_calibration_is_counted_until_it_is_done_and_can_be_asked_for_again(site: Site) -> None:
    world, person = site.world, site.world.person()
    admin, rater = browser(site, world.admin), browser(site, person)
    options = calibrating(site, CALIBRATION)
    due = rater.post("/api/train/enrolment", json={"read": True}).json()
    assert due["training"] == {"done": 0, "of": CALIBRATION}
    asker = Asker(world.study.id, person.user_id, 1, world.clock.now())
    with world.parts.store.begin() as tx:
        turns.calibrate(tx, asker, "tab", CALIBRATION)
    for number, option in enumerate(options):
        due = rater.post("/api/train/enrolment", json={}).json()
        assert due["training"] == {"done": number, "of": CALIBRATION}
        assert world.rate(person, answer(option.id)) == ["stored"]
    assert rater.get("/api/train/next").json()["onboarding"]["training"] is None
    with world.parts.store.read() as tx:
        place = tx.enrolments.find(study_id=world.study.id, rater_id=person.user_id)
        assert place is not None
        assert place.calibration_since is None
    at = f"/api/v1/studies/{world.study.id}/raters/{person.user_id}"
    world.clock.advance(minutes=1)
    calibrating(site, 2, of=1)
    assert admin.post(f"{at}/recalibrate").json()["recalibrate_from"] is not None
    assert rater.get("/api/train/next").json()["onboarding"]["training"] == {"done": 0, "of": 2}


def test_a_paused_rater_reads_why_keeps_their_place_and_goes_on_when_resumed(site: Site) -> None:
    world, person = site.world, site.world.person()
    admin, rater = browser(site, world.admin), browser(site, person)
    world.hold(person)
    at = f"/api/v1/studies/{world.study.id}/raters/{person.user_id}"
    assert admin.post(f"{at}/pause", json={"words": "  "}).status_code == 422
    for _ in range(2):
        assert admin.post(f"{at}/pause", json={"words": "Please wait for a call."}).status_code == 200
    turn = rater.get("/api/train/next").json()
    assert (turn["state"], turn["experiments"]) == ("paused", [])
    assert "Please wait for a call." in turn["message"]
    assert rater.post(f"{at}/resume").status_code == 403
    assert admin.post(f"{at}/resume").json()["paused_at"] is None
    assert rater.get("/api/train/next", headers={"X-Tab": "tab"}).json()["state"] == "ready"
    with world.parts.store.read() as tx:
        told = [event for event in tx.events.all() if event.action.startswith("rater.")]
    assert sorted(event.action for event in told) == ["rater.paused", "rater.resumed"]
    assert {event.object_id for event in told} == {person.user_id}


def test_an_appeal_is_answered_once_there_is_one(site: Site) -> None:
    world, person = site.world, site.world.person()
    admin, rater = browser(site, world.admin), browser(site, person)
    at = f"/api/v1/studies/{world.study.id}/raters/{person.user_id}"
    assert admin.post(f"{at}/answer", json={"words": "No."}).status_code == 409
    assert rater.post("/api/train/appeal", json={"words": "My screen was broken."}).status_code == 200
    place = admin.get(f"/api/v1/studies/{world.study.id}/raters").json()[0]
    assert (place["rater_id"], place["appeal"]) == (person.user_id, "My screen was broken.")
    admin.post(f"{at}/answer", json={"words": "Then we start anew."})
    again = rater.post("/api/train/appeal", json={"words": "Thanks, and one more thing."}).json()
    assert again == {"appeal": "Thanks, and one more thing.", "answered": ""}


def test_who_rates_nowhere_here_cannot_be_paused(site: Site) -> None:
    admin = browser(site, site.world.admin)
    at = f"/api/v1/studies/{site.world.study.id}/raters/{new_id()}"
    assert admin.post(f"{at}/pause", json={"words": "Who?"}).status_code == 404


def test_work_is_paid_by_what_stands_and_by_a_minute_a_photo_at_most(site: Site) -> None:
    world, person = site.world, site.world.person()
    admin = browser(site, world.admin)
    turn = world.hold(person)
    first, second, third = [option.option_id for held in turn.held for option in held.options][:3]
    given = (answer(first, seen_ms=3_600_000), answer(second, None, skip="broken", seen_ms=30_000))
    assert world.rate(person, *given, answer(third, seen_ms=90_000)) == ["stored"] * 3
    today = world.clock.now().date()
    line = admin.get("/api/v1/pay.json").json()[0]
    assert (line["rater"], line["ratings"], line["skips"]) == (person.email, 2, 1)
    assert line["samples"] in (1, 2)
    assert line["visible_hours"] == pytest.approx(150 / 3600, abs=1e-4)
    told = table_of(admin.get("/api/v1/pay.csv", params={"from": f"{today}", "to": f"{today}"}))[0]
    assert list(told) == ["rater", "rater_id", "ratings", "skips", "samples", "visible_hours"]
    assert list(told.values())[:4] == [person.email, person.user_id, "2", "1"]
    tomorrow = today + timedelta(days=1)
    assert admin.get("/api/v1/pay.json", params={"from": f"{tomorrow}", "to": f"{tomorrow}"}).json() == []
    assert admin.get("/api/v1/pay.json", params={"from": f"{tomorrow}", "to": f"{today}"}).status_code == 422


@pytest.mark.parametrize(
    ("zone", "first", "second"),
    [("UTC", 1, 1), ("Asia/Tokyo", 0, 2), ("America/New_York", 2, 0)],
)
def test_a_pay_period_has_the_days_of_who_pays(site: Site, zone: str, first: int, second: int) -> None:
    world, person = site.world, site.world.person()
    admin = browser(site, world.admin)
    options = [option.option_id for held in world.hold(person).held for option in held.options]
    for hour, option in zip((20, 27), options, strict=False):  # Tokyo's next day begins at 15:00, New York's at 5:00
        world.clock.time = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour)
        world.rate(person, answer(option))

    def counted(day: str, **more: str) -> int:
        lines = admin.get("/api/v1/pay.json", params={"from": day, "to": day, **more}).json()
        return int(lines[0]["ratings"]) if lines else 0

    assert [counted(day, zone=zone) for day in ("2026-03-01", "2026-03-02")] == [first, second]
    enrolment.choose_time_zone(world.parts, world.admin, zone)
    assert [counted(day) for day in ("2026-03-01", "2026-03-02")] == [first, second]
    assert f"midnight in {zone}," in admin.get("/admin/raters", headers={"Accept": "text/html"}).text
    file = admin.get("/api/v1/pay.csv", params={"from": "2026-03-01", "to": "2026-03-01"})
    assert f"2026-03-01-{zone.replace('/', '-')}.csv" in file.headers["content-disposition"]
    assert admin.get("/api/v1/pay.json", params={"zone": "Mars/Olympus"}).status_code == 422


def test_a_message_is_seen_until_it_was_read_and_told_once(site: Site) -> None:
    world, person = site.world, site.world.person()
    admin, rater = browser(site, world.admin), browser(site, person)
    at = f"/api/v1/studies/{world.study.id}/raters/{person.user_id}"
    assert rater.get("/api/train/next").json()["from_admin"] is None
    for wrong in ("  ", "x" * 501):
        assert admin.post(f"{at}/message", json={"words": wrong}).status_code == 422
    assert rater.post(f"{at}/message", json={"words": "Hello?"}).status_code == 403
    first, again = (admin.post(f"{at}/message", json={"words": "Use <all> of the scale."}).json() for _ in range(2))
    assert first == again
    shown = rater.get("/api/train/next").json()["from_admin"]
    assert shown["words"] == "Use <all> of the scale."
    world.clock.advance(seconds=1)
    admin.post(f"{at}/message", json={"words": "Thank you."})
    rater.post("/api/train/enrolment", json={"message_read": shown["at"]})
    newer = rater.get("/api/train/next").json()["from_admin"]
    assert newer["words"] == "Thank you."  # what was read was the one before
    for _ in range(2):
        assert rater.post("/api/train/enrolment", json={"message_read": newer["at"]}).status_code == 200
    assert rater.get("/api/train/next").json()["from_admin"] is None
    with world.parts.store.read() as tx:
        told = [event.note for event in tx.events.all(action="rater.messaged")]
    assert sorted(told) == ["Thank you.", "Use <all> of the scale."]


def test_a_day_begins_at_the_midnight_that_a_rater_chose(site: Site) -> None:
    person = site.world.person()
    rater = browser(site, person)
    assert rater.post("/api/train/enrolment", json={"time_zone": "Asia/Tokyo"}).status_code == 200
    assert rater.post("/api/train/enrolment", json={"time_zone": "Mars/Olympus"}).status_code == 422
    assert _zone(site, person) == "Asia/Tokyo"


def _zone(site: Site, person: Actor) -> str:
    with site.world.parts.store.read() as tx:
        return tx.users.get(person.user_id).time_zone
