"""The audit page, its REST interface and its downloads: what they say, whom they say it to, and what they find."""

import json
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text, update

from tests.site import MOMENT, Site, table_of
from tests.visitors import another_project, member_of
from web.adapters.database.tables import audit_events
from web.domain.audit.audit import Event, chained, faults, signature
from web.domain.ids import new_id
from web.services.accounts import accounts
from web.services.audit.record import record
from web.services.studies import intake
from web.services.studies.studies import move_study

PLACE = "/api/v1/audit"


@pytest.fixture
def admin(site: Site) -> TestClient:
    return site.signed_in("admin", "boss@example.org")


def note(site: Site, words: str, action: str = "other.done") -> None:
    world = site.world
    with world.parts.store.begin() as tx:
        record(tx, world.clock.now(), world.admin, action, ("other", "x"), details={"n": "1"}, note=words)


def said(admin: TestClient, **wanted: str) -> list[str]:
    return [row["said"] for row in admin.get(PLACE, params=wanted).json()["rows"]]


def test_the_page_says_in_words_who_did_what_to_what(site: Site, admin: TestClient) -> None:
    world = site.world
    move_study(world.parts, world.admin, world.study.id, "paused")
    intake.take_down(world.parts, world.admin, world.add_input(7).id)
    rita = world.person()
    assert admin.post(f"/admin/people/{rita.user_id}/role", data={"role": "admin"}).status_code == 303
    note(site, "because <b>it</b> was “too warm”")
    shown = admin.get("/admin/audit")
    assert shown.status_code == 200
    assert f"<strong>{world.admin.email}</strong> paused the study <strong>Photos</strong>" in shown.text
    assert "took down the photo <strong>taken down</strong>" in shown.text
    assert f"<strong>boss@example.org</strong> made <strong>{rita.email}</strong> admin, who was rater" in shown.text
    assert "because &lt;b&gt;it&lt;/b&gt; was “too warm”" in shown.text
    assert "The chain is whole" in shown.text
    for absent in ("style=", "<script>"):
        assert absent not in shown.text


def test_events_are_asked_for_by_who_what_and_when(site: Site, admin: TestClient) -> None:
    world = site.world
    world.clock.advance(days=3)
    accounts.invite(world.parts, accounts.operator(world.parts), "rater", "anna@example.org")
    move_study(world.parts, world.admin, world.study.id, "paused")
    day = world.clock.now().date()
    paused = f"{world.admin.email} paused the study Photos"
    assert said(admin)[0] == paused
    assert said(admin, since=str(day)) == said(admin, until=str(day), since=str(day)) == said(admin)[:2]
    assert paused not in said(admin, until=str(day - timedelta(days=1))) != []
    assert said(admin, action="study.paused") == said(admin, object=world.study.id)[:1] == [paused]
    assert len(said(admin, action="study")) == len(said(admin, kind="study")) == 3  # made, assigned, paused
    assert said(admin, action="stud") == said(admin, actor="nobody") == said(admin, kind="studies") == []
    assert {line.partition(" took")[0] for line in said(admin, actor="palate")} == {"Palate"}
    assert said(admin, actor="terminal") == ["the terminal made a sign-in link for anna@example.org, as rater"]
    assert sum(len(said(admin, actor=each)) for each in who(admin)) == len(said(admin))
    assert "Nothing matches" in admin.get("/admin/audit?actor=nobody").text
    assert (
        f'<option value="{world.admin.user_id}" selected>'
        in admin.get("/admin/audit", params={"actor": world.admin.user_id}).text
    )


def test_what_has_no_name_is_told_by_what_it_is(site: Site, admin: TestClient) -> None:
    world = site.world
    against = {"challengers": "v1.1.0", "champion": "v1.0.0", "prompt": "photos"}
    asked = {"prompt": "photos", "samples": "10"}
    with world.parts.store.begin() as tx:
        for action, kind, details in (("abtest.opened", "abtest", against), ("round.asked", "round", asked)):
            record(tx, world.clock.now(), world.admin, action, (kind, new_id()), details=details)
    assert [line.removeprefix(f"{world.admin.email} ") for line in said(admin)[:2]] == [
        "asked for a round of evolution of the prompt photos after 10 samples",
        "opened an A/B test of v1.1.0 against v1.0.0 of the prompt photos",
    ]


def who(admin: TestClient) -> set[str]:
    nobody = {"the terminal": "terminal", "Palate": "palate"}
    return {row["actor_id"] or nobody[row["actor"]] for row in admin.get(PLACE).json()["rows"]}


