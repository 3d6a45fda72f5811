"""The page that writes a version by hand over HTTP on both engines, and the page of one version."""

import json
import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from ml_service.wire.contract import Point
from tests.site import Site
from tests.unit.abtests.test_verdicts import candidate, live, opened
from tests.visitors import another_project, member_of
from tests.world import answer
from web.domain.abtests.abtest import ABTest
from web.domain.ids import new_id
from web.domain.prompts.prompt import DEFAULT_KEY, PromptVersion

PAGE = {"Accept": "text/html,application/xhtml+xml"}
HOME = f"/admin/prompts/{DEFAULT_KEY}"
WRITE = f"{HOME}/write"
PROMPT = "Enhance this photo of {{subject}}, and change no more than it needs."


@pytest.fixture
def admin(site: Site) -> TestClient:
    client = site.signed_in("admin", "boss@example.org")
    client.headers.update(PAGE)
    return client


def draft(site: Site, do: str = "keep", **more: str) -> dict[str, str]:
    """Return a form as a browser sends it."""
    text = more.pop("text", f"{PROMPT} Lift the shadows.")
    sent = {"do": do, "parent": live(site.world).id, "id": new_id(), "test_id": new_id(), "then": "keep"}
    return {**sent, "text.local.prompt": text, "changelog": "Lifts the shadows.", **more}


def versions(site: Site) -> list[PromptVersion]:
    with site.world.parts.store.read() as tx:
        return list(tx.versions.all(prompt_key=DEFAULT_KEY))


def ab_tests(site: Site) -> list[ABTest]:
    with site.world.parts.store.read() as tx:
        return list(tx.ab_tests.all())


def beside(text: str, field: str) -> str:
    """Return what stands below a field of the form."""
    return re.split(rf'id="about-{field}"', text)[1].partition("</div>")[0]


def lock(site: Site, slot: str) -> None:
    with site.world.parts.store.begin() as tx:
        version = tx.versions.get(live(site.world).id)
        tx.versions.replace(replace(version, slots_locked=(slot,)))


def test_the_form_begins_with_the_live_words_and_says_what_a_test_takes(site: Site, admin: TestClient) -> None:
    assert f'href="{WRITE}"' in admin.get(HOME).text
    lock(site, "local.negative_prompt")
    text = admin.get(WRITE).text
    assert f"\n{PROMPT}</textarea>" in text
    assert 'name="text.local.negative_prompt"' not in text
    assert "locked</span>" in text
    assert '<mark class="variable">{{subject}}</mark> is “a scene”' in text
    assert "A true gain of 0.5 stars takes about" in text
    assert "Its pictures cost nothing." in text
    assert "It ends after 200 pairs." in text
    assert "Nothing is changed yet." in text
    for absent in ("style=", "<script>", "not kept"):
        assert absent not in text


def test_what_is_typed_is_shown_beside_the_parent_and_nothing_is_kept(site: Site, admin: TestClient) -> None:
    shown = admin.post(WRITE, data=draft(site, "look", text=f"{PROMPT} <b>Lift</b> the shadows."))
    assert shown.status_code == 200
    told = beside(shown.text, "1")
    assert '<ins><span class="visually-hidden">[added: </span>' in told
    assert "&lt;b&gt;Lift" in told
    assert "1 text changed." in shown.text
    assert "it would not be kept" not in shown.text
    assert len(versions(site)) == 1


def test_the_same_form_twice_keeps_one_candidate_whose_page_says_so(site: Site, admin: TestClient) -> None:
    form = draft(site, text=f"{PROMPT}\r\nLift the shadows.")
    first, second = (admin.post(WRITE, data=form) for _ in range(2))
    assert (first.status_code, second.headers["location"]) == (303, first.headers["location"])
    made = versions(site)[-1]
    assert (made.components["local"]["prompt"], made.status) == (f"{PROMPT}\nLift the shadows.", "candidate")
    assert made.components["local"]["negative_prompt"] == live(site.world).components["local"]["negative_prompt"]
    assert len(versions(site)) == 2
    text = admin.get(first.headers["location"]).text
    assert "Kept as candidate 2." in text
    assert "Nobody has rated it yet." in text
    assert "candidate 2" in admin.get(HOME).text


