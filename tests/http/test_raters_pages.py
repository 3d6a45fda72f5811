"""The pages of raters over HTTP: who is how, what an admin does about it, and what a rater sees and says."""

from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.http.test_status_pages import PAGE, rated
from tests.site import MOMENT, Site, table_of
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.rating.figures import OrdinalCheck


class Ground:
    """A site where Rita has rated, an admin's browser, and the address of her page."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.rita, self.actor = rated(site)
        self.admin = site.signed_in("admin")
        self.study = site.world.study.id
        self.address = f"/admin/studies/{self.study}/raters/{self.actor.user_id}"

    def read(self, client: TestClient, address: str) -> str:
        shown = client.get(address, headers=PAGE)
        assert shown.status_code == 200, shown.text
        return shown.text

    def act(self, verb: str, **data: Any) -> None:
        answered = self.admin.post(f"{self.address}/{verb}", data=data)
        assert (answered.status_code, answered.headers["location"]) == (303, self.address)


@pytest.fixture
def ground(site: Site) -> Ground:
    return Ground(site)


def test_the_page_opens_before_anybody_rated(site: Site) -> None:
    text = site.signed_in("admin").get("/admin/raters", headers=PAGE).text
    assert "Nobody has rated in this study yet" in text
    assert "style=" not in text


def test_an_admin_sees_the_raters_and_one_of_them(ground: Ground) -> None:
    text = ground.read(ground.admin, "/admin/raters")
    assert f'href="{ground.address}">rita@example.org' in text
    assert "Nobody needs looking at." in text
    assert "How kind or strict raters are" in text
    text = ground.read(ground.admin, ground.address)
    assert "Scores beside the others&#39;" in text or "Scores beside the others'" in text
    assert "Exclude them" in text
    assert ground.admin.get(f"/admin/studies/{ground.study}/raters/{new_id()}", headers=PAGE).status_code == 404


def test_a_pause_is_read_by_the_rater_and_ends(ground: Ground) -> None:
    ground.act("pause", words="You are <very> quick.")
    assert "You are &lt;very&gt; quick." in ground.read(ground.rita, "/status")
    assert "Let them go on" in ground.read(ground.admin, ground.address)
    ground.act("resume")
    assert "You are paused" not in ground.read(ground.rita, "/status")


def test_a_message_stays_on_the_status_page_until_it_is_read(ground: Ground) -> None:
    ground.act("message", words="Look at the <sky>.")
    assert "not read yet" in ground.read(ground.admin, ground.address)
    text = ground.read(ground.rita, "/status")
    assert "Look at the &lt;sky&gt;." in text
    at = text.partition('name="at" value="')[2].partition('"')[0]
    read = ground.rita.post("/status/message-read", data={"study": ground.study, "at": unescape(at)})
    assert read.status_code == 303
    assert "Look at the" not in ground.read(ground.rita, "/status")
    assert "not read yet" not in ground.read(ground.admin, ground.address)
    assert ground.admin.post(f"{ground.address}/message", data={"words": "x" * 501}).status_code == 422


def test_an_exclusion_is_typed_read_and_lifted(ground: Ground) -> None:
    ground.act("exclude", words="Stars do not follow the pictures.", since="")
    assert ground.admin.get("/api/train/status").json()["counts"]["ratings"] == 0
    assert "Stars do not follow the pictures." in ground.read(ground.rita, "/status")
    text = ground.read(ground.admin, ground.address)
    exclusion = text.partition('name="exclusion_id" value="')[2].partition('"')[0]
    ground.act("lift", exclusion_id=exclusion)
    assert ground.admin.get("/api/train/status").json()["counts"]["ratings"] == 2
    assert ground.admin.post(f"{ground.address}/exclude", data={"words": " ", "since": ""}).status_code == 422
    assert ground.admin.post(f"{ground.address}/exclude", data={"words": "x", "since": "soon"}).status_code == 422


def test_a_rater_appeals_and_reads_the_answer(ground: Ground) -> None:
    sent = ground.rita.post("/status/appeal", data={"study": ground.study, "words": "I was careful."})
    assert (sent.status_code, sent.headers["location"]) == (303, f"/status?study={ground.study}#appeal")
    assert "1 appeal waits for an answer." in ground.read(ground.admin, "/admin/raters")
    assert "I was careful." in ground.read(ground.admin, ground.address)
    ground.act("answer", words="So you were.")
    assert "So you were." in ground.read(ground.rita, "/status")
    assert "Nobody needs looking at." in ground.read(ground.admin, "/admin/raters")


def test_calibration_is_asked_for_once(ground: Ground) -> None:
    ground.act("recalibrate")
    assert "Calibration is due" in ground.read(ground.admin, ground.address)


def test_downloads_say_since_when_somebody_is_left_out(ground: Ground) -> None:
    ground.act("exclude", words="Stars do not follow the pictures.", since="")
    base = f"/api/v1/studies/{ground.study}"
    (rater,) = table_of(ground.admin.get(f"{base}/raters.csv"))
    assert MOMENT.fullmatch(rater["excluded_since"])
    assert rater["excluded_since"] == ground.admin.get(f"{base}/raters.json").json()[0]["excluded_since"]


def test_everything_listed_can_be_taken_along(ground: Ground) -> None:
    base = f"/api/v1/studies/{ground.study}"
    (rater,) = table_of(ground.admin.get(f"{base}/raters.csv"))
    assert (rater["rater"], rater["ratings"], rater["flags"]) == ("rita@example.org", "2", "")
    (told,) = ground.admin.get(f"{base}/raters.json").json()
    assert (told["rater_id"], told["checks"], told["paused"]) == (ground.actor.user_id, 0, False)
    scores = ground.admin.get(f"{base}/scores.json").json()
    rows = table_of(ground.admin.get(f"{base}/scores.csv"))
    assert [row["output_id"] for row in rows] == [one["output_id"] for one in scores]
    assert len(rows) == 2
    assert all(one["low"] <= one["score"] <= one["high"] for one in scores)
    assert ground.admin.get(f"{base}/agreement").json()["now"]["per_item"] == 1


def test_status_tells_opinion_scores(ground: Ground) -> None:
    text = ground.read(ground.admin, "/status")
    assert "What raters say" in text
    assert "sure to be the best of 2" in text


def test_a_rater_reaches_none_of_it(ground: Ground) -> None:
    base = f"/api/v1/studies/{ground.study}"
    for address in ("/admin/raters", ground.address, f"{base}/raters.csv", f"{base}/scores.json", f"{base}/agreement"):
        assert ground.rita.get(address).status_code == 403


def test_another_raters_numbers_are_not_told(ground: Ground) -> None:
    other, actor = rated(ground.site, "otto@example.org")
    assert isinstance(actor, Actor)
    ground.act("pause", words="Rita alone.")
    assert "Rita alone." not in ground.read(other, "/status")
    assert other.get("/api/train/status").json()["standing"]["paused"] == ""


def test_the_nightly_check_of_the_order_is_told_and_warns_where_means_mislead(ground: Ground) -> None:
    found = OrdinalCheck(ground.study, ground.site.world.clock.now(), 60, 20, 0.98, 10, 1, 0)
    for turned, warns in ((0, False), (3, True)):
        with ground.site.world.parts.store.begin() as tx:
            tx.ordinal_checks.remove(study_id=ground.study)
            tx.ordinal_checks.add(replace(found, turned=turned, made_at=found.made_at + timedelta(days=turned)))
        text = ground.read(ground.admin, "/admin/raters")
        assert "Ordinal check of 60 ratings" in text
        assert ("Means mislead there" in text) is warns
    told = ground.admin.get(f"/api/v1/studies/{ground.study}/agreement").json()
    assert (told["order"]["rank"], told["order"]["turned"]) == (0.98, 3)
