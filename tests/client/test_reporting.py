"""What production saw goes to Palate, once, and never in production's way."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from client.palate_client import PalateClient
from tests.client.conftest import Make
from tests.client.palate import KEY, PROBLEM, Fault, Handler, Palate, until


def refused(status: int, kind: str = PROBLEM) -> Fault:
    return lambda at: at.answer(status, b"{}", kind)


def test_a_report_is_sent_under_an_id_of_its_own(make: Make, palate: Palate) -> None:
    client = make()
    version = client.version
    first = client.report(version, score=4.5, comment="nice", failure="Timeout Error!")
    second = client.report("v0.9.0", comment="x" * 400)
    until("both reports", lambda: len(palate.reports) == 2)
    one, two = palate.reports
    assert {one.pop("id"), two.pop("id")} == {first, second}
    assert len(str(one.pop("at"))) == len("2026-11-21T00:00:00.000000+00:00")
    assert one == {
        "prompt_key": "photo-enhance",
        "version": "v1.0.0",
        "score": 4.5,
        "comment": "nice",
        "failure": "timeout-error-",
    }
    assert (two["version"], len(two["comment"]), "score" in two) == ("v0.9.0", 300, False)
    assert str(uuid.UUID(first)) == first
    assert palate.asked[-1].key == f"Bearer {KEY}"
    until("an empty queue", lambda: client.status()["waiting"] == 0)


def test_a_report_is_sent_again_under_the_same_id_until_it_arrives(make: Make, palate: Palate) -> None:
    client = make()
    palate.fault = refused(503)
    sent = client.report("v1.0.0", score=1)
    until("two tries", lambda: len(palate.reports) >= 2)
    assert client.status()["waiting"] == 1
    palate.fault = None
    until("its arrival", lambda: client.status()["waiting"] == 0)
    assert {report["id"] for report in palate.reports} == {sent}
    assert len({str(report) for report in palate.reports}) == 1
    assert client.status()["dropped"] == 0


@pytest.mark.parametrize("status", [401, 403, 429, 500, 302])
def test_what_may_go_better_later_waits(make: Make, palate: Palate, status: int) -> None:
    client = make()
    palate.fault = refused(status)
    client.report("v1.0.0", score=1)
    until("a try", lambda: palate.reports)
    assert client.flush() == 1


@pytest.mark.parametrize("status", [404, 409, 422])
def test_what_palate_refuses_for_good_is_dropped_and_the_rest_goes_on(
    make: Make, palate: Palate, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    client = make()

    def once(at: Handler) -> None:
        palate.fault = None
        at.answer(status, b"{}", PROBLEM)

    palate.fault = once
    client.report("v9.9.9", score=1)
    client.report("v1.0.0", score=2)
    until("an empty queue", lambda: client.status()["waiting"] == 0)
    assert client.status()["dropped"] == 1
    assert [report["version"] for report in palate.reports] == ["v9.9.9", "v1.0.0"]
    assert f"refused with {status}" in caplog.text


def test_a_proxys_404_is_no_answer(make: Make, palate: Palate) -> None:
    client = make()
    palate.fault = refused(404, "text/html")
    client.report("v1.0.0", score=2)
    until("a try", lambda: palate.reports)
    assert client.flush() == 1


def test_one_that_the_server_cannot_digest_does_not_hold_up_the_others(make: Make, palate: Palate) -> None:
    client = make()

    def choosy(at: Handler) -> None:
        bad = palate.reports[-1]["version"] == "v6.6.6"
        at.answer(500 if bad else 200, b"{}", PROBLEM)

    palate.fault = choosy
    client.report("v6.6.6", score=1)
    client.report("v1.0.0", score=2)
    until("the other one", lambda: client.status()["waiting"] == 1)
    assert client.waiting[0]["version"] == "v6.6.6"
    assert "v1.0.0" in [report["version"] for report in palate.reports]


def test_production_does_not_wait_for_a_server_that_hangs(make: Make, palate: Palate) -> None:
    client = make(timeout=0.5)

    def silent(at: Handler) -> None:
        at.palate.over.wait(20)

    palate.fault = silent
    began = time.monotonic()
    assert all(client.report("v1.0.0", score=3) for _ in range(500))
    assert time.monotonic() - began < 5


def test_more_reports_than_there_is_room_for_are_counted_and_dropped(make: Make, palate: Palate) -> None:
    client = make()
    palate.fault = refused(503)
    sent = [client.report("v1.0.0", score=3) for _ in range(1010)]
    assert sum(one is None for one in sent) == client.status()["dropped"] == 10
    assert client.status()["waiting"] == 1000
    palate.fault = None
    assert client.flush() == 0
    assert {report["id"] for report in palate.reports} == set(sent) - {None}


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"score": 0.9},
        {"score": 5.1},
        {"score": float("nan")},
        {"score": float("inf")},
        {"score": 10**400},
        {"score": "4"},
        {"comment": "", "failure": ""},
        {"comment": " \x00\n"},
    ],
)
def test_what_says_nothing_or_is_no_score_is_not_sent_and_raises_nothing(
    make: Make, palate: Palate, said: dict[str, Any]
) -> None:
    client = make()
    assert client.report("v1.0.0", **said) is None
    assert client.flush() == 0
    assert palate.reports == []
    assert client.status()["dropped"] == 1


def test_what_no_database_keeps_is_left_out(make: Make, palate: Palate) -> None:
    client = make()
    assert client.report("v1.0.0", comment="half a letter \ud800\x00", failure="\ud800")
    assert client.flush() == 0
    assert palate.reports[0]["comment"] == "half a letter"


def test_a_folder_takes_no_reports(tmp_path: Path) -> None:
    client = PalateClient(tmp_path)
    assert client.report("v1.0.0", score=4) is None
    assert client.flush() == 0


def test_many_threads_report_at_once(make: Make, palate: Palate) -> None:
    client = make()
    with ThreadPoolExecutor(8) as pool:
        sent = set(pool.map(lambda n: client.report("v1.0.0", score=1 + n % 5), range(200)))
    until("an empty queue", lambda: client.flush() == 0)
    assert sorted(report["id"] for report in palate.reports) == sorted(str(one) for one in sent)
