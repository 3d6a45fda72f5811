"""The audit chain: one line of events whoever adds to it at once, and nothing of it changes unseen."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import event, insert, update

from ml_service.errors import Conflict
from tests.clock import FixedClock
from tests.world import SPACE, make_world, photo
from web.adapters.database.store import SqlStore
from web.adapters.database.tables import audit_events
from web.domain.access import Actor
from web.domain.accounts import ApiKey, User
from web.domain.audit.audit import FIRST, Event, chained, faults, head, note_hash, row_hash, signature
from web.domain.ids import new_id
from web.domain.prompts.prompt import Prompt
from web.domain.studies.study import Project, Stopped, StopRules, Study
from web.services.accounts import accounts, members
from web.services.audit.record import record
from web.services.studies import intake
from web.services.studies.studies import StudyDraft, change_study, clone_study, make_study, move_study

pytestmark = pytest.mark.storage

THREADS = 16
ROUNDS = 6


@pytest.fixture
def actor(store: SqlStore, clock: FixedClock) -> Actor:
    with store.begin() as tx:
        project = tx.projects.add(Project(new_id(), "Palate", clock.now()))
    return Actor(new_id(), "anna@example.org", project.id, "admin")


def add(store: SqlStore, actor: Actor, clock: FixedClock, count: int = 1, note: str = "") -> None:
    for number in range(count):
        with store.begin() as tx:
            record(tx, clock.now(), actor, "study.changed", ("study", "s"), details={"n": str(number)}, note=note)


def chain(store: SqlStore, actor: Actor) -> list[Event]:
    with store.read() as tx:
        return sorted(tx.events.all(project_id=actor.project_id), key=lambda event: event.number)


def rechained(events: list[Event]) -> list[Event]:
    """What somebody makes who knows how the chain is hashed, and rewrites it."""
    done: list[Event] = []
    for number, one in enumerate(events, start=1):
        moved = replace(one, number=number, previous_hash=done[-1].hash if done else FIRST)
        done.append(replace(moved, hash=chained(moved)))
    return done


def test_events_are_read_back_as_they_were_hashed(store: SqlStore, actor: Actor, clock: FixedClock) -> None:
    clock.time = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=5)))
    add(store, actor, clock, 3, note="“too warm”, sagt Änne 🙂\n")
    clock.time = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    add(store, actor, clock)
    events = chain(store, actor)
    assert list(faults(events)) == []
    assert [one.number for one in events] == [1, 2, 3, 4]
    assert [one.previous_hash for one in events] == [FIRST, *(one.hash for one in events[:-1])]


def test_many_at_once_make_one_chain(store: SqlStore, actor: Actor, clock: FixedClock) -> None:
    barrier = Barrier(THREADS)

    def write() -> None:
        barrier.wait()
        add(store, actor, clock, ROUNDS)

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(write) for _ in range(THREADS)]:
            done.result(60)
    events = chain(store, actor)
    assert len(events) == THREADS * ROUNDS
    assert list(faults(events)) == []


def test_two_projects_have_two_chains(store: SqlStore, actor: Actor, clock: FixedClock) -> None:
    with store.begin() as tx:
        other = replace(actor, project_id=tx.projects.add(Project(new_id(), "Other", clock.now())).id)
    for who in (actor, other, actor):
        add(store, who, clock)
    assert [one.number for one in chain(store, actor)] == [1, 2]
    assert [one.number for one in chain(store, other)] == [1]


def test_an_event_is_gone_with_its_transaction(store: SqlStore, actor: Actor, clock: FixedClock) -> None:
    add(store, actor, clock)

    def fail() -> None:
        with store.begin() as tx:
            record(tx, clock.now(), actor, "study.made", ("study", "s"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    add(store, actor, clock)
    assert [one.number for one in chain(store, actor)] == [1, 2]
    assert list(faults(chain(store, actor))) == []


OTHER = datetime(2020, 1, 1, tzinfo=UTC)
CHANGES: dict[str, dict[str, Any]] = {
    "id": {"id": "0198d000-0000-7000-8000-000000000000"},
    "actor": {"actor_id": "somebody else"},
    "nobody": {"actor_id": None},
    "action": {"action": "study.made"},
    "kind": {"object_type": "input"},
    "object": {"object_id": "t"},
    "time": {"at": OTHER},
    "before": {"before_hash": "0" * 64},
    "after": {"after_hash": "0" * 64},
    "details": {"details": {"n": "2", "more": ""}},
    "note": {"note": "too cold"},
    "hash of the note": {"note_hash": "0" * 64},
    "previous": {"previous_hash": "0" * 64},
    "hash": {"hash": "0" * 64},
    "number": {"number": 12},
}


def test_a_changed_field_is_found(store: SqlStore, actor: Actor, clock: FixedClock) -> None:
    add(store, actor, clock, 5, note="too warm")
    victim = chain(store, actor)[2]

    def change(key: str, **values: Any) -> None:
        with store.begin() as tx:
            done = tx.connection.execute(update(audit_events).where(audit_events.c.id == key).values(**values))
        assert done.rowcount == 1

    for name, values in CHANGES.items():
        key = values.get("id", victim.id)
        change(victim.id, **values)
        assert list(faults(chain(store, actor))) != [], name
        change(key, **victim.__dict__)
        assert list(faults(chain(store, actor))) == []


def test_an_event_that_was_hashed_anew_no_longer_fits(store: SqlStore, actor: Actor, clock: FixedClock) -> None:
    add(store, actor, clock, 5)
    events = chain(store, actor)
    forged = replace(events[2], actor_id="somebody else")
    events[2] = replace(forged, hash=chained(forged))
    (told,) = faults(events)
    assert told.startswith("event 4 ")


def test_removed_swapped_and_inserted_events_are_found(store: SqlStore, actor: Actor, clock: FixedClock) -> None:
    add(store, actor, clock, 6)
    events = chain(store, actor)
    assert list(faults([*events[:2], *events[3:]])) == [
        f"event 4 ({events[3].id}) does not follow event 2: one was changed or is gone"
    ]
    assert "event 2 " in next(iter(faults(events[1:])))
    swapped = [*events[:2], events[3], events[2], *events[4:]]
    assert list(faults(swapped)) != []
    renumbered = [replace(one, number=number) for number, one in enumerate(swapped, start=1)]
    assert list(faults(renumbered)) != []
    stranger = replace(events[2], id=new_id())
    inserted = [*events[:3], replace(stranger, number=4, previous_hash=events[2].hash), *events[3:]]
    inserted[3] = replace(inserted[3], hash=chained(inserted[3]))
    assert list(faults(inserted)) != []
    with pytest.raises(Conflict), store.begin() as tx:
        tx.connection.execute(insert(audit_events).values(**stranger.__dict__))


def test_an_erased_note_is_fine_and_a_new_one_is_not(store: SqlStore, actor: Actor, clock: FixedClock) -> None:
    add(store, actor, clock, 1, note="too warm")
    add(store, actor, clock)
    first, second = chain(store, actor)
    assert list(faults([replace(first, note=""), second])) == []
    assert [told[:27] for told in faults([replace(first, note="cold"), second])] == [
        "the note of event 1 (" + first.id[:6]
    ]
    assert list(faults([first, replace(second, note="cold")])) != []


def test_what_is_cut_off_or_written_anew_looks_whole_and_has_another_head(
    store: SqlStore, actor: Actor, clock: FixedClock
) -> None:
    add(store, actor, clock, 5)
    events = chain(store, actor)
    kept = head(events[-1])
    assert kept == f"5:{events[-1].hash}"
    assert list(faults(events[:3])) == []
    assert head(events[2]) != kept
    rewritten = rechained([replace(one, actor_id="somebody else") for one in events])
    assert list(faults(rewritten)) == []
    assert head(rewritten[-1]) != kept
    assert head(None) == "0:"


def test_a_look_from_a_place_on_finds_what_is_wrong_behind_it(store: SqlStore, actor: Actor, clock: FixedClock) -> None:
    add(store, actor, clock, 6)
    events = chain(store, actor)
    assert list(faults(events[3:], events[2])) == []
    assert list(faults(events[4:], events[2])) != []
    assert list(faults(events[3:], replace(events[2], hash=FIRST))) != []


def test_any_tampering_at_random_is_found(actor: Actor) -> None:
    made = [
        Event(new_id(), actor.project_id, 0, actor.user_id, f"action.{n}", "study", "s", OTHER, details={"n": str(n)})
        for n in range(30)
    ]
    events, chance = rechained(made), random.Random(7)

    def tampered() -> list[Event]:
        one, other = sorted(chance.sample(range(30), 2))
        ways: list[Callable[[], list[Event]]] = [
            lambda: [*events[:one], *events[one + 1 :]],
            lambda: [*events[:one], events[other], *events[one + 1 : other], events[one], *events[other + 1 :]],
            lambda: [*events[: one + 1], *events[one:]],
            lambda: [*events[:one], replace(events[one], action="other"), *events[one + 1 :]],
            lambda: [*events[:one], *rechained(events[one:])],
        ]
        return chance.choice(ways)()

    assert list(faults(events)) == []
    for _ in range(200):
        attempt = tampered()
        assert attempt == events or list(faults(attempt)) != []


def test_a_signature_is_of_one_key_one_project_and_one_head() -> None:
    told = {signature(key, project, end) for key in (b"a", b"b") for project in "pq" for end in ("1:x", "2:x")}
    assert len(told) == 8
    assert signature(b"a", "p", "1:x") in told


def test_hashes_of_rows_leave_out_what_identifies_a_person_and_mere_use(clock: FixedClock) -> None:
    user = User("u", "anna@example.org", clock.now())
    assert row_hash(user) == row_hash(replace(user, email="gone", erased_at=clock.now()))
    assert row_hash(user) != row_hash(replace(user, active=False))
    key = ApiKey("k", "h", "p", None, "anna's laptop", "production", ("prompts:read",), clock.now())
    assert row_hash(key) == row_hash(replace(key, name="gone", used_at=clock.now()))
    assert row_hash(key) != row_hash(replace(key, scopes=("feedback:write",)))
    assert note_hash("e", "") == ""
    assert note_hash("e", "a") != note_hash("f", "a")


def test_a_row_on_its_way_into_a_database_hashes_as_it_comes_out(store: SqlStore, clock: FixedClock) -> None:
    elsewhere = clock.now().astimezone(timezone(timedelta(hours=2)))
    stop, stopped = StopRules(goal=4, gain=0), Stopped("goal", elsewhere, "enough", {"ratings": 7})
    study = Study(new_id(), "p", "Photos", "finished", {"local": SPACE}, "photo-enhance", elsewhere, stop=stop)
    given = replace(study, stopped=stopped)
    with store.begin() as tx:
        project = tx.projects.add(Project(new_id(), "Palate", clock.now()))
        tx.prompts.add(Prompt("photo-enhance", project.id, clock.now()))
        given = tx.studies.add(replace(given, project_id=project.id))
    with store.read() as tx:
        kept = tx.studies.get(given.id)
    assert row_hash(given) == row_hash(kept)
    assert row_hash(given) != row_hash(replace(kept, created_at=kept.created_at + timedelta(microseconds=1)))
    assert row_hash(given) != row_hash(replace(kept, stop=replace(stop, gain=0.5)))


def test_mutations_at_once_neither_block_each_other_for_good_nor_break_the_chain(
    store: SqlStore, clock: FixedClock, tmp_path: Path
) -> None:
    world = make_world(store, clock, tmp_path, inputs=1)
    people = [world.person() for _ in range(3)]

    def studies(name: str) -> None:
        for number in range(ROUNDS):
            study = make_study(world.parts, world.admin, StudyDraft(f"{name} {number}", {"local": SPACE}))
            move_study(world.parts, world.admin, study.id, "paused")
            draft = StudyDraft("Other", {"local": SPACE}, raters_wanted=2)
            change_study(world.parts, world.admin, study.id, 1, draft)
            clone_study(world.parts, world.admin, world.study.id, "Clone")

    def photos() -> None:
        for number in range(ROUNDS):
            source = intake.add_input(world.parts, world.admin, world.study.id, "photo", photo(100 + number % 2))
            intake.take_down(world.parts, world.admin, source.id)

    def links() -> None:
        for number in range(ROUNDS):
            secret = accounts.invite(world.parts, world.admin, "rater", f"{new_id()}@example.org")
            accounts.use_link(world.parts, secret)
            members.set_role(world.parts, world.admin, people[number % 3].user_id, "admin")

    def doors() -> None:
        for number in range(ROUNDS):
            members.deactivate(world.parts, world.admin, people[number % 3].user_id)
            members.reactivate(world.parts, world.admin, people[number % 3].user_id)
            members.set_role(world.parts, world.admin, people[number % 3].user_id, "rater")

    before = len(chain(store, world.admin))
    barrier = Barrier(6)

    def begin(work: Callable[[], None]) -> None:
        barrier.wait()
        work()

    work = (lambda: studies("a"), lambda: studies("b"), photos, links, links, doors)
    with ThreadPoolExecutor(6) as pool:
        results = [pool.submit(begin, task) for task in work]
        raised = [result.exception(120) for result in results]
    assert [one for one in raised if one is not None and "changed meanwhile" not in str(one)] == []
    assert len(chain(store, world.admin)) > before + 30
    assert list(faults(chain(store, world.admin))) == []


def test_whoever_adds_to_the_chain_does_so_last(store: SqlStore, clock: FixedClock, tmp_path: Path) -> None:
    world = make_world(store, clock, tmp_path, inputs=1)
    late: list[str] = []
    recording: dict[object, bool] = {}

    @event.listens_for(store.engines.writer, "before_cursor_execute")
    def look(connection: Any, cursor: Any, statement: str, *_: object) -> None:
        transaction = connection.get_transaction()
        if "INTO audit_events" in statement:
            recording[transaction] = True
        elif recording.get(transaction) and statement.startswith(("INSERT", "UPDATE", "DELETE")):
            late.append(statement)

    study = make_study(world.parts, world.admin, StudyDraft("Other", {"local": SPACE}))
    move_study(world.parts, world.admin, study.id, "archived")
    source = intake.add_input(world.parts, world.admin, world.study.id, "photo", photo(100))
    intake.take_down(world.parts, world.admin, source.id)
    assert late == []
    assert len(recording) == 4
