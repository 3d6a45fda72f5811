"""What a study's pages and routes say of its stop rules, of where it starts from and of its optimizer's settings."""

import re
from pathlib import Path

import pytest

from ml_service.wire.contract import FloatParameter, ParameterSpace
from tests.clock import FixedClock
from tests.rows import Rows
from tests.site import Site
from tests.world import make_world
from web.adapters.database.store import SqlStore
from web.domain.studies.assigning import EVERYONE
from web.domain.studies.study import StopRules, Study
from web.services.learning.stopping import stop_if_due
from web.services.studies.studies import StudyDraft, make_study
from web.settings import Settings

PAGE = {"Accept": "text/html"}
FORM = {
    "name": "Photos",
    "options_per_experiment": "2",
    "raters_wanted": "1",
    "daily_target": "50",
    "calibration": "4",
    "use.exposure": "yes",
    "low.exposure": "-1",
    "high.exposure": "1",
    "default.exposure": "0",
    "step.exposure": "",
}
RULES = {
    "goal": "4.5",
    "probability": "0.9",
    "gain": "0.05",
    "patience": "60",
    "at_least": "40",
    "budget": "12.50",
    "ratings": "200",
}


@pytest.fixture
def site(store: SqlStore, clock: FixedClock, tmp_path: Path) -> Site:
    return Site(make_world(store, clock, tmp_path, inputs=0), Settings(_env_file=None))


def finished(site: Site) -> Study:
    """A study of the site that three ratings finished."""
    world = site.world
    space = ParameterSpace(parameters={"exposure": FloatParameter(low=-1, high=1, default=0)})
    draft = StudyDraft("Skies", {"local": space}, stop=StopRules(ratings=3))
    study = make_study(world.parts, world.admin, draft, raters=(EVERYONE,))
    rows = Rows(world.parts.store, world.clock.now())  # type: ignore[arg-type]
    rows.study = study
    photo = rows.source()
    for exposure in (0.1, 0.2, 0.3):
        rows.rate(rows.option(photo, exposure), rows.anna)
    stop_if_due(world.parts, study.id)
    return study


def test_the_practice_of_newcomers_is_set_by_the_form_and_by_the_api(site: Site) -> None:
    admin, study = site.signed_in("admin"), site.world.study.id
    assert admin.get(f"/api/v1/studies/{study}").json()["calibration"] == 10
    assert admin.post(f"/admin/studies/{study}", data={**FORM, "revision": "0"}).status_code == 303
    assert 'name="calibration" type="number" min="0" max="50" step="1" value="4"' in admin.get(
        f"/admin/studies/{study}", headers=PAGE
    ).text.replace("\n", "")
    changed = admin.patch(f"/api/v1/studies/{study}", json={"revision": 1, "calibration": 0})
    assert (changed.status_code, changed.json()["calibration"]) == (200, 0)
    assert admin.patch(f"/api/v1/studies/{study}", json={"revision": 2, "calibration": 51}).status_code == 422
    assert admin.post(f"/admin/studies/{study}", data={**FORM, "calibration": "-1", "revision": "2"}).status_code == 422


def test_stop_rules_are_set_by_the_form_and_taken_off_by_an_empty_field(site: Site) -> None:
    admin, address = site.signed_in("admin"), f"/admin/studies/{site.world.study.id}"
    assert admin.post(address, data={**FORM, **RULES, "revision": "0"}).status_code == 303
    study = admin.get(f"/api/v1/studies/{site.world.study.id}").json()
    assert study["stop"] == {
        "goal": 4.5,
        "probability": 0.9,
        "gain": 0.05,
        "patience": 60,
        "at_least": 40,
        "budget_micros": 12_500_000,
        "ratings": 200,
    }
    shown = admin.get(address, headers=PAGE).text
    assert "0 ratings of 200." in shown
    assert "$0.00 of $12.50 are spent." in shown
    none = {**FORM, **dict.fromkeys(RULES, ""), "revision": "1"}
    assert admin.post(address, data=none).status_code == 303
    study = admin.get(f"/api/v1/studies/{site.world.study.id}").json()
    assert [name for name, limit in study["stop"].items() if limit is not None] == ["probability", "at_least"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"gain": "much"}, "Gain must be a number"),
        ({"probability": "1"}, "from 0.5 to 0.999"),
        ({"budget": "-1"}, "The budget must be more than $0"),
        ({"budget": "1e999"}, "Budget must be a number"),
        ({"exploration": "5"}, "Exploration must be between 0 and 4"),
        ({"seed": "x"}, "Seed must be a whole number"),
        ({"starts_from": "nothing"}, "Choose another study"),
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_rule_or_setting_that_means_nothing_comes_back_with_the_reason(
    site: Site, typed: dict[str, str], said: str
) -> None:
    shown = site.signed_in("admin").post(
        f"/admin/studies/{site.world.study.id}", data={**FORM, **typed, "revision": "0"}, headers=PAGE
    )
    assert shown.status_code == 422
    assert said in shown.text


