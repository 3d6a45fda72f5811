"""What an admin writes reaches the rater beside the photos, by keyboard, until it was read."""

from playwright.sync_api import expect

from tests.journeys.conftest import Join
from tests.journeys.server import Server
from tests.journeys.studies import studying
from tests.journeys.test_accessible import assert_accessible
from web.services.rating import enrolment

WORDS = "Look at the <b>sky</b>, too."


def test_a_message_is_shown_until_the_rater_says_that_they_read_it(server: Server, join: Join) -> None:
    with studying(server, "written to") as study:
        rater = join(study)
        with server.store.read() as tx:
            person = tx.users.find(email=rater.email)
            assert person is not None
        enrolment.message(server.parts, server.operator, study.id, person.id, WORDS)
        rater.open()
        rater.await_photo()
        letter = rater.page.locator("#letter")
        expect(letter).to_contain_text(f"An admin writes: {WORDS}")
        assert_accessible(rater.page)
        rater.rate(4)  # it stands in nobody's way
        rater.await_photo()
        expect(letter).to_be_visible()
        letter.get_by_role("button").focus()
        with rater.page.expect_response("**/api/train/enrolment"):
            rater.page.keyboard.press("Enter")
        expect(letter).to_be_hidden()
        rater.page.reload()
        rater.await_photo()
        expect(letter).to_be_hidden()
