"""What `verify` finds: edits past the product, on both engines, and nothing where all is well."""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import delete, text, update

from ml_service.errors import InvalidRequest
from tests.clock import FixedClock
from tests.world import World, make_world, photo
from web.adapters.database import tables
from web.adapters.database.store import SqlStore, rows_on
from web.domain.audit.audit import signature
from web.jobs import tasks
from web.ports.parts import Parts
from web.rows.transaction import Store
from web.services.accounts import accounts, members
from web.services.accounts.keys import KeyDraft, make_key
from web.services.audit import chain
from web.services.audit.chain import check_chain
from web.services.audit.record import record
from web.services.operations import verify
from web.services.operations.verify import Finding, Verification
from web.services.studies import intake
from web.services.studies.studies import move_study

pytestmark = pytest.mark.storage

KEY = b"a key for tests that is long enough"


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    world = make_world(store, clock, tmp_path, inputs=2)
    tasks.plan(world.parts, world.study.id, depth=1)
    world.work()
    return world


def look(world: World, *heads: str, **more: Any) -> list[Finding]:
    return list(Verification(world.parts, KEY, **more).findings(heads))


def faults(world: World, *heads: str, **more: Any) -> list[str]:
    return [f"{found.kind}: {found.says}" for found in look(world, *heads, **more) if found.kind != "orphan"]


def sql(world: World, statement: Any) -> None:
    assert isinstance(world.parts.store, SqlStore)
    with world.parts.store.begin() as tx:
        assert tx.connection.execute(statement).rowcount > 0


def test_nothing_is_wrong_with_what_only_palate_has_changed(world: World, clock: FixedClock) -> None:
    source = intake.add_input(world.parts, world.admin, world.study.id, "photo", photo(50))
    intake.take_down(world.parts, world.admin, source.id)
    move_study(world.parts, world.admin, world.study.id, "paused")
    rita = world.person()
    members.set_role(world.parts, world.admin, rita.user_id, "admin")
    accounts.use_link(world.parts, accounts.renew_link(world.parts, world.admin, rita.user_id))
    members.deactivate(world.parts, world.admin, rita.user_id)
    make_key(world.parts, world.admin, KeyDraft("CI", ("prompts:read",)))
    verification = Verification(world.parts, KEY)
    assert list(verification.findings()) == []
    (chain,) = verification.chains
    assert chain.events == verification.checked["event"] > 8
    assert verification.checked["row"] > 5
    assert verification.checked["file"] >= 1
    assert verification.checked["object"] >= 5


ROWS: dict[str, Callable[[World], Any]] = {
    "a study's name": lambda world: update(tables.studies).values(name="Other"),
    "a study's state": lambda world: update(tables.studies).values(state="archived"),
    "a pointer": lambda world: update(tables.prompt_pointers).values(revision=7),
    "a role": lambda world: update(tables.memberships).where(tables.memberships.c.role == "rater").values(role="admin"),
    "a membership that goes": lambda world: delete(tables.memberships).where(tables.memberships.c.role == "rater"),
    "an account that is opened again": lambda world: (
        update(tables.users).where(~tables.users.c.active).values(active=True)
    ),
    "an input that comes back": lambda world: (
        update(tables.inputs)
        .where(tables.inputs.c.removed_at.is_not(None))
        .values(removed_at=None, content_hash="0" * 64)
    ),
    "a key's scopes": lambda world: update(tables.api_keys).values(scopes=("prompts:read", "feedback:write")),
    "a link that works again": lambda world: update(tables.links).values(used_at=None),
    "a session that works again": lambda world: update(tables.sessions).values(revoked_at=None),
}


def test_a_row_that_was_edited_in_the_database_is_found(world: World, store: SqlStore, clock: FixedClock) -> None:
    rita, gone = world.person(), world.person()
    members.set_role(world.parts, world.admin, rita.user_id, "admin")
    members.set_role(world.parts, world.admin, rita.user_id, "rater")
    accounts.use_link(world.parts, accounts.renew_link(world.parts, world.admin, gone.user_id))
    members.deactivate(world.parts, world.admin, gone.user_id)
    source = intake.add_input(world.parts, world.admin, world.study.id, "photo", photo(50))
    intake.take_down(world.parts, world.admin, source.id)
    make_key(world.parts, world.admin, KeyDraft("CI", ("prompts:read",)))
    assert faults(world) == []
    for name, edit in ROWS.items():
        told = _told_after(world, store, edit(world))
        assert told != [], name
        assert all("it was changed past Palate" in one for one in told)
    assert faults(world) == []


