"""A study over two generators, made by the API: its pages name both, and each shows what is the generator's own."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import NotFound
from tests.clock import FixedClock
from tests.second import SECOND, Second
from tests.site import Site
from tests.world import SPACE, World, answer, make_world
from web.adapters.database.store import SqlStore
from web.adapters.generators.atonce import AtOnce
from web.services.learning import learn
from web.services.making import generation
from web.settings import Settings

BOTH = {"local": SPACE.model_dump(mode="json"), "second": SECOND.model_dump(mode="json")}
PAGE = {"Accept": "text/html"}


@pytest.fixture
def site(store: SqlStore, clock: FixedClock, tmp_path: Path) -> Site:
    world = make_world(store, clock, tmp_path, inputs=0)
    world.parts = replace(world.parts, generators={**world.parts.generators, "second": AtOnce(Second())})
    return Site(world, Settings(_env_file=None))


def rated(world: World) -> None:
    """Rate what comes, the second generator's options higher."""
    world.add_inputs(4)
    rater = world.person()
    for _ in range(6):
        options = [shown.option_id for held in world.hold(rater).held for shown in held.options]
        with world.parts.store.read() as tx:
            found = tx.options.all(id=tuple(options))
        world.rate(rater, *(answer(one.id, 5 if one.generator == "second" else 2) for one in found))


def test_a_study_of_two_generators_is_made_shown_changed_and_published(site: Site) -> None:
    admin, world = site.signed_in("admin"), site.world
    made = admin.post("/api/v1/studies", json={"name": "Both", "spaces": BOTH, "raters": "everyone"})
    assert made.status_code == 201
    assert list(made.json()["spaces"]) == ["local", "second"]
    unknown = admin.post("/api/v1/studies", json={"name": "No", "spaces": {**BOTH, "third": BOTH["local"]}})
    assert (unknown.status_code, "Choose one generator, or up to 16, of: local, second." in unknown.text) == (422, True)
    study = made.json()["id"]
    with world.parts.store.read() as tx:
        world.study = tx.studies.get(study)
    rated(world)
    learnt = learn.learn(world.parts, study)
    assert learnt.diagnosis.best is not None
    assert learnt.diagnosis.best.generator == "second"

    assert "local, second, 4 parameters" in admin.get("/admin/studies", headers=PAGE).text
    status = admin.get("/status", params={"study": study}, headers=PAGE).text
    assert '<h2>Best settings so far <small class="muted">second</small></h2>' in status
    assert "local: contrast" in status
    assert "second: saturation" in status
    report = admin.get("/api/train/status", params={"study": study}).json()
    assert {one["generator"] for one in report["versions"]} == {"local", "second"}
    with world.parts.store.read() as tx:
        shown = tx.options.all(study_id=study)[0].experiment_id
    assert admin.get(f"/history/{shown}", headers=PAGE).status_code == 200

    publishing = admin.get(f"/admin/prompts/{world.study.prompt_key}/publish", params={"study": study}, headers=PAGE)
    assert 'What changes <small class="muted">second</small>' in publishing.text
    pictures = [one.replace("&amp;", "&") for one in re.findall(r'src="([^"]*/preview/[^"]*)"', publishing.text)]
    assert {one.partition("?")[2] for one in pictures} == {"generator=second", f"best={learnt.id}"}
    old, new = (admin.get(one) for one in pictures[:2])
    assert (old.status_code, new.status_code) == (200, 200)
    assert old.content != new.content
    assert admin.get(pictures[0].replace("second", "third")).status_code == 404


def test_the_form_has_the_parameters_of_both_and_keeps_what_it_does_not_change(site: Site) -> None:
    admin = site.signed_in("admin")
    study = admin.post("/api/v1/studies", json={"name": "Both", "spaces": BOTH, "raters": "everyone"}).json()["id"]
    page = admin.get(f"/admin/studies/{study}", headers=PAGE).text
    assert "local and second with the prompt" in page
    assert 'name="use.local.exposure"' in page
    assert 'name="use.second.exposure"' in page
    fields = {
        "name": "Both",
        "options_per_experiment": "2",
        "raters_wanted": "1",
        "daily_target": "50",
        "revision": "0",
        "csrf_token": admin.headers["X-CSRF-Token"],
        **{f"use.{name}": "yes" for name in ("local.contrast", "second.saturation")},
        "low.local.contrast": "0.8",
        "high.local.contrast": "1.2",
        "default.local.contrast": "1",
        "low.second.saturation": "0.5",
        "high.second.saturation": "1.5",
        "default.second.saturation": "1",
    }
    nothing = {name: value for name, value in fields.items() if name != "use.second.saturation"}
    refused = admin.post(f"/admin/studies/{study}", data=nothing, headers=PAGE)
    assert (refused.status_code, "Choose at least one parameter to tune." in refused.text) == (422, True)
    assert admin.post(f"/admin/studies/{study}", data=fields, headers=PAGE).status_code == 303
    spaces = admin.get(f"/api/v1/studies/{study}").json()["spaces"]
    assert {name: list(space["parameters"]) for name, space in spaces.items()} == {
        "local": ["contrast"],
        "second": ["saturation"],
    }
    assert spaces["local"]["parameters"]["contrast"]["low"] == 0.8


def test_a_generator_that_was_taken_out_is_told_of_and_breaks_no_page(site: Site) -> None:
    admin, world = site.signed_in("admin"), site.world
    study = admin.post("/api/v1/studies", json={"name": "Both", "spaces": BOTH, "raters": "everyone"}).json()["id"]
    with world.parts.store.read() as tx:
        world.study = tx.studies.get(study)
    rated(world)
    learn.learn(world.parts, study)
    with world.parts.store.read() as tx:
        made = next(one for one in tx.options.all(study_id=study) if one.generator == "second")
    left = replace(world.parts, generators={"local": world.parts.generators["local"]})
    bare = Site(replace(world, parts=left), Settings(_env_file=None)).signed_in("admin")
    for page in (f"/admin/studies/{study}", f"/status?study={study}", f"/history/{made.experiment_id}"):
        assert bare.get(page, headers=PAGE).status_code == 200, page
    publishing = bare.get(f"/admin/prompts/{world.study.prompt_key}/publish", params={"study": study}, headers=PAGE)
    assert (publishing.status_code, "PLUGINS must list" in publishing.text) == (404, True)
    with world.parts.store.begin() as tx:
        tx.options.replace(replace(made, state="planned"))
        tx.of_experiments.move([made.experiment_id], "planned", world.clock.now())
    with pytest.raises(NotFound, match="no generator second here"):
        generation.make(left, made.id)
