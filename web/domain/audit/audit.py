"""What was done to what, and by whom: a chain in which no event can be changed, left out or moved unseen."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from web.domain.access import ITSELF, TERMINAL

FIRST = "0" * 64
# What identifies a person, by the kind of row it is in: never hashed, so that it can be erased; nor is mere use. A
# guide is words for raters, whose hash the event that changes them keeps.
_PERSONAL: dict[str, frozenset[str]] = {
    "ABTest": frozenset({"hypothesis"}),
    "ApiKey": frozenset({"name", "used_at"}),
    "User": frozenset({"email", "erased_at", "time_zone"}),
    "Link": frozenset({"email"}),
    "Input": frozenset({"name", "metadata"}),
    "Membership": frozenset({"rates"}),
    "Panel": frozenset({"name"}),
    "Study": frozenset({"guide"}),
}


@dataclass(frozen=True)
class Event:
    """One action on one row of a project; the actor is the id of a user or a key, and nobody for the terminal.

    `details` is hashed and holds nothing personal; `by` in it tells what Palate did by itself. `note` is what a person
    typed: only its hash is in the chain.
    """

    id: str
    project_id: str
    number: int
    actor_id: str | None
    action: str
    object_type: str
    object_id: str
    at: datetime
    before_hash: str | None = None
    after_hash: str | None = None
    details: dict[str, str] = field(default_factory=dict)
    note: str = ""
    note_hash: str = ""
    previous_hash: str = FIRST
    hash: str = ""

    @property
    def nobody(self) -> str:
        """What to call an actor without an id: Palate itself, or whoever was at the terminal."""
        return ITSELF if self.details.get("by") == ITSELF else TERMINAL


def chained(event: Event) -> str:
    """Return the hash of an event: SHA-256 over all that may never change, and the hash of the event before it."""
    body = [
        event.previous_hash,
        event.project_id,
        event.number,
        event.id,
        event.actor_id,
        event.action,
        event.object_type,
        event.object_id,
        event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        event.before_hash,
        event.after_hash,
        event.details,
        event.note_hash,
    ]
    return hashlib.sha256(_canonical(body)).hexdigest()


def note_hash(event_id: str, note: str) -> str:
    """Return what the chain keeps of a note: it shows whether a note was changed, and lets it be erased."""
    return hashlib.sha256(f"{event_id}\n{note}".encode()).hexdigest() if note else ""


def row_hash(row: object) -> str:
    """Return the SHA-256 of a row's fields without what identifies a person, as a database gives them back.

    Whether a row comes from there or is on its way makes no difference: a whole number for a float, or a moment of
    another time zone, is told as it will be read.
    """
    kind: Any = type(row)
    adapter, personal = _adapter(kind), _PERSONAL.get(kind.__name__, frozenset())
    read = adapter.validate_python(adapter.dump_python(row, mode="json"))
    told: Mapping[str, Any] = adapter.dump_python(read, mode="json")
    kept = {name: _in_utc(getattr(read, name), told[name]) for name in told if name not in personal}
    return hashlib.sha256(_canonical(kept)).hexdigest()


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _in_utc(value: object, told: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else told


def head(event: Event | None) -> str:
    """Name the end of a chain; kept elsewhere, it shows whether the chain was cut off or written anew since."""
    return "0:" if event is None else f"{event.number}:{event.hash}"


def signature(key: bytes, project_id: str, head: str) -> str:
    """Return what shows that this server told a head of a project's chain: an HMAC under its key."""
    label = hashlib.sha256(b"audit head" + key).digest()
    return hmac.new(label, f"{project_id}\n{head}".encode(), hashlib.sha256).hexdigest()


def faults(events: Iterable[Event], after: Event | None = None) -> Iterator[str]:
    """Go through a project's events by number, from the first or from after one, and say where the chain is broken."""
    number, previous = (after.number, after.hash) if after else (0, FIRST)
    for event in events:
        number += 1
        if event.number != number or event.previous_hash != previous:
            yield f"event {event.number} ({event.id}) does not follow event {number - 1}: one was changed or is gone"
        if event.hash != chained(event):
            yield f"event {event.number} ({event.id}) was changed after it was written"
        if event.note and note_hash(event.id, event.note) != event.note_hash:
            yield f"the note of event {event.number} ({event.id}) was changed after it was written"
        number, previous = event.number, event.hash


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
