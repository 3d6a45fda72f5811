"""Check a project's audit chain, and rows against the events that say how they were left."""

import hmac
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ml_service.errors import InvalidRequest
from web.domain.accounts import User
from web.domain.audit.audit import Event, faults, head, row_hash, signature
from web.domain.batches import batches
from web.ports.parts import Parts
from web.rows.collection import Collection
from web.rows.transaction import Transaction

NEWEST = 1000
BATCH = 2000  # events in memory at a time
TRIES = 3
UNREADABLE = "an event cannot be read, for it holds what Palate never writes"
RESTORE = "restore the database from a backup, and find out who else writes to it."
# Rows whose every change is an event, by the kind of the event's object.
_COLLECTIONS = {
    "abtest": "ab_tests",
    "input": "inputs",
    "key": "keys",
    "link": "links",
    "pointer": "pointers",
    "session": "sessions",
    "study": "studies",
    "user": "users",
    "version": "versions",
}
_FORGOTTEN = ("link", "session")  # in time, without an event
_SHARED = "user"  # of whom each project writes into its own chain what was done there

Subject = tuple[str, str]
Last = dict[Subject, Event]


@dataclass(frozen=True)
class Chain:
    """What a look at a project's chain found: how many events, the head, what is wrong; `after` is where it began."""

    project_id: str
    project: str
    events: int
    head: str
    faults: tuple[str, ...]
    after: int = 0


def check_chain(parts: Parts, project_id: str, newest: int | None = None, last: Last | None = None) -> Chain:
    """Go through a project's chain, or its newest events; `last` is filled with the last event of each row."""
    with parts.store.read() as tx:
        project = tx.projects.get(project_id)
        try:
            end = tx.of_audit.last(project_id)
            after = max(end.number - newest, 0) if end and newest else 0
            before = tx.events.find(project_id=project_id, number=after) if after else None
        except ValueError:
            return Chain(project_id, project.name, 0, head(None), (UNREADABLE,))
    events = _until(every(parts, project_id, after), end)
    told = _readable(faults(_noting(events, {} if last is None else last), before))
    lost = (f"event {after} is gone",) if after and before is None else ()
    return Chain(project_id, project.name, end.number if end else 0, head(end), (*lost, *told), after)


def every(parts: Parts, project_id: str, after: int = 0) -> Iterator[Event]:
    """Go through a project's events by number, from behind one, a batch in memory and a short transaction at a time."""
    while True:
        with parts.store.read() as tx:
            some = tx.of_reports.chain(project_id, after, BATCH)
        if not some:
            return
        yield from some
        after = some[-1].number


def _until(events: Iterator[Event], end: Event | None) -> Iterator[Event]:
    """Leave out events that come in while a chain is looked at."""
    return (event for event in events if end is not None and event.number <= end.number)


def _noting(events: Iterable[Event], last: Last) -> Iterator[Event]:
    for event in events:
        if _holds_row(event, _subject(event)[0]):
            last[_subject(event)] = event
        yield event


def _readable(told: Iterator[str]) -> Iterator[str]:
    try:
        yield from told
    except ValueError:  # the type of a column refuses what somebody wrote into it
        yield UNREADABLE


def check_rows(parts: Parts, project_id: str, last: Last) -> tuple[int, tuple[str, ...]]:
    """Hold rows against their last events; return how many there were, and which were changed without one."""
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for kind, object_id in last:
        if kind in _COLLECTIONS or kind == "role":
            kinds[kind].append(object_id)
    told = [
        _row_fault(last[kind, object_id])
        for kind, ids in sorted(kinds.items())
        for object_id in _changed(parts, project_id, kind, ids, last)
    ]
    return sum(map(len, kinds.values())), tuple(told)


def _changed(parts: Parts, project_id: str, kind: str, ids: Iterable[str], last: Last) -> Iterator[str]:
    for some in batches(sorted(ids)):
        with parts.store.read() as tx:
            try:
                rows = _rows(tx, project_id, kind, some)
            except ValueError:
                rows = {}  # one of them cannot be read; each is looked at by itself
        differing = [object_id for object_id in some if _differs(last[kind, object_id], rows.get(object_id))]
        yield from (object_id for object_id in differing if _still_differs(parts, project_id, kind, object_id))


