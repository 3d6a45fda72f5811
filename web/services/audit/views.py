"""The audit as its page shows it: events with the names that their ids have now, and whether the chain holds."""

from collections.abc import Iterator
from dataclasses import dataclass

from web.domain.access import Actor
from web.domain.audit.trail import EventFilter, EventLine
from web.domain.reports.history import Page
from web.ports.parts import Parts
from web.rows.reports import ReportRows
from web.services.audit.chain import BATCH, Chain, check_chain


@dataclass(frozen=True)
class Trail:
    """Events of a project, newest first, the look at its chain, and by id who may have acted."""

    events: Page[EventLine]
    chain: Chain
    actors: dict[str, str]


def trail(parts: Parts, admin: Actor, wanted: EventFilter, after: int | None, limit: int, newest: int | None) -> Trail:
    """Return events of a project and whether its chain holds, or the newest events of that."""
    with parts.store.snapshot() as tx:
        found = _events(tx, admin, wanted, after, limit)
        chain = check_chain(parts.at(tx), admin.project_id, newest)
        return Trail(found, chain, tx.of_reports.actors(admin.project_id))


def events(parts: Parts, admin: Actor, wanted: EventFilter, after: int | None, limit: int) -> Page[EventLine]:
    """Return events of a project's audit, newest first, from before the one of a number."""
    with parts.store.snapshot() as tx:
        return _events(tx, admin, wanted, after, limit)


def every_event(parts: Parts, admin: Actor, wanted: EventFilter) -> Iterator[EventLine]:
    """Go through a project's audit, newest first, one batch in memory and one short transaction at a time."""
    after: int | None = None
    while True:
        page = events(parts, admin, wanted, after, BATCH)
        yield from page.rows
        if not page.after:
            return
        after = int(page.after)


def _events(tx: ReportRows, admin: Actor, wanted: EventFilter, after: int | None, limit: int) -> Page[EventLine]:
    return tx.of_reports.events(admin.project_id, wanted, after, limit, admin.time_zone)