def test_a_draft_meets_the_live_version_at_once_and_only_once(site: Site, admin: TestClient) -> None:
    form = draft(site, then="test", study=site.world.study.id)
    first, second = (admin.post(WRITE, data=form) for _ in range(2))
    (test,) = ab_tests(site)
    assert first.headers["location"] == second.headers["location"] == f"/admin/abtests/{test.id}"
    assert (test.challengers, test.hypothesis) == ((versions(site)[-1].id,), "Lifts the shadows.")
    assert "There is one at a time" in admin.get(WRITE).text


def test_a_draft_is_kept_where_its_test_cannot_be_opened_and_the_page_says_both(site: Site, admin: TestClient) -> None:
    opened(site.world)
    form = draft(site, then="test", study=site.world.study.id)
    refused = admin.post(WRITE, data=form)
    assert refused.status_code == 409
    assert "It was kept as candidate 3, but its A/B test was not opened:" in refused.text
    assert "is open already" in refused.text
    assert len(ab_tests(site)) == 1
    assert admin.post(WRITE, data={**form, "then": "keep"}).status_code == 303
    assert len(versions(site)) == 3


REFUSED = [
    ({"text": "Enhance this photo, and lift the shadows."}, "1", "lost the variable subject"),
    ({"text": f"{PROMPT} Keep {{{{mood}}}}."}, "1", "mood"),
    ({"text": f"{PROMPT} {{{{ 9**9999999 }}}}"}, "1", "arithmetic"),
    ({"text": PROMPT + " warm" * 500}, "1", "it may grow to"),
    ({"text": f"{PROMPT} Use sk-proj-abcdefghijklmnop1234."}, "1", "a key or password"),
    ({"text": f"{PROMPT} Warm it.\u200b"}, "1", "which cannot be seen"),
    ({"text.local.negative_prompt": "grain"}, "2", "is locked, and was changed"),
    ({"changelog": "As anna@example.org wished."}, "changelog", "an address or number of a person"),
]


def test_a_refusal_stands_by_its_field_and_what_was_typed_stays(site: Site, admin: TestClient) -> None:
    lock(site, "local.negative_prompt")
    for typed, field, words in REFUSED:
        form = draft(site, **typed)
        refused = admin.post(WRITE, data=form)
        assert refused.status_code == 422, words
        assert words in beside(refused.text, field)
        assert "see below, where it says why" in refused.text
        assert form["id"] in refused.text
        assert form["changelog"] in refused.text
        assert ('aria-invalid="true"' in refused.text) == (field != "2")
        before = admin.post(WRITE, data={**form, "do": "look"})
        assert (before.status_code, words in beside(before.text, field)) == (200, True)
        assert "As it is, it would not be kept." in before.text
    assert len(versions(site)) == 1


WRONG = [
    ({"text": PROMPT}, "It says what v1.0.0 says already."),
    ({"changelog": " "}, "Say in the changelog what is new."),
    ({"id": "mine"}, "must be a UUID"),
    ({"set.local.exposure": "much"}, "exposure must be a number"),
    ({"set.local.exposure": "99"}, "exposure cannot be"),
    ({"set.local.style": "gothic"}, "style cannot be"),
]


def test_what_is_wrong_with_the_whole_is_said_too(site: Site, admin: TestClient) -> None:
    for typed, words in WRONG:
        refused = admin.post(WRITE, data=draft(site, **typed))
        assert (refused.status_code, words in refused.text) == (422, True), words
    assert len(versions(site)) == 1


def test_settings_are_written_too_and_those_that_nobody_touched_stay(site: Site, admin: TestClient) -> None:
    with site.world.parts.store.begin() as tx:
        own: dict[str, Point] = {"local": {"contrast": 0.1 + 0.2 + 0.8, "style": "soft"}}
        tx.versions.replace(replace(tx.versions.get(live(site.world).id), parameter_defaults=own))
    typed = {"set.local.exposure": "0.25", "set.local.contrast": repr(0.1 + 0.2 + 0.8), "set.local.style": ""}
    shown = admin.post(WRITE, data=draft(site, "look", text=PROMPT, **typed)).text
    assert "2 settings changed." in shown
    assert "exposure moves from 0 to 0.25" in shown
    assert admin.post(WRITE, data=draft(site, text=PROMPT, **typed)).status_code == 303
    assert versions(site)[-1].parameter_defaults == {"local": {"contrast": 0.1 + 0.2 + 0.8, "exposure": 0.25}}


