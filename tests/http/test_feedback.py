"""What production says of a version: kept once, from who may send it, and nothing of it trusted."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi.testclient import TestClient

from tests.site import Site
from tests.visitors import another_project, machine, member_of
from web.domain.ids import new_id
from web.domain.prompts.feedback import FeedbackSummary
from web.domain.prompts.prompt import DEFAULT_KEY, PromptVersion

WRONG: tuple[dict[str, Any], ...] = (
    {"id": "1"},
    {"id": new_id().upper()},
    {"score": 0.99},
    {"score": 5.01},
    {"score": "4"},
    {"score": True},
    {"score": None},
    {"score": None, "comment": "\u202e \x07"},
    {"comment": "x" * 301},
    {"comment": "half a letter \ud800"},
    {"failure": "It broke"},
    {"failure": "x" * 65},
    {"failure": "tint\n"},
    {"at": "2026-01-01T00:00:00"},
    {"at": "0001-01-01T00:00:00+14:00"},
    {"at": "2030-01-01T00:00:00Z"},
    {"version": "newest"},
    {"version": "v1.0.0\n"},
    {"version": "v١.0.0"},
    {"rating": 4},
)


def report(**more: Any) -> dict[str, Any]:
    return {"id": new_id(), "version": "v1.0.0", "score": 4, **more}


def send(client: TestClient, **more: Any) -> tuple[int, str]:
    body = json.dumps(report(**more))
    answer = client.post("/api/v1/feedback", content=body, headers={"Content-Type": "application/json"})
    return answer.status_code, answer.json().get("verdict", answer.json().get("detail"))


def live(site: Site) -> PromptVersion:
    with site.world.parts.store.read() as tx:
        (version,) = tx.versions.all(prompt_key=DEFAULT_KEY)
    return version


def summary(site: Site) -> FeedbackSummary:
    with site.world.parts.store.read() as tx:
        return tx.of_prompts.feedback(DEFAULT_KEY)[live(site).id]


def test_a_report_is_kept_with_what_it_says(site: Site) -> None:
    sender = machine(site, "feedback:write")
    given = report(
        prompt_key=DEFAULT_KEY, score=2.5, comment="Too orange", failure="tint", at="2026-02-28T23:00:00+01:00"
    )
    answer = sender.post("/api/v1/feedback", json=given)
    assert (answer.status_code, answer.json()) == (200, {"id": given["id"], "verdict": "stored"})
    with site.world.parts.store.read() as tx:
        kept = tx.feedback.get(given["id"])
        (key,) = tx.keys.all()
    assert (kept.score, kept.comment, kept.failure) == (2.5, "Too orange", "tint")
    assert (kept.version_id, kept.key_id, kept.project_id) == (live(site).id, key.id, site.world.admin.project_id)
    assert kept.at.isoformat() == "2026-02-28T22:00:00+00:00"
    assert kept.received_at == site.world.clock.now()


def test_a_report_sent_again_is_kept_once_and_another_under_its_id_is_refused(site: Site) -> None:
    sender, given = machine(site, "feedback:write"), report()
    assert send(sender, **given) == (200, "stored")
    assert send(sender, **given) == (200, "replayed")
    assert send(machine(site, "feedback:write"), **given) == (200, "replayed")
    for changed in ({"score": 5}, {"comment": "x"}, {"failure": "crash"}, {"at": "2026-01-01T00:00:00Z"}):
        status, detail = send(sender, **{**given, **changed})
        assert (status, "Another report" in detail) == (409, True)
    assert summary(site).reports == 1


def test_an_id_of_another_project_tells_nothing_of_it(site: Site) -> None:
    given = report()
    assert send(machine(site, "feedback:write"), **given) == (200, "stored")
    elsewhere = another_project(site)
    status, detail = send(machine(site, "feedback:write", project_id=elsewhere), **given)
    assert (status, detail) == (404, f"There is no prompt {DEFAULT_KEY}.")
    assert send(member_of(site, elsewhere), **given) == (404, f"There is no prompt {DEFAULT_KEY}.")


def test_one_report_sent_sixteen_times_at_once_is_one_report(site: Site) -> None:
    sender, given = machine(site, "feedback:write"), report()
    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(lambda _: send(sender, **given), range(16)))
    assert sorted(told) == [(200, "replayed")] * 15 + [(200, "stored")]
    assert summary(site).reports == 1


def test_who_may_send(site: Site) -> None:
    assert send(site.visitor())[0] == 401
    assert send(site.signed_in("rater"))[0] == 403
    assert send(machine(site, "prompts:read"))[0] == 403
    assert send(site.signed_in("admin"))[0] == 200
    assert send(machine(site, "prompts:read", "feedback:write"))[0] == 200


def test_what_cannot_be_used_is_refused_with_its_reason(site: Site) -> None:
    sender = machine(site, "feedback:write")
    for wrong in WRONG:
        status, detail = send(sender, **wrong)
        assert (status, detail[-1]) == (422, "."), (wrong, detail)


def test_an_unknown_version_is_not_found(site: Site) -> None:
    sender = machine(site, "feedback:write")
    for unknown in ({"version": "v9.9.9"}, {"prompt_key": "../../etc/passwd"}, {"prompt_key": ""}):
        assert send(sender, **unknown)[0] == 404


def test_a_comment_loses_what_cannot_be_seen(site: Site) -> None:
    given = report(comment="<b>red\u202e\x07\x1b[31m\nsky</b>")
    assert send(machine(site, "feedback:write"), **given) == (200, "stored")
    with site.world.parts.store.read() as tx:
        assert tx.feedback.get(given["id"]).comment == "<b>red[31m\nsky</b>"


def test_a_long_body_is_refused_before_it_is_read(site: Site) -> None:
    answer = machine(site, "feedback:write").post("/api/v1/feedback", content=b"[" * 20_000)
    assert answer.status_code == 413


def test_reports_are_summed_up_by_version(site: Site) -> None:
    sender = machine(site, "feedback:write")
    for score, failure in ((5, ""), (2, "tint"), (None, "tint"), (None, "crash")):
        assert send(sender, score=score, failure=failure, comment="" if failure else "fine")[0] == 200
    found = summary(site)
    assert (found.reports, found.scores, found.mean, found.failed) == (4, 2, 3.5, 3)
    assert list(found.failures.items()) == [("tint", 2), ("crash", 1)]
    with site.world.parts.store.read() as tx:
        assert len(tx.of_prompts.comments(live(site).id, 10)) == 4
        assert len(tx.of_prompts.comments(live(site).id, 2)) == 2


def test_only_the_commonest_failures_are_told(site: Site) -> None:
    sender = machine(site, "feedback:write")
    for word in "abcdefg":
        assert send(sender, failure=word)[0] == 200
    assert send(sender, failure="g")[0] == 200
    assert list(summary(site).failures.items()) == [("g", 2), ("a", 1), ("b", 1), ("c", 1), ("d", 1)]
