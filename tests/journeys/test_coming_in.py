"""Coming in: the link that the first start prints, and the links that an admin makes."""

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Join, Visit
from tests.journeys.rater import Rater
from tests.journeys.server import Server
from web.domain.studies.study import Study

ADMINS_ONLY = (
    *("/admin/people", "/admin/keys", "/admin/studies", "/admin/jobs", "/admin/prompts", "/admin/audit"),
    *("/api/v1/users", "/api/v1/keys", "/api/v1/studies"),
)


@pytest.mark.network_fails
def test_the_printed_link_leads_to_a_demo_photo_that_a_key_rates(server: Server, visit: Visit) -> None:
    page = visit().new_page()
    page.goto(server.printed_link())
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/train")
    admin = Rater(page, "admin@localhost")
    admin.begin()
    expect(page.locator(".study-name")).to_contain_text("Demo")
    admin.rate(5)
    admin.settled()
    expect(page.locator("#today")).to_contain_text("1 of 100 today")
    with server.store.read() as tx:
        user = tx.users.find(email="admin@localhost")
        assert user is not None
        (rating,) = tx.ratings.all(judge_id=user.id)
        assert tx.studies.get(rating.study_id).demo
        assert tx.inputs.get(rating.input_id).demo
    assert rating.score == 5

    page.goto(server.printed_link())
    expect(page.get_by_text("This link was used already")).to_be_visible()


@pytest.mark.network_fails
def test_an_invited_rater_rates_and_sees_nothing_of_the_admins(
    server: Server, study: Study, join: Join, visit: Visit
) -> None:
    admin = join(role="admin")
    admin.page.goto("/admin/people")
    admin.page.get_by_label("Address").fill("invited@example.org")
    admin.page.get_by_role("button", name="Make an invite link").click()
    link = admin.page.get_by_label("Copy it now").input_value()

    page = visit().new_page()
    page.goto(link)
    expect(page.get_by_text("as a rater")).to_be_visible()
    expect(page.get_by_label("Your address")).to_have_value("invited@example.org")
    page.get_by_role("button", name="Join and sign in").click()
    page.wait_for_url("**/train")
    rater = Rater(page, "invited@example.org", study.id)
    page.goto(f"/train?study={study.id}")
    rater.begin()
    rater.rate(3)
    rater.settled()
    (rating,) = server.ratings(study.id)
    with server.store.read() as tx:
        assert tx.users.get(rating.judge_id).email == "invited@example.org"
        (membership,) = tx.memberships.all(user_id=rating.judge_id)
    assert membership.role == "rater"

    links = page.get_by_role("navigation", name="Main").get_by_role("link").all_inner_texts()
    assert links == ["Train", "Status", "History", "invited@example.org"]
    for address in ADMINS_ONLY:
        assert page.context.request.get(address).status == 403, address
        assert admin.page.context.request.get(address).status == 200, address