def _still_differs(parts: Parts, project_id: str, kind: str, object_id: str) -> bool:
    """Look again at a row that is not as its event left it: both may have moved on meanwhile.

    A person is as one of the chains says that hold them: no clock tells which of these spoke last.
    """
    where = {} if kind == _SHARED else {"project_id": project_id}
    for _ in range(TRIES):
        with parts.store.read() as tx:
            try:
                row = _rows(tx, project_id, kind, (object_id,)).get(object_id)
                events = tx.events.all(object_id=object_id, **where)
            except ValueError:
                return True
        if row is None and _went(events, project_id):
            return False
        if not all(_differs(last, row) for last in _last(events, kind).values()):
            return False
    return True


def _last(events: Iterable[Event], kind: str) -> dict[str, Event]:
    """Return the last event of each project's chain that says how a row was left."""
    return {event.project_id: event for event in sorted(events, key=_number) if _holds_row(event, kind)}


def _went(events: Iterable[Event], project_id: str) -> bool:
    """Tell whether somebody left a project for another one: when it moves, they need not come along."""
    role = _last(events, "role").get(project_id)
    return role is not None and role.after_hash is None


def changed_elsewhere(tx: Transaction, project_id: str) -> tuple[User, ...]:
    """Return the people who are not as a project's chain left them: the chain of another project may tell why."""
    events = tx.events.all(project_id=project_id, object_type=_SHARED)
    last = {event.object_id: event for event in sorted(events, key=_number) if _holds_row(event, _SHARED)}
    return tuple(user for user in tx.users.all(id=tuple(last)) if _differs(last[user.id], user))


def _number(event: Event) -> int:
    return event.number


def _subject(event: Event) -> Subject:
    """Return whose hashes an event holds: a role is of a person, and is a row of its own."""
    return "role" if event.action.startswith("role.") else event.object_type, event.object_id


def _holds_row(event: Event, kind: str) -> bool:
    return _subject(event)[0] == kind and (event.before_hash or event.after_hash) is not None


def _rows(tx: Transaction, project_id: str, kind: str, ids: tuple[str, ...]) -> dict[str, object]:
    if kind == "role":
        return {row.user_id: row for row in tx.memberships.all(project_id=project_id, user_id=ids)}
    collection: Collection[Any] = getattr(tx, _COLLECTIONS[kind])
    return {row.id: row for row in collection.all(id=ids)}


def _differs(event: Event, row: object | None) -> bool:
    if row is None:
        return event.after_hash is not None and _subject(event)[0] not in _FORGOTTEN
    return row_hash(row) != event.after_hash


def _row_fault(event: Event) -> str:
    kind, object_id = _subject(event)
    told = f"the {kind} of {object_id}" if kind == "role" else f"the {kind} {object_id}"
    return f"{told} is not as event {event.number} ({event.action}) left it: it was changed past Palate; {RESTORE}"


def check_head(parts: Parts, key: bytes, chains: Iterable[Chain], text: str) -> str | None:
    """Say what is wrong with a head that was kept, `number:hash` or with a signature behind; None where it holds."""
    number, hashed, signed = _parsed(text)
    owners = [chain for chain in chains if _holds(parts, chain, number, hashed)]
    if not owners:
        return f"no chain holds event {number} with the hash {hashed} any more: it was cut off or rewritten; {RESTORE}"
    told = (signature(key, chain.project_id, f"{number}:{hashed}") for chain in owners)
    if signed and not any(hmac.compare_digest(one, signed) for one in told):
        return f"the signature of {number}:{hashed} was not made with this server's SECRET_KEY; ask who gave it to you."
    return None


def _parsed(text: str) -> tuple[int, str, str]:
    number, _, rest = text.strip().partition(":")
    hashed, _, signed = rest.partition(":")
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise InvalidRequest(f"“{text[:80]}” is not the head of a chain; `verify` prints it as number:hash.")
    return int(number), hashed, signed


def _holds(parts: Parts, chain: Chain, number: int, hashed: str) -> bool:
    if number == 0:
        return not hashed
    with parts.store.read() as tx:
        event = tx.events.find(project_id=chain.project_id, number=number)
    return event is not None and event.hash == hashed