@pytest.mark.parametrize(
    "wanted",
    [{"since": "yesterday"}, {"until": "9999-12-31"}, {"after": "x"}, {"after": "-1"}, {"after": "9" * 30}],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_question_that_means_nothing_is_refused(admin: TestClient, wanted: dict[str, str]) -> None:
    assert admin.get(PLACE, params=wanted).status_code == 422
    assert admin.get("/admin/audit", params=wanted).status_code == 422


def test_pages_lead_through_all_events_newest_first(site: Site, admin: TestClient) -> None:
    for number in range(7):
        note(site, str(number))
    every = [row["number"] for row in admin.get(PLACE).json()["rows"]]
    assert every == sorted(every, reverse=True)
    found: list[int] = []
    after = ""
    while not found or after:
        page = admin.get(PLACE, params={"limit": 3, "after": after}).json()
        found += [row["number"] for row in page["rows"]]
        after = page["after"]
    assert found == every == list(range(len(every), 0, -1))


def test_downloads_hold_every_event_that_is_asked_for(
    site: Site, admin: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.http.serving.export.AT_ONCE", 3)
    monkeypatch.setattr("web.services.audit.views.BATCH", 4)
    for number in range(9):
        note(site, f"=cmd|{number}")
    listed = admin.get(PLACE, params={"action": "other", "limit": 500}).json()["rows"]
    answer = admin.get(f"{PLACE}.json", params={"action": "other"})
    assert answer.headers["content-disposition"] == 'attachment; filename="palate-audit.json"'
    assert answer.json() == listed
    table = table_of(admin.get(f"{PLACE}.csv", params={"action": "other"}))
    assert [(row["hash"], row["at"]) for row in table] == [(row["hash"], row["at"]) for row in listed]
    assert all(MOMENT.fullmatch(row["at"]) for row in table)
    assert all(row["note"].startswith("'=cmd|") for row in table)
    assert json.loads(table[0]["details"]) == {"n": "1"}
    assert admin.get(f"{PLACE}.json", params={"action": "none"}).json() == []
    assert admin.get(f"{PLACE}.csv", params={"action": "none"}).text.count("\n") == 1


def test_whoever_has_the_download_can_check_the_chain_alone(site: Site, admin: TestClient) -> None:
    note(site, "a note")
    rows = admin.get(f"{PLACE}.json").json()[::-1]
    events = [
        Event(
            **{name: row[name] for name in Event.__dataclass_fields__ if name != "at"},
            at=datetime.fromisoformat(row["at"]),
        )
        for row in rows
    ]
    assert list(faults(events)) == []
    assert [chained(event) for event in events] == [row["hash"] for row in rows]
    head = admin.get(f"{PLACE}/chain").json()
    assert head["head"] == f"{len(rows)}:{rows[-1]['hash']}"


def test_a_chain_that_was_touched_is_shown_as_broken(site: Site, admin: TestClient) -> None:
    note(site, "a")
    told = admin.get(f"{PLACE}/chain").json()
    assert (told["whole"], told["faults"]) == (True, [])
    context = site.app.state.context
    assert told["signature"] == signature(context.key, told["project_id"], told["head"])
    assert f"{told['head']}:{told['signature']}" in admin.get("/admin/audit").text
    with site.world.parts.store.begin() as tx:
        touched = update(audit_events).where(audit_events.c.number == 2).values(actor_id=None)
        assert tx.connection.execute(touched).rowcount == 1  # type: ignore[attr-defined]
    told = admin.get(f"{PLACE}/chain").json()
    assert told["whole"] is False
    assert "event 2" in told["faults"][0]
    shown = admin.get("/admin/audit")
    assert "The chain is broken" in shown.text
    assert told["faults"][0] in shown.text
    with site.world.parts.store.begin() as tx:
        tx.connection.execute(text("DELETE FROM audit_events WHERE number = 1"))  # type: ignore[attr-defined]
    assert admin.get("/admin/audit").status_code == 200


def test_only_the_newest_events_are_checked_at_each_look(
    site: Site, admin: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.pages.audit.NEWEST", 3)
    for number in range(5):
        note(site, str(number))
    with site.world.parts.store.begin() as tx:
        touched = update(audit_events).where(audit_events.c.number == 1).values(actor_id="x")
        tx.connection.execute(touched)  # type: ignore[attr-defined]
    shown = admin.get("/admin/audit").text
    assert "The newest 3 of" in shown
    assert "Check every event" in shown
    assert "The chain is broken" in admin.get("/admin/audit?check=all").text


def test_an_erased_note_is_told_as_one(site: Site, admin: TestClient) -> None:
    note(site, "rita@example.org asked for it")
    with site.world.parts.store.begin() as tx:
        tx.connection.execute(update(audit_events).values(note=""))  # type: ignore[attr-defined]
    assert "note erased" in admin.get("/admin/audit").text
    assert said(admin, action="other")[0].endswith("(the note was erased)")
    assert admin.get(f"{PLACE}/chain").json()["whole"] is True


def test_another_project_sees_its_own_events_alone(site: Site, admin: TestClient) -> None:
    other = member_of(site, another_project(site))
    assert other.get(PLACE).json() == {"rows": [], "after": ""}
    assert other.get(PLACE, params={"object": site.world.study.id}).json()["rows"] == []
    assert other.get(f"{PLACE}.json").json() == []
    assert other.get(f"{PLACE}/chain").json()["events"] == 0
    assert "Nothing has been changed yet" in other.get("/admin/audit").text
    assert said(admin) != []


def test_raters_see_nothing_of_it(site: Site) -> None:
    rater = site.signed_in()
    for path in ("/admin/audit", PLACE, f"{PLACE}.csv", f"{PLACE}.json", f"{PLACE}/chain"):
        assert rater.get(path).status_code == 403
