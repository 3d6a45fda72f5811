"""The pages of evolution over HTTP on both engines: the tree, rounds, settings, and common issues."""

import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from tests.site import Site
from tests.unit.abtests.test_verdicts import candidate, live, opened
from tests.visitors import another_project, member_of
from tests.world import answer
from web.domain.evolution.evolution import Proposed, Round
from web.domain.ids import new_id
from web.domain.rating.rating import Exclusion
from web.domain.studies.evolving import Evolving

PAGE = {"Accept": "text/html,application/xhtml+xml"}
HOME = "/admin/evolution"


@pytest.fixture
def admin(site: Site) -> TestClient:
    client = site.signed_in("admin", "boss@example.org")
    client.headers.update(PAGE)
    return client


def complain(site: Site, comment: str = "<i>dark</i>") -> str:
    """Have a new rater rate what is shown, with a tag and a comment; return their id."""
    rater = site.world.person()
    for held in site.world.hold(rater).held:
        for option in held.options:
            site.world.rate(rater, answer(option.option_id, 2, tags=("too_dark",), comment=comment))
    return rater.user_id


def kept(site: Site, **more: object) -> Round:
    world = site.world
    made = Round(
        id=new_id(),
        project_id=world.admin.project_id,
        study_id=world.study.id,
        prompt_key=world.study.prompt_key,
        state="rejected",
        samples=1,
        created_at=world.clock.now(),
    )
    with world.parts.store.begin() as tx:
        return tx.rounds.add(replace(made, **more))  # type: ignore[arg-type]


def test_before_anything_was_rated_the_page_says_what_is_missing(admin: TestClient) -> None:
    text = admin.get(HOME).text
    assert "It needs 10 more samples" in text
    assert "a script proposes edits" in text
    assert "Evolve now" not in text
    assert "There was no round yet" in text
    assert '<span class="badge good">current</span>' in text


def test_evolve_asks_once_and_says_so(site: Site, admin: TestClient) -> None:
    complain(site)
    text = admin.get(HOME).text
    assert "Evolve now" in text
    assert "$0.00" in text
    form = {"id": new_id()}
    place = f"{HOME}/{site.world.study.id}/evolve"
    first, second = (admin.post(place, data=form) for _ in range(2))
    assert (first.status_code, second.headers["location"]) == (303, first.headers["location"])
    text = admin.get(first.headers["location"]).text
    assert "A round is under way." in text
    assert "Evolve now" not in text
    with site.world.parts.store.read() as tx:
        assert [one.state for one in tx.rounds.all()] == ["waiting"]
    late = admin.post(place, data={"id": new_id()})
    assert late.status_code == 409
    assert "is under way already" in late.text
    with site.world.parts.store.read() as tx:
        assert len(tx.rounds.all()) == 1


def test_while_a_test_is_open_the_page_leads_to_it(site: Site, admin: TestClient) -> None:
    complain(site)
    test = opened(site.world)
    text = admin.get(HOME).text
    assert f'An <a href="/admin/abtests/{test.id}">A/B test</a> is open' in text
    assert "Evolve now" not in text
    refused = admin.post(f"{HOME}/{site.world.study.id}/evolve", data={"id": new_id()})
    assert refused.status_code == 409
    assert "stop it first" in refused.text


def test_a_round_tells_why_what_by_whom_and_which_gate_refused_it(site: Site, admin: TestClient) -> None:
    version = candidate(site.world, "brighter")
    kept(
        site,
        state="proposed",
        diagnosis="<b>Corners</b> are dark.",
        parents=(live(site.world).id,),
        evidence=(new_id(), new_id()),
        model="scripted",
        proposed=(
            Proposed("targeted", version.id, "Lift the shadows.", "Fewer complaints."),
            Proposed("explore", None, "Drop {{subject}}.", "", "placeholders", "It dropped a variable."),
        ),
    )
    text = admin.get(HOME).text
    assert "&lt;b&gt;Corners&lt;/b&gt; are dark." in text
    assert "Proposed by the script, not by a model." in text
    assert "Built on v1.0.0." in text
    assert "It saw 2 ratings." in text
    assert "</span> variables</span>" in text
    assert "It dropped a variable." in text
    assert f'/versions/{version.id}">candidate 2</a>' in text
    assert "candidate 2" in text
    kept(site, state="failed", error="The model timed out.", model="gpt", cost_micros=1234)
    text = admin.get(HOME).text
    assert "The model timed out." in text
    assert "$0.0012" in text
    kept(site, state="running", error="The model is away.")
    assert "The model is away. It is tried again for an hour." in admin.get(HOME).text


def test_the_settings_are_changed_on_record_and_faults_are_said_in_place(site: Site, admin: TestClient) -> None:
    study = site.world.study
    place = f"{HOME}/{study.id}/settings"
    sent = {"revision": "0", "every": "5", "most_challengers": "2", "worth_testing": "0.4", "policy": "manual"}
    with site.world.parts.store.read() as tx:
        sent["revision"] = str(tx.studies.get(study.id).revision)
    for wrong, words in (
        ({"every": "0"}, "after 1 to 1000 samples"),
        ({"every": "often"}, "After samples must be a whole number"),
        ({"most_challengers": "9"}, "1 to 8 challengers"),
        ({"worth_testing": "inf"}, "must be a number"),
    ):
        refused = admin.post(place, data=sent | wrong)
        assert refused.status_code == 422
        assert words in refused.text
    assert admin.post(place, data=sent).status_code == 303
    with site.world.parts.store.read() as tx:
        changed = tx.studies.get(study.id)
        assert changed.evolving == Evolving(5, "manual", 2, 0.4)
        assert tx.events.all(action="study.changed")[-1].object_id == study.id
    assert admin.post(place, data=sent).status_code == 303  # the same form twice changes it once
    assert admin.post(place, data=sent | {"every": "7"}).status_code == 409
    off = sent | {"every": "", "policy": "", "revision": str(changed.revision)}
    assert admin.post(place, data=off).status_code == 303
    assert "No round begins by itself." in admin.get(HOME).text


def test_complaints_are_told_by_version_and_time_with_how_sure_that_is(site: Site, admin: TestClient) -> None:
    place = f"{HOME}/{site.world.study.id}/issues"
    assert "Nobody has rated in this study yet." in admin.get(place).text
    rater = complain(site)
    text = admin.get(place).text
    assert "&lt;i&gt;dark&lt;/i&gt;" in text
    assert "<i>dark" not in text
    assert "v1.0.0, local" in text
    assert "2026-03-01" in text
    assert "100 % (" in text
    assert re.search(r"100 % · (\d+) of \1<", text)
    with site.world.parts.store.begin() as tx:
        now = site.world.clock.now()
        tx.exclusions.add(Exclusion(new_id(), site.world.study.id, rater, now, "clicks", now))
    assert "Nobody has rated in this study yet." in admin.get(place).text


def test_raters_and_other_projects_see_no_evolution(site: Site, admin: TestClient) -> None:
    study = site.world.study.id
    rater, stranger = site.signed_in("rater"), member_of(site, another_project(site))
    for path in (f"{HOME}?study={study}", f"{HOME}/{study}/issues"):
        assert rater.get(path).status_code == 403
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"{HOME}/{study}/evolve", data={"id": new_id()}).status_code == 404
    assert admin.get(f"{HOME}?study={study}").status_code == 200