def _told_after(world: World, store: SqlStore, statement: Any) -> list[str]:
    """Return what is found after a statement, which is then taken back."""
    with store.engines.writer.connect() as connection:
        tx = rows_on(connection)
        assert connection.execute(statement).rowcount > 0
        inside = replace(world.parts, store=cast(Store, _Inside(tx)))
        told = [found.says for found in Verification(inside, KEY).findings() if found.kind == "row"]
        connection.rollback()
    return told


class _Inside:
    """A store whose every transaction is the one that is open, so that it can be taken back."""

    def __init__(self, tx: Any) -> None:
        self.tx = tx

    def begin(self) -> "_Inside":
        return self

    def snapshot(self) -> "_Inside":
        return self

    read = begin

    def __enter__(self) -> Any:
        return self.tx

    def __exit__(self, *_: object) -> None:
        pass


def test_what_is_forgotten_in_time_is_no_fault(world: World, clock: FixedClock) -> None:
    accounts.use_link(world.parts, accounts.renew_link(world.parts, world.admin, world.person().user_id))
    sql(world, delete(tables.sessions))
    sql(world, delete(tables.links))
    assert faults(world) == []


def test_a_broken_chain_is_told_with_what_to_do(world: World) -> None:
    sql(world, update(tables.audit_events).where(tables.audit_events.c.number == 2).values(actor_id=None))
    (told,) = faults(world)
    assert told.startswith("event: Palate: event 2 ")
    assert "restore the database" in told


def test_what_cannot_be_read_is_a_fault_and_no_crash(world: World) -> None:
    sql(world, text("UPDATE studies SET spaces = '[1]'"))
    (told,) = faults(world)
    assert told.startswith(f"row: Palate: the study {world.study.id} is not as event")
    for number in (2, 1):
        sql(world, text(f"UPDATE audit_events SET details = '[1]' WHERE number = {number}"))
        assert any("an event cannot be read" in told for told in faults(world))


def test_a_head_that_was_kept_shows_what_was_cut_off_or_rewritten(world: World) -> None:
    kept = check_chain(world.parts, world.admin.project_id).head
    move_study(world.parts, world.admin, world.study.id, "paused")
    newer = check_chain(world.parts, world.admin.project_id).head
    assert faults(world, kept, newer, "0:") == []
    sql(world, delete(tables.audit_events).where(tables.audit_events.c.number == int(newer.split(":")[0])))
    sql(world, update(tables.studies).values(state="running", revision=0))
    assert faults(world) == [], "without a head nothing shows"
    (told,) = faults(world, kept, newer)
    assert "cut off or rewritten" in told


def test_a_signed_head_is_this_servers(world: World) -> None:
    chain = check_chain(world.parts, world.admin.project_id)
    assert faults(world, f"{chain.head}:{signature(KEY, chain.project_id, chain.head)}") == []
    (told,) = faults(world, f"{chain.head}:{signature(b'other', chain.project_id, chain.head)}")
    assert "was not made with this server's SECRET_KEY" in told


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("given", ["", "abc", "x:y", "-1:x", "1e9:x", "²:x"])
def test_what_is_no_head_is_refused(world: World, given: str) -> None:
    with pytest.raises(InvalidRequest):
        look(world, given)


def test_a_look_at_the_newest_events_begins_where_it_says(world: World) -> None:
    for state in ("paused", "running", "paused"):
        move_study(world.parts, world.admin, world.study.id, state)
    whole = check_chain(world.parts, world.admin.project_id)
    some = check_chain(world.parts, world.admin.project_id, newest=2)
    assert (some.after, some.events, some.head, some.faults) == (whole.events - 2, whole.events, whole.head, ())
    sql(world, update(tables.audit_events).where(tables.audit_events.c.number == 1).values(actor_id="x"))
    assert check_chain(world.parts, world.admin.project_id, newest=2).faults == ()
    assert check_chain(world.parts, world.admin.project_id, newest=99).faults != ()
    sql(world, delete(tables.audit_events).where(tables.audit_events.c.number == some.after))
    assert check_chain(world.parts, world.admin.project_id, newest=2).faults != ()


def test_events_that_come_in_meanwhile_are_no_fault(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    every = chain.every

    def moving(parts: Parts, project_id: str, after: int = 0) -> Any:
        for event in every(parts, project_id, after):
            yield event
            if world.clock.time.minute < 30:
                world.clock.advance(minutes=30)
                move_study(world.parts, world.admin, world.study.id, "paused")

    monkeypatch.setattr(chain, "every", moving)
    assert faults(world) == []
    with world.parts.store.read() as tx:
        assert tx.studies.get(world.study.id).state == "paused"


def object_of(world: World, kind: str) -> str:
    return next(need.object_key for need in Verification(world.parts, KEY).needed() if need.kind == kind)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["input", "output"])
