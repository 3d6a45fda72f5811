"""Erasing in a real browser, and what the audit says of it: on a desk in light, on a phone in the dark."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Join
from tests.journeys.screens import SCREENS, look
from tests.journeys.server import Server
from web.domain.studies.study import Study


@pytest.mark.network_fails  # a wrong word is answered by 422
@pytest.mark.parametrize("screen", list(SCREENS))
def test_a_person_and_a_photo_are_erased_and_the_audit_says_so(
    server: Server, study: Study, join: Join, screen: str
) -> None:
    rater = join(study)
    rater.open()
    rater.rate(4)
    rater.settled()
    admin = join(role="admin", **SCREENS[screen])
    page = admin.page

    page.goto("/admin/people")
    page.get_by_role("link", name=f"Erase {rater.email}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Erase {rater.email}")
    look(page, f"erase-person-{screen}")
    page.get_by_label("To confirm, type").fill("nobody")
    page.get_by_role("button", name="Erase this person").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was erased")
    page.get_by_label("To confirm, type").fill(rater.email)
    page.get_by_role("button", name="Erase this person").click()
    page.wait_for_url("**/admin/people")
    expect(page.get_by_text(rater.email)).to_have_count(0)
    look(page, f"people-with-one-erased-{screen}")
    rater.page.goto("/account")
    expect(rater.page).to_have_url(re.compile("/sign-in"))
    assert len(server.ratings(study.id)) == 1

    page.goto(f"/admin/studies/{study.id}/photos")
    first = page.get_by_role("link", name=re.compile("^Erase ")).first
    name = str(first.get_attribute("aria-label")).removeprefix("Erase ")
    first.scroll_into_view_if_needed()
    first.click()
    look(page, f"erase-photo-{screen}")
    page.get_by_label("To confirm, type").fill("erase")
    page.get_by_role("button", name="Erase this photo").click()
    page.wait_for_url(f"**/admin/studies/{study.id}/photos")
    expect(page.get_by_role("link", name=f"Erase {name}", exact=True)).to_have_count(0)
    look(page, f"study-after-erasing-{screen}")

    page.goto("/admin/audit")
    expect(page.get_by_role("heading", name="The chain is whole")).to_be_visible()
    expect(page.get_by_text(rater.email)).to_have_count(0)
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Who", exact=True).select_option(label=admin.email)
    page.get_by_label("Did what").select_option("user.erased")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("td.event")).to_have_text(re.compile(rf"{admin.email}\s+erased somebody, now erased person"))
    page.locator("td summary").click()
    look(page, f"audit-{screen}")
