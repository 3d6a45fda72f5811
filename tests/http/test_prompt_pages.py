"""The pages of prompts over HTTP on both engines: what is live, publishing, going back, comparing."""

import re
from dataclasses import replace
from io import BytesIO

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.http.test_prompts_api import learn
from tests.site import Site
from tests.visitors import another_project, machine, member_of
from web.domain.ids import new_id
from web.domain.prompts.prompt import DEFAULT_KEY
from web.services.studies import intake

PAGE = {"Accept": "text/html,application/xhtml+xml"}
HOME = f"/admin/prompts/{DEFAULT_KEY}"
DIFF = f"{HOME}/diff?from=v1.0.0&to=v1.1.0"


@pytest.fixture
def admin(site: Site) -> TestClient:
    client = site.signed_in("admin", "boss@example.org")
    client.headers.update(PAGE)
    return client


def fields(text: str) -> dict[str, str]:
    """Return the hidden fields of the form that publishes."""
    form = text[text.index(f'action="{HOME}/publish"') :]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[: form.index("</form>")])
    return dict(found)


def form_of(site: Site, admin: TestClient) -> dict[str, str]:
    shown = admin.get(f"{HOME}/publish", params={"study": site.world.study.id})
    assert shown.status_code == 200
    return fields(shown.text)


def published(site: Site, admin: TestClient, exposure: float = 0.25, note: str = "") -> str:
    """Publish by the form and return where it leads."""
    learn(site, exposure)
    done = admin.post(f"{HOME}/publish", data={**form_of(site, admin), "note": note})
    assert done.status_code == 303, done.text
    return str(done.headers["location"])


def images(text: str) -> list[str]:
    return [address.replace("&amp;", "&") for address in re.findall(r'src="([^"]*/preview/[^"]*)"', text)]


def test_a_prompt_that_nobody_moved_is_shown_whole(site: Site, admin: TestClient) -> None:
    assert f'href="{HOME}"' in admin.get("/admin/prompts").text
    text = admin.get(HOME).text
    assert '<mark class="variable">{{subject}}</mark>' in text
    assert "artefacts, added objects, watermarks" in text
    assert text.count('class="plot range"') == 9
    assert "<strong>natural</strong>" in text
    assert "taken in from the files" in text
    for absent in ("style=", "<script>", "Roll back", "Withdraw"):
        assert absent not in text


def test_best_settings_are_published_from_the_status_page_on(site: Site, admin: TestClient) -> None:
    learn(site)
    way = f"{HOME}/publish?study={site.world.study.id}"
    assert way in admin.get("/status").text
    text = admin.get(way).text
    assert "+0.60" in text
    assert "+0.20 to +1.00" in text
    assert "Raters are expected to like them better." in text
    assert "exposure moves from 0 to 0.25" in text
    done = admin.post(f"{HOME}/publish", data={**fields(text), "note": "Brighter\u202e is better."})
    assert (done.status_code, done.headers["location"]) == (303, f"{HOME}?moved=1")
    after = admin.get(done.headers["location"]).text
    assert "v1.1.0 is live" in after
    assert "Go back to v1.0.0" in after
    assert "Brighter is better." in after
    assert "boss@example.org" in after
    assert "Go back to v1.0.0" not in admin.get(HOME).text
    assert "Production uses these settings" in admin.get("/status").text
    assert "These settings are live already" in admin.get(way).text
    with site.world.parts.store.read() as tx:
        assert [event.note for event in tx.events.all(action="prompt.published")] == ["Brighter is better."]


def test_a_form_sent_twice_publishes_once(site: Site, admin: TestClient) -> None:
    learn(site)
    form = form_of(site, admin)
    first, second = (admin.post(f"{HOME}/publish", data=form) for _ in range(2))
    assert first.headers["location"] == second.headers["location"] == f"{HOME}?moved=1"
    assert len(admin.get(f"/api/v1/prompts/{DEFAULT_KEY}").json()["versions"]) == 2


def test_what_was_seen_is_published_though_more_was_learnt_since(site: Site, admin: TestClient) -> None:
    learn(site, 0.25)
    form = form_of(site, admin)
    learn(site, 0.75)
    assert admin.post(f"{HOME}/publish", data=form).status_code == 303
    version = admin.get(f"/api/v1/prompts/{DEFAULT_KEY}/versions/v1.1.0").json()
    assert version["parameter_defaults"]["local"]["exposure"] == 0.25
    stale = admin.post(f"{HOME}/publish", data={**form, "version_id": new_id(), "revision": "1", "learnt": new_id()})
    assert stale.status_code == 409
    assert "not kept any more" in stale.text