def test_an_object_that_is_missing_or_another_is_found(world: World, kind: str) -> None:
    key = object_of(world, kind)
    body = world.parts.objects.read(key)
    world.parts.objects.delete(key)
    for quick in (False, True):
        (told,) = faults(world, quick=quick)
        assert told.startswith(f"object: the object {key} of the {kind} ")
        assert "is missing; restore DATA_DIR" in told
    world.parts.objects.create(key, body + b"x")
    assert faults(world, quick=True) == []
    (told,) = faults(world)
    assert hashlib.sha256(body).hexdigest() in told


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_missing_view_is_found(world: World) -> None:
    world.parts.objects.delete(f"{object_of(world, 'input')}.view")
    assert len(faults(world)) == 1


def test_orphans_are_listed_and_deleted_once_they_are_old(world: World, tmp_path: Path) -> None:
    world.parts.objects.create("outputs/aa/young", b"x")
    world.parts.objects.create("inputs/bb/old", b"x")
    before = (world.clock.now() - timedelta(days=2)).timestamp()
    os.utime(tmp_path / "objects" / "inputs/bb/old", (before, before))
    world.clock.time = world.clock.time.now(world.clock.time.tzinfo)
    verification = Verification(world.parts, KEY)
    assert [found.kind for found in verification.findings()] == ["orphan", "orphan"]
    assert verification.orphans == ("inputs/bb/old", "outputs/aa/young")
    assert verify.discard_orphans(world.parts, verification.orphans) == ("inputs/bb/old",)
    assert "outputs/aa/young" in world.parts.objects.list()


def test_what_a_killed_writer_left_is_told_and_deleted_once_it_is_old(world: World, tmp_path: Path) -> None:
    left = [tmp_path / "objects" / "inputs" / ".new-old", tmp_path / "prompts" / "versions" / ".new-old"]
    young = tmp_path / "objects" / "inputs" / ".new-young"
    for path in (*left, young):
        path.write_bytes(b"half")
    before = (world.clock.now() - timedelta(days=2)).timestamp()
    for path in left:
        os.utime(path, (before, before))
    world.clock.time = world.clock.time.now(world.clock.time.tzinfo)
    verification = Verification(world.parts, KEY)
    told = [(found.kind, found.says.partition(" was killed")[0]) for found in verification.findings()]
    assert told == [
        ("orphan", "whoever wrote inputs/.new-old in DATA_DIR/objects"),
        ("orphan", "whoever wrote versions/.new-old in PROMPTS_DIR"),
    ]
    assert (verification.unfinished, verify.discard_unfinished(world.parts)) == (2, 2)
    assert ([path.exists() for path in left], young.exists()) == ([False, False], True)


def test_an_old_object_that_became_needed_is_no_orphan(world: World) -> None:
    verification = Verification(world.parts, KEY)
    world.clock.time = world.clock.time.now(world.clock.time.tzinfo) + timedelta(days=2)
    key = object_of(world, "input")
    assert list(verification.findings()) == []
    assert verify.discard_orphans(world.parts, [key, f"{key}.view"]) == ()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_files_that_are_not_what_the_database_says_are_found(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "prompts" / "versions"
    whole = (folder / "current.json").read_bytes()
    name = "v1.0.0.json"
    (folder / "current.json").write_bytes(whole.replace(b"photo", b"phota"))
    (told,) = faults(world)
    assert told.startswith("file: versions/current.json in PROMPTS_DIR is not v1.0.0")
    (folder / "current.json").unlink()
    assert faults(world)[0].startswith("file: versions/current.json is missing")
    (folder / "current.json").write_bytes(whole)
    (folder / name).rename(folder / "v9.0.0.json")
    told = " ".join(faults(world))
    assert "v1.0.0.json is missing" in told
    assert "v9.0.0.json in PROMPTS_DIR is no released version" in told
    shutil.copy(folder / "v9.0.0.json", folder / name)
    (folder / "v9.0.0.json").unlink()
    assert faults(world) == []
    sql(world, update(tables.prompt_versions).values(changelog="Other"))
    assert any("does not match its sha256" in one for one in faults(world))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_file_that_is_just_being_published_is_no_fault(world: World, tmp_path: Path) -> None:
    path = tmp_path / "prompts" / "versions" / "current.json"
    whole = path.read_bytes()
    path.unlink()
    findings = Verification(world.parts, KEY, watch=lambda items, _: (path.write_bytes(whole), items)[1]).findings()
    assert list(findings) == []


def test_an_action_of_nobody_and_a_note_are_no_fault(world: World) -> None:
    with world.parts.store.begin() as tx:
        actor = accounts.operator(world.parts)
        record(tx, world.clock.now(), actor, "other.done", ("other", "x"), note="why")
    assert faults(world) == []
