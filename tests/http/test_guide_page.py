"""The page of a study's guide, examples from the page of an experiment, and the time zone of an account."""

import re

import pytest
from fastapi.testclient import TestClient

from tests.site import Site
from web.domain.studies.guide import Guide


@pytest.fixture
def admin(site: Site) -> TestClient:
    client = site.signed_in("admin")
    client.headers["Accept"] = "text/html"
    return client


def typed(client: TestClient, page: str, **changes: str) -> dict[str, str]:
    """What the form of a guide holds, and what is typed over it."""
    shown = client.get(page).text
    fields = dict(re.findall(r'<input[^>]* name="([a-z.0-9_]+)"[^>]* value="([^"]*)"', shown))
    fields |= dict(re.findall(r'<textarea[^>]* name="([a-z]+)"[^>]*>([^<]*)</textarea>', shown))
    return {**fields, "csrf_token": client.headers["X-CSRF-Token"], **changes}


def kept(site: Site) -> Guide:
    with site.world.parts.store.read() as tx:
        return tx.studies.get(site.world.study.id).guide


def test_an_admin_writes_what_raters_are_told(site: Site, admin: TestClient) -> None:
    page = f"/admin/studies/{site.world.study.id}/guide"
    assert page in admin.get(f"/admin/studies/{site.world.study.id}").text
    changes = {"words": "First.\r\n\r\nThen.", "anchor.1": "Bin it.", "consent": "You are paid."}
    answered = admin.post(page, data=typed(admin, page, **changes))
    assert (answered.status_code, answered.headers["location"]) == (303, f"{page}?said=saved")
    told = kept(site)
    assert (told.words, told.anchors["1"], told.consent) == ("First.\n\nThen.", "Bin it.", "You are paid.")
    assert told.tags == Guide().tags


def test_tags_keep_their_id_when_their_label_is_changed(site: Site, admin: TestClient) -> None:
    page = f"/admin/studies/{site.world.study.id}/guide"
    lines = "too_dark = Much too dark\nToo bright\nSkin like plastic!"
    assert admin.post(page, data=typed(admin, page, tags=lines)).status_code == 303
    wanted = {"too_dark": "Much too dark", "too_bright": "Too bright", "skin_like_plastic": "Skin like plastic!"}
    assert kept(site).tags == wanted


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"words": " "}, "need words"),
        ({"tags": "One = 1\nOne = 2"}, "Two tags"),
        ({"example.3": "0"}, "no image of this project"),
        ({"revision": "77"}, "changed this study"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_typed_is_lost(
    site: Site, admin: TestClient, changes: dict[str, str], says: str
) -> None:
    page = f"/admin/studies/{site.world.study.id}/guide"
    answered = admin.post(page, data=typed(admin, page, **{"consent": "Typed before.", **changes}))
    assert answered.status_code in (409, 422)
    assert says in answered.text
    assert kept(site) == Guide()
    if "tags" not in changes:
        assert "Typed before." in answered.text


def test_an_image_becomes_an_example_from_the_page_of_its_experiment(site: Site, admin: TestClient) -> None:
    site.world.hold(site.world.person())
    with site.world.parts.store.read() as tx:
        option = next(one for one in tx.options.all(study_id=site.world.study.id) if one.output_id)
    assert option.output_id is not None
    page = f"/admin/studies/{site.world.study.id}/guide"
    assert f'action="{page}/example"' in admin.get(f"/history/{option.experiment_id}").text
    given = {"score": "5", "output": option.output_id, "csrf_token": admin.headers["X-CSRF-Token"]}
    assert admin.post(f"{page}/example", data=given).status_code == 303
    assert kept(site).examples == {"5": option.output_id}
    assert f"/media/output/{option.output_id}" in admin.get(page).text


def test_a_time_zone_is_chosen_on_the_account_page(site: Site) -> None:
    client = site.signed_in("rater", "rita@example.org")
    client.headers["Accept"] = "text/html"
    given = {"csrf_token": client.headers["X-CSRF-Token"]}
    assert client.post("/account/time-zone", data={**given, "zone": "America/Lima"}).status_code == 303
    assert "<option selected>America/Lima</option>" in client.get("/account").text
    refused = client.post("/account/time-zone", data={**given, "zone": "Nowhere/At all"})
    assert (refused.status_code, "There is no time zone" in refused.text) == (422, True)
