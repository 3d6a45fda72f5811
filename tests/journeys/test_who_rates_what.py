"""Who rates what: raters with different studies, each with its A/B test, while another study comes and goes."""

from dataclasses import replace

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.conftest import Join
from tests.journeys.rater import Rater
from tests.journeys.screens import SCREENS, look
from tests.journeys.server import Server
from tests.journeys.studies import studying
from web.domain.abtests.abtest import ABTest, Design, TestKind
from web.domain.ids import new_id
from web.domain.studies.assigning import Audience
from web.domain.studies.study import Study
from web.services.accounts import members
from web.services.prompts import pointers
from web.services.rating.mixing import BATCH
from web.services.studies.assigning import assign
from web.services.studies.studies import change_guide, clone_study, move_study

HANDED = 4  # photos that each rater rates of a study


def ab_test(server: Server, study: Study, kind: TestKind) -> ABTest:
    """Run a test in a study beside that of another study of the same prompt, where only one can be asked for."""
    now = server.parts.clock.now()
    with server.store.begin() as tx:
        live = pointers.live_version(tx, study.prompt_key)
        number = tx.of_prompts.lines(study.prompt_key)[-1].number + 1
        texts = {"local": live.components["local"] | {"prompt": f"Make photo {number} brighter."}}
        made = replace(live, id=new_id(), number=number, name=None, status="candidate", components=texts, sha256="")
        tx.versions.add(replace(made, revision=0))
        versions = live.id, (made.id,)
        key, design = study.prompt_key, Design(least_pairs=50)
        return tx.ab_tests.add(
            ABTest(new_id(), study.project_id, study.id, key, kind, "running", *versions, design, "manual", now)
        )


def person(server: Server, rater: Rater) -> Audience:
    found = members.members(server.parts, server.operator)
    return Audience("person", next(one.user.id for one in found if one.user.email == rater.email))


def choose(rater: Rater, name: str) -> None:
    """Choose a study by keyboard alone."""
    page = rater.page
    page.locator("#chooser-open").focus()
    page.keyboard.press("Enter")
    menu = page.locator("#chooser")
    expect(menu).to_be_visible()
    page.keyboard.press("Home")
    for _ in range(menu.get_by_role("button").count()):
        if str(page.evaluate("document.activeElement.textContent")).startswith(name):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#chooser-open")).to_contain_text(name)
    rater.await_photo()


def rate(rater: Rater, count: int) -> None:
    rater.await_photo()
    rater.rate(*[4] * count)
    rater.settled()


def test_raters_of_different_studies_rate_on_while_a_third_study_comes_and_goes(server: Server, join: Join) -> None:
    parts, admin = server.parts, server.operator
    with studying(server, "Skies", raters=()) as skies, studying(server, "Faces", raters=()) as faces:
        both, one, other = join(skies), join(skies), join(faces)
        server.settle_in(both.email, faces.id)
        for study, raters in ((skies, (both, one)), (faces, (both, other))):
            for rater in raters:
                assign(parts, admin, study.id, person(server, rater))
        tests = [ab_test(server, skies, "challenge"), ab_test(server, faces, "comparison")]
        both.page.goto("/train")
        choose(both, "Faces")
        assert both.page.url.endswith(f"/train?study={faces.id}")
        rate(both, HANDED)
        third = clone_study(parts, admin, skies.id, "Third")
        move_study(parts, admin, third.id, "archived")
        choose(both, "Skies")
        rate(both, HANDED)
        one.open()
        other.open()
        rate(one, HANDED)
        rate(other, HANDED)
        counts = {study.name: len(server.ratings(study.id)) for study in (skies, faces, third)}
        assert counts == {"Skies": 2 * HANDED, "Faces": 2 * HANDED, "Third": 0}
        with server.store.read() as tx:
            assert [tx.ab_tests.get(test.id).state for test in tests] == ["running", "running"]
            leased = {
                (lease.rater_id, lease.study_id) for lease in tx.leases.all(study_id=(skies.id, faces.id, third.id))
            }
        alone, elsewhere = person(server, one).id, person(server, other).id
        assert (alone, faces.id) not in leased
        assert (elsewhere, skies.id) not in leased
        both.page.goto("/train")
        expect(both.page.locator("#chooser-open")).to_contain_text("Skies")  # remembered