def test_a_form_of_before_there_were_rules_leaves_them_as_they_are(site: Site) -> None:
    admin, address = site.signed_in("admin"), f"/admin/studies/{site.world.study.id}"
    admin.post(address, data={**FORM, **RULES, "seed": "3", "exploration": "2", "revision": "0"})
    before = admin.get(f"/api/v1/studies/{site.world.study.id}").json()
    assert admin.post(address, data={**FORM, "revision": "1"}).status_code == 303
    after = admin.get(f"/api/v1/studies/{site.world.study.id}").json()
    assert {**after, "revision": 1} == before
    assert (after["seed"], after["optimizer"]) == (3, {"exploration": 2.0, "initial": 10})


def test_a_finished_study_says_why_and_goes_on_when_it_is_resumed(site: Site) -> None:
    study, admin = finished(site), site.signed_in("admin")
    address = f"/admin/studies/{study.id}"
    shown = admin.get(address, headers=PAGE).text
    assert "3 ratings of 3." in shown
    assert "this rule is switched off" in shown
    (standing,) = admin.get(f"/api/v1/studies/{study.id}/stopping").json()
    assert (standing["rule"], standing["near"], standing["holds"]) == ("ratings", 1, True)
    turn = site.signed_in().get("/api/train/next", params={"study": study.id}).json()
    assert (turn["state"], turn["experiments"]) == ("finished", [])
    assert turn["message"] == "Skies has learnt what it set out to learn. Every rating helped; thank you."
    audit = re.sub(r"<[^>]+>", "", admin.get("/admin/audit", headers=PAGE).text)
    assert re.search(r"Palate\s+finished the study Skies: 3 ratings of 3\.", audit)
    resumed = admin.post(f"/api/v1/studies/{study.id}/resume").json()
    assert (resumed["state"], resumed["stopped"], resumed["stop"]["ratings"]) == ("running", None, None)
    assert admin.post(f"{address}/state", data={"state": "finished"}, headers=PAGE).status_code == 409


def test_raising_the_limit_keeps_the_rule_of_a_finished_study(site: Site) -> None:
    study, admin = finished(site), site.signed_in("admin")
    draft = {"revision": 1, "stop": {"ratings": 9}}
    assert admin.patch(f"/api/v1/studies/{study.id}", json=draft).json()["state"] == "finished"
    assert "stays on if you resume it" in admin.get(f"/admin/studies/{study.id}", headers=PAGE).text
    assert admin.post(f"/api/v1/studies/{study.id}/resume").json()["stop"]["ratings"] == 9


def test_a_study_that_starts_from_another_says_so_on_its_page(site: Site) -> None:
    admin, origin = site.signed_in("admin"), site.world.study.id
    made = admin.post("/admin/studies/new", data={**FORM, "generator": "local", "starts_from": origin})
    address = made.headers["location"].partition("#")[0]
    assert f'Starts from the ratings of <a href="/admin/studies/{origin}">Photos</a>' in admin.get(address).text
    clone = admin.post(f"/admin/studies/{origin}/clone", data={"name": "Warm", "warm": "yes"}).headers["location"]
    assert "Starts from the ratings of" in admin.get(clone).text
    made = admin.post(f"/api/v1/studies/{origin}/clone", json={"name": "Cold"})
    assert made.json()["starts_from"] is None
    changed = admin.patch(f"/api/v1{address.removeprefix('/admin')}", json={"revision": 0, "starts_from": ""})
    assert changed.json()["starts_from"] is None
    foreign = admin.post("/api/v1/studies", json={"name": "A", "spaces": {}, "starts_from": origin})
    assert foreign.status_code == 422


def test_a_study_whose_origin_is_gone_says_that_it_is(site: Site) -> None:
    world = site.world
    with world.parts.store.begin() as tx:
        study = tx.studies.get(world.study.id)
        tx.studies.replace(Study(**{**study.__dict__, "starts_from": "of another place"}))
    shown = site.signed_in("admin").get(f"/admin/studies/{world.study.id}", headers=PAGE).text
    assert "The study that this one started from is not here" in shown
