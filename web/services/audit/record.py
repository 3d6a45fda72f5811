"""Write down who did what to which row: the only way into the audit chain."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from web.domain.access import ITSELF, Actor
from web.domain.audit.audit import FIRST, Event, chained, note_hash, row_hash
from web.domain.ids import new_id
from web.rows.audit import AuditRows


def record(
    tx: AuditRows,
    now: datetime,
    actor: Actor,
    action: str,
    subject: tuple[str, str],
    *,
    before: object | None = None,
    after: object | None = None,
    details: Mapping[str, str] | None = None,
    note: str = "",
) -> Event:
    """Add an event to the chain of the actor's project; `subject` is the kind and the id of what was acted on.

    It takes the lock of the project, so it comes last in a transaction: whoever holds it waits for nobody. `details`
    can never be erased and must not identify a person; `note` is what a person typed, and can.
    """
    tx.of_audit.lock(actor.project_id)
    last = tx.of_audit.last(actor.project_id)
    kind, object_id = subject
    event_id = new_id()
    event = Event(
        id=event_id,
        project_id=actor.project_id,
        number=last.number + 1 if last else 1,
        actor_id=actor.user_id or None,
        action=action,
        object_type=kind,
        object_id=object_id,
        at=now,
        before_hash=None if before is None else row_hash(before),
        after_hash=None if after is None else row_hash(after),
        details={**(details or {}), **({"by": ITSELF} if actor.is_itself else {})},
        note=note,
        note_hash=note_hash(event_id, note),
        previous_hash=last.hash if last else FIRST,
    )
    return tx.events.add(replace(event, hash=chained(event)))