def test_a_version_goes_out_as_a_file_and_comes_in_through_the_same_gates(site: Site, admin: TestClient) -> None:
    made = candidate(site.world, "brighter")
    taken = admin.get(f"{HOME}/versions/{made.id}/file")
    assert taken.status_code == 200
    assert 'filename="photo-enhance-candidate-2.json"' in taken.headers["content-disposition"]
    assert admin.get(f"{HOME}/versions/v1.0.0/file").content == admin.get("/prompts/current.json").content
    with site.world.parts.store.begin() as tx:
        tx.versions.remove(id=made.id)
    form = {**draft(site, "file"), "text.local.prompt": PROMPT}
    shown = admin.post(WRITE, data=form, files={"file": ("v.json", taken.content)})
    assert shown.status_code == 200
    assert made.components["local"]["prompt"] in shown.text
    assert "1 text changed." in shown.text
    assert len(versions(site)) == 1
    for body, words in (
        (b"", "Choose the file of a version first."),
        (b"not json", "it is not JSON"),
        (taken.content.replace(b"brighter", b"darker"), "does not match its sha256"),
    ):
        refused = admin.post(WRITE, data=form, files={"file": ("v.json", body)})
        assert (refused.status_code, words in refused.text) == (422, True), words
        assert "Lifts the shadows." in refused.text


def test_a_candidate_is_compared_pictured_and_written_from(site: Site, admin: TestClient) -> None:
    made = candidate(site.world, "brighter")
    text = admin.get(f"{HOME}/diff?from=v1.0.0&to={made.id}").text
    assert "v1.0.0 → candidate 2" in text
    pictures = re.findall(rf'src="({HOME}/versions/{made.id}/preview/[^"]*)"', text)
    assert admin.get(pictures[0]).headers["content-type"] == "image/jpeg"
    assert "from the words of candidate 2" in admin.get(f"{WRITE}?source={made.id}").text
    assert admin.get(f"{WRITE}?source=v9.9.9").status_code == 404
    assert admin.get(f"/prompts/versions/{made.id}.json").status_code == 404  # no reader meets a candidate
    shown = admin.get(f"/api/v1/prompts/{DEFAULT_KEY}/versions/{made.id}").json()
    assert (shown["name"], shown["status"]) == (None, "candidate")


def test_the_page_of_a_version_tells_its_life(site: Site, admin: TestClient) -> None:
    made = candidate(site.world, "brighter")
    rater = site.world.person()
    for held in site.world.hold(rater).held:
        for option in held.options:
            site.world.rate(rater, answer(option.option_id, 2, tags=("too_dark",), comment="<i>dim</i>"))
    test = opened(site.world)
    text = admin.get(f"{HOME}/versions/v1.0.0").text
    assert "&lt;i&gt;dim&lt;/i&gt;" in text
    assert re.search(r"Too dark \d+×", text)
    assert f'href="{HOME}/versions/{made.id}"' in text
    assert f'href="/admin/abtests/{test.id}"' in text
    assert "Test it" not in text
    of_candidate = admin.get(f"{HOME}/versions/{made.id}").text
    assert "Test it" in of_candidate
    assert f'href="{HOME}/versions/v1.0.0">v1.0.0</a>' in of_candidate
    assert admin.get(f"{HOME}/versions/{new_id()}").status_code == 404


def test_raters_and_other_projects_neither_write_nor_read(site: Site, admin: TestClient) -> None:
    made, form = candidate(site.world, "brighter"), draft(site)
    rater, stranger = site.signed_in("rater"), member_of(site, another_project(site))
    for path in (WRITE, f"{HOME}/versions/{made.id}", f"{HOME}/versions/{made.id}/file"):
        assert rater.get(path).status_code == 403
        assert stranger.get(path).status_code == 404
    assert rater.post(WRITE, data=form).status_code == 403
    assert stranger.post(WRITE, data=form).status_code == 404
    assert len(versions(site)) == 2
    assert json.loads(admin.get(f"/api/v1/prompts/{DEFAULT_KEY}").text)["live"] == "v1.0.0"
