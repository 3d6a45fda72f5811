"""Ratings given while the database takes no changes wait in the browser, and are stored when it does again."""

import pytest
from playwright.sync_api import expect

from tests.failing import held_by_another
from tests.journeys.rater import Rater
from tests.journeys.server import Server, until
from web.domain.studies.study import Study


@pytest.mark.network_fails
def test_ratings_wait_while_another_program_holds_the_database(server: Server, study: Study, rater: Rater) -> None:
    with held_by_another(server.settings.database_url.removeprefix("sqlite:///")):
        with rater.page.expect_response("**/api/train/rate") as told:
            rater.page.keyboard.press("4")
        assert told.value.status == 503
        assert int(told.value.headers["retry-after"]) >= 1
        assert "Another program holds the database" in told.value.json()["detail"]
        expect(rater.main).to_have_attribute("data-sync", "waiting")
        assert server.ratings(study.id) == ()
    until("the rating, stored by itself", lambda: len(server.ratings(study.id)) == 1)
    assert server.ratings(study.id)[0].score == 4