def test_an_old_page_changes_nothing_and_says_how_things_stand(site: Site, admin: TestClient) -> None:
    learn(site)
    old = form_of(site, admin)
    published(site, admin, 0.5)
    for path, data in (
        (f"{HOME}/publish", old),
        (f"{HOME}/promote", {"version": "v1.0.0", "revision": "0"}),
        (f"{HOME}/versions/v1.1.0/withdraw", {}),
    ):
        answer = admin.post(path, data=data)
        assert answer.status_code == 409, path
        assert "Nothing was changed" in answer.text
        assert "Live now is <strong>v1.1.0</strong>" in answer.text
        assert f'href="{HOME}"' in answer.text
    assert admin.get(f"/api/v1/prompts/{DEFAULT_KEY}").json()["revision"] == 1


def test_an_admin_goes_back_forth_and_withdraws(site: Site, admin: TestClient) -> None:
    published(site, admin)
    back = admin.post(f"{HOME}/promote", data={"version": "v1.0.0", "revision": "1", "note": "<i>too</i> bright"})
    assert back.headers["location"] == f"{HOME}?moved=2"
    text = admin.get(back.headers["location"]).text
    assert "Go back to v1.1.0" in text
    assert "Promote v1.1.0" in text
    assert "&lt;i&gt;too&lt;/i&gt; bright" in text
    assert "rolled back" in text
    gone = admin.post(f"{HOME}/versions/v1.1.0/withdraw", data={"note": "bad"})
    assert (gone.status_code, gone.headers["location"]) == (303, f"{HOME}#versions")
    text = admin.get(HOME).text
    assert "withdrawn" in text
    assert "Promote v1.1.0" not in text
    assert admin.post(f"{HOME}/promote", data={"version": "v1.1.0", "revision": "2"}).status_code == 409


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        ((0.2, -0.1, 0.5), "This may be no gain at all"),
        ((-0.1, -0.4, 0.2), "No gain is expected"),
    ],
)
def test_a_gain_that_may_be_none_is_called_so(
    site: Site, admin: TestClient, gain: tuple[float, float, float], words: str
) -> None:
    learnt_id = learn(site)
    with site.world.parts.store.begin() as tx:
        learnt = tx.diagnoses.get(learnt_id)
        assert learnt.diagnosis.best is not None
        names = dict(zip(("mean", "low", "high"), gain, strict=True))
        best = learnt.diagnosis.best.model_copy(update={"gain": learnt.diagnosis.best.gain.model_copy(update=names)})
        tx.diagnoses.remove(id=learnt_id)
        tx.diagnoses.add(replace(learnt, diagnosis=learnt.diagnosis.model_copy(update={"best": best})))
    text = admin.get(f"{HOME}/publish", params={"study": site.world.study.id}).text
    assert words in text
    assert "Publish and make live" in text


def test_a_gain_over_settings_that_nobody_tried_is_not_told(site: Site, admin: TestClient) -> None:
    published(site, admin)
    with site.world.parts.store.begin() as tx:
        (live,) = tx.versions.all(name="v1.1.0")
        tx.versions.replace(replace(live, parameter_defaults={"local": {"exposure": 1.5}}))
    learn(site, 0.4)
    text = admin.get(f"{HOME}/publish", params={"study": site.world.study.id}).text
    assert "cannot be told" in text
    assert "+0.60" not in text


def test_before_anything_was_learnt_there_is_nothing_to_publish(site: Site, admin: TestClient) -> None:
    answer = admin.get(f"{HOME}/publish", params={"study": site.world.study.id})
    assert answer.status_code == 404
    assert "has learnt no best settings yet" in answer.text
    assert "Publish these settings" not in admin.get("/status").text


def test_versions_are_compared_in_words_settings_and_pictures(site: Site, admin: TestClient) -> None:
    published(site, admin)
    with site.world.parts.store.begin() as tx:
        (version,) = tx.versions.all(name="v1.1.0")
        told = {"local": {**version.components["local"], "prompt": "Enhance this <b>room</b>, and change no more."}}
        tx.versions.replace(replace(version, components=told))
    text = admin.get(DIFF).text
    assert '<del><span class="visually-hidden">[removed: </span>' in text
    assert '<ins><span class="visually-hidden">[added: </span>' in text
    assert "<b>room" not in text
    assert "exposure moves from 0 to 0.25" in text
    assert "contrast moves from 1 to 1.1" in text
    assert "The same in both: saturation 1, " in text
    shown = images(text)
    assert len(shown) == 2 * 2
    bodies = [admin.get(address).content for address in shown]
    assert len(set(bodies)) == 4
    for unknown in ("from=v1.0.0&to=v9.0.0", "from=v1.0.0&to="):
        assert admin.get(f"{HOME}/diff?{unknown}").status_code == 404
    assert admin.get(f"{HOME}/diff?from=v1.0.0&to=v1.0.0").status_code == 200


