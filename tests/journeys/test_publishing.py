"""Publishing as an admin does it: from what was learnt to what production reads, back again, and too late."""

import json
import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from ml_service.wire.contract import digest
from tests.journeys.conftest import Join
from tests.journeys.rater import Rater
from tests.journeys.screens import DESK, PHONE, look
from tests.journeys.server import Server, until
from tests.rows import diagnosis
from web.domain.ids import new_id
from web.domain.prompts.prompt import DEFAULT_KEY
from web.domain.studies.study import Learnt, Study
from web.services.accounts.keys import KeyDraft, make_key
from web.services.learning.requests import diagnose_request

HOME = f"/admin/prompts/{DEFAULT_KEY}"
SOON_MS = 120_000


def learn(server: Server, study: Study, rater: Rater, exposure: float) -> None:
    """Keep what the worker would have learnt."""
    found = diagnosis(rater.email, 0, 4.1)  # more ratings than stand would be a diagnosis of the past
    assert found.best is not None
    best = found.best.model_copy(update={"point": {"exposure": exposure, "style": "vivid"}})
    now = server.parts.clock.now()
    with server.store.begin() as tx:
        tx.diagnoses.add(Learnt(new_id(), study.id, new_id(), found.model_copy(update={"best": best}), now))


def has_learnt(server: Server, study: Study) -> bool:
    """Return whether what is said of a study was learnt from all of its ratings."""
    with server.store.read() as tx:
        asked = digest(diagnose_request(tx, study))
        newest = tx.of_studies.newest_diagnosis(study.id)
    return newest is not None and newest.request_hash == asked


def rate_until_the_best_is_new(server: Server, page: Page, study: Study, rater: Rater) -> None:
    """Rate blindly, again where that praised the settings which are live already, until others are best."""
    new = page.get_by_role("link", name="Publish these settings…")
    while True:
        rater.rate(5, 1, 4, 2)
        rater.settled()
        until("what all ratings say", lambda: has_learnt(server, study))
        page.goto(f"/status?study={study.id}")
        expect(new.or_(page.get_by_text("Production uses these settings"))).to_be_visible(timeout=SOON_MS)
        if new.is_visible():
            return


def production(server: Server, name: str = "current") -> str:
    """Return the version that production pulls from the server, which is what lies in the file."""
    key = make_key(server.parts, server.operator, KeyDraft("enhancer", ("prompts:read",)))[1]
    answer = httpx.get(f"{server.url}/prompts/{name}.json", headers={"Authorization": f"Bearer {key}"})
    if answer.status_code != 200:
        return str(answer.status_code)
    assert (
        answer.content
        == (server.settings.prompts_dir / "versions" / f"{name.removeprefix('versions/')}.json").read_bytes()
    )
    return str(json.loads(answer.content)["version"])


def publish(page: Page, study: Study, note: str) -> str:
    """Go from the status page to a new live version and return its name."""
    page.goto(f"/status?study={study.id}")
    page.get_by_role("link", name="Publish these settings…").click(timeout=SOON_MS)
    page.get_by_label("Why, in a few words").fill(note)
    page.get_by_role("button", name="Publish and make live").click()
    told = page.get_by_role("heading", name=re.compile(r"is live$")).inner_text()
    return told.removesuffix(" is live")


def test_what_was_learnt_is_published_compared_and_rolled_back(
    server: Server, study: Study, rater: Rater, join: Join
) -> None:
    before = production(server)
    page = join(role="admin", **DESK).page
    rate_until_the_best_is_new(server, page, study, rater)
    page.get_by_role("link", name="Publish these settings…").click(timeout=SOON_MS)
    expect(page.get_by_role("heading", name=f"Expected gain over {before}")).to_be_visible()
    look(page, "publish-desk")
    after = publish(page, study, "Raters like it.")
    assert production(server) == after != before
    look(page, "published-desk")

    page.get_by_role("link", name="Compare the two").click()
    expect(page.get_by_role("heading", name=f"{before} → {after}", level=1)).to_be_visible()
    expect(page.get_by_role("img", name=f"with {after}").first).to_be_visible()
    look(page, "diff-desk")

    page.go_back()
    page.get_by_role("button", name=f"Go back to {before}").click()
    expect(page.get_by_role("heading", name=f"{before} is live")).to_be_visible()
    assert production(server) == before
    newest = page.locator(".timeline li")
    expect(newest.nth(0)).to_contain_text(f"{after} → {before} rolled back")
    expect(newest.nth(1)).to_contain_text(f"{before} → {after} published")
    expect(newest.nth(1)).to_contain_text("Raters like it.")
    look(page, "history-desk")
    page.goto("/admin/prompts")
    look(page, "prompts-desk")


def test_a_phone_publishes_promotes_and_withdraws(server: Server, study: Study, rater: Rater, join: Join) -> None:
    page = join(role="admin", **PHONE).page
    learn(server, study, rater, 0.4)
    page.goto(f"{HOME}/publish?study={study.id}")
    look(page, "publish-phone")
    first = publish(page, study, "From a train.")
    learn(server, study, rater, 0.7)
    second = publish(page, study, "Brighter still.")
    look(page, "published-phone")
    page.get_by_role("link", name="Compare the two").click()
    look(page, "diff-phone")

    page.goto(HOME)
    page.get_by_text(f"Roll back to {first}…").click()
    page.get_by_label("Why?").locator("visible=true").fill("Too bright.")
    look(page, "rolling-back-phone")
    page.get_by_role("button", name=f"Make {first} live").click()
    expect(page.get_by_role("heading", name=f"{first} is live")).to_be_visible()
    assert production(server) == first

    page.get_by_text(f"Withdraw {second}…").click()
    page.get_by_label("Why?").locator("visible=true").fill("Nobody liked it.")
    page.get_by_role("button", name=f"Withdraw {second} for good").click()
    expect(page.locator(".versions li", has_text=second).get_by_text("withdrawn")).to_be_visible()
    assert production(server, f"versions/{second}") == "410"
    page.goto("/admin/prompts")
    look(page, "prompts-phone")


@pytest.mark.network_fails  # the console tells of the 409
def test_who_comes_too_late_is_told_and_changes_nothing(server: Server, study: Study, rater: Rater, join: Join) -> None:
    learn(server, study, rater, -0.3)
    early, late = join(role="admin", **DESK).page, join(role="admin", **PHONE).page
    late.goto(f"{HOME}/publish?study={study.id}")
    live = publish(early, study, "First.")
    late.get_by_role("button", name="Publish and make live").click()
    expect(late.get_by_role("heading", name="Nothing was changed")).to_be_visible()
    expect(late.get_by_text(f"Live now is {live}")).to_be_visible()
    look(late, "stale-phone")
    assert production(server) == live
    late.get_by_role("link", name="Look at the best settings again").click()
    expect(late.get_by_text(f"These settings are live already, as {live}.")).to_be_visible()
    look(late, "live-already-phone")
    late.goto(HOME)
    expect(late.get_by_role("heading", name="Live now")).to_be_visible()
    expect(late.get_by_text("First.")).to_be_visible()
