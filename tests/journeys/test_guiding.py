"""An admin writes what raters are told; the pages of that can be used by everybody."""

from playwright.sync_api import expect

from tests.journeys.conftest import Join
from tests.journeys.test_accessible import NARROW, assert_accessible, assert_accessible_in_light_and_dark
from web.domain.studies.study import Study


def test_an_admin_writes_the_guide_of_a_study(study: Study, join: Join) -> None:
    page = join(role="admin").page
    page.goto(f"/admin/studies/{study.id}")
    page.get_by_role("link", name="Guide").click()
    expect(page.get_by_role("heading", name="What raters are told")).to_be_visible()
    assert_accessible_in_light_and_dark(page)
    page.get_by_label("Words").fill("Look at the skin first.")
    page.get_by_label("What raters agree to before they rate").fill("You are paid by the hour.")
    page.get_by_role("button", name="Save the guide").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.get_by_label("Words")).to_have_value("Look at the skin first.")
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    assert page.evaluate("document.scrollingElement.scrollWidth") == NARROW["width"]
    assert_accessible(page)


def test_a_rater_chooses_when_their_day_begins(study: Study, join: Join) -> None:
    page = join(study).page
    page.goto("/account")
    assert_accessible_in_light_and_dark(page)
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Use it").click()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