def test_a_picture_is_small_and_may_be_kept(site: Site, admin: TestClient) -> None:
    published(site, admin)
    big = Image.new("RGB", (1600, 900), "grey")
    body = BytesIO()
    big.save(body, "JPEG")
    source = intake.add_input(site.world.parts, site.world.admin, site.world.study.id, "big", body.getvalue())
    made = admin.get(f"{HOME}/versions/v1.1.0/preview/{source.id}")
    assert (made.status_code, made.headers["content-type"]) == (200, "image/jpeg")
    assert Image.open(BytesIO(made.content)).size == (512, 288)
    assert made.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in made.headers["content-security-policy"]
    assert made.headers["cache-control"].startswith("private, max-age=")
    again = admin.get(f"{HOME}/versions/v1.1.0/preview/{source.id}", headers={"If-None-Match": made.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = admin.get(f"{HOME}/versions/v1.0.0/preview/{source.id}")
    assert other.headers["etag"] != made.headers["etag"]
    intake.take_down(site.world.parts, site.world.admin, source.id)
    assert admin.get(f"{HOME}/versions/v1.1.0/preview/{source.id}").status_code == 410
    assert admin.get(f"{HOME}/versions/v1.1.0/preview/{new_id()}").status_code == 404
    assert admin.get(f"{HOME}/versions/v9.1.0/preview/{source.id}").status_code == 404


def test_the_pictures_before_publishing_are_those_after_it(site: Site, admin: TestClient) -> None:
    learn(site)
    text = admin.get(f"{HOME}/publish", params={"study": site.world.study.id}).text
    before = {address: admin.get(address).content for address in images(text)}
    assert len(before) == 4
    assert admin.post(f"{HOME}/publish", data=fields(text)).status_code == 303
    after = {admin.get(address).content for address in images(admin.get(DIFF).text)}
    assert after == set(before.values())
    assert admin.get(re.sub("best=.*", f"best={new_id()}", next(a for a in before if "best=" in a))).status_code == 404


def test_what_production_said_is_shown_as_text(site: Site, admin: TestClient) -> None:
    sender = machine(site, "feedback:write")
    for word in ("tint", "tint", "crash"):
        report = {
            "id": new_id(),
            "version": "v1.0.0",
            "score": 2,
            "failure": word,
            "comment": "<script>alert(1)</script>",
        }
        assert sender.post("/api/v1/feedback", json=report).status_code == 200
    text = admin.get(HOME).text
    assert "3 reports" in text
    assert "tint 2×, crash 1×" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>" not in text


def test_raters_machines_and_other_projects_see_nothing(site: Site, admin: TestClient) -> None:
    published(site, admin)
    with site.world.parts.store.read() as tx:
        source = tx.inputs.all()[0].id
    rater, stranger = site.signed_in("rater"), member_of(site, another_project(site))
    puller = machine(site, "prompts:read")
    asked = [
        ("GET", HOME, {}),
        ("GET", DIFF, {}),
        ("GET", f"{HOME}/publish?study={site.world.study.id}", {}),
        ("GET", f"{HOME}/versions/v1.0.0/preview/{source}", {}),
        (
            "POST",
            f"{HOME}/publish",
            {"study": site.world.study.id, "version_id": new_id(), "revision": "1", "learnt": "x"},
        ),
        ("POST", f"{HOME}/promote", {"version": "v1.0.0", "revision": "1"}),
        ("POST", f"{HOME}/versions/v1.0.0/withdraw", {"note": ""}),
    ]
    for method, path, data in asked:
        more = {"data": data} if data else {}
        assert rater.request(method, path, **more).status_code == 403, path  # type: ignore[arg-type]
        assert puller.request(method, path, **more).status_code == 403, path  # type: ignore[arg-type]
        assert stranger.request(method, path, **more).status_code == 404, path  # type: ignore[arg-type]
        assert site.visitor().request(method, path, **more).status_code == 401, path  # type: ignore[arg-type]
    assert DEFAULT_KEY not in stranger.get("/admin/prompts").text
    assert rater.get("/admin/prompts").status_code == 403
    assert "Prompts" not in rater.get("/status", headers=PAGE).text
    assert admin.get(f"/api/v1/prompts/{DEFAULT_KEY}").json()["revision"] == 1