def test_a_photo_that_is_taken_back_is_rated_by_the_guide_of_its_own_study(server: Server, join: Join) -> None:
    parts, admin = server.parts, server.operator
    with studying(server, "Skies", raters=()) as skies, studying(server, "Faces", raters=()) as faces:
        rater = join(skies)
        server.settle_in(rater.email, faces.id)
        for study in (skies, faces):
            guide = replace(study.guide, tags={"mine": f"{study.name} too dark"})
            change_guide(parts, admin, study.id, study.revision, guide)
            assign(parts, admin, study.id, person(server, rater))
        rater.page.goto("/train")
        rater.await_photo()
        name, tags = rater.page.locator("#study-name"), rater.page.locator("#tags")
        first = name.inner_text()
        second = "Faces" if first == "Skies" else "Skies"
        for _ in range(4 * BATCH):  # at most: until the next batch begins
            rater.rate(4)
            rater.await_photo()
            if name.inner_text() == second:
                break
        expect(tags).to_contain_text(f"{second} too dark")
        rater.page.keyboard.press("u")
        expect(name).to_have_text(first)
        expect(tags).to_contain_text(f"{first} too dark")
        rater.rate(2)
        expect(name).to_have_text(second)
        expect(tags).to_contain_text(f"{second} too dark")
        rater.settled()


def assert_on_one_line(one: Locator, other: Locator) -> None:
    boxes = [part.bounding_box() for part in (one, other)]
    middles = [box["y"] + box["height"] / 2 for box in boxes if box]
    assert middles[0] == pytest.approx(middles[1], abs=4), "they are not on one line"


def test_the_choice_and_what_an_admin_sets_look_right(server: Server, join: Join) -> None:
    parts, admin = server.parts, server.operator
    with studying(server, "Skies at dusk", raters=()) as skies, studying(server, "Faces", raters=()) as faces:
        for kind, screen in SCREENS.items():
            rater = join(skies, **screen)
            server.settle_in(rater.email, faces.id)
            assign(parts, admin, skies.id, person(server, rater), share=70)
            assign(parts, admin, faces.id, person(server, rater), share=30)
            rater.page.goto(f"/train?study={skies.id}")
            rater.await_photo()
            rater.page.locator("#chooser-open").click()
            expect(rater.page.locator("#chooser")).to_be_visible()
            expect(rater.page.locator(f"[data-study='{faces.id}']")).to_have_text("photos waiting")
            look(rater.page, f"chooser-{kind}")
            rater.page.keyboard.press("Escape")
            expect(rater.page.locator("#upload-open")).to_be_visible()  # the study allows it
            steering = join(role="admin", **screen).page
            steering.goto("/admin/panels")
            steering.get_by_label("New panel").fill(f"Experts on a {kind}")
            steering.get_by_role("button", name="Make the panel").click()
            row = steering.locator("section.card", has_text=f"Experts on a {kind}").first
            person_to_add = row.get_by_label("Person to put into")
            if person_to_add.evaluate("field => field.matches('select')"):
                person_to_add.select_option(label=rater.email)
            else:  # other tests have left very many people in the project
                person_to_add.fill(rater.email)
            row.get_by_role("button", name="Add").click()
            expect(steering.locator("section.card", has_text=f"Experts on a {kind}").first).to_contain_text(rater.email)
            for width in (1280, 1024, 390):
                steering.set_viewport_size({"width": width, "height": 844})
                assert_on_one_line(row.get_by_label("Name of"), row.get_by_role("button", name="Rename"))
                places = steering.locator("header.site :is(a, button):visible")
                assert_on_one_line(places.first, places.last)
                look(steering, f"panels-{kind}-{width}")
            steering.set_viewport_size(screen["viewport"])
            steering.goto(f"/admin/studies/{skies.id}")
            steering.get_by_label("Who also rates it").select_option(label=f"Experts on a {kind}")
            steering.get_by_role("button", name="Add", exact=True).click()
            expect(steering.locator("#raters")).to_contain_text(f"Experts on a {kind}")
            look(steering, f"raters-{kind}")
            steering.goto(f"/admin/studies/compare?a={skies.id}&b={faces.id}")
            look(steering, f"compare-{kind}")
            steering.goto("/admin/studies")
            look(steering, f"studies-{kind}")
            steering.goto(f"/admin/studies/{skies.id}")
            steering.get_by_role("button", name=f"Remove {rater.email}").click()
            expect(steering.get_by_role("button", name=f"Remove {rater.email}")).to_have_count(0)
