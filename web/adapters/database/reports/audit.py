"""The audit: events of a project's chain with the names that their ids have now, filtered, by number."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, and_, func, or_, select, type_coerce

from web.adapters.database.reports.history import VERSION_LABEL
from web.adapters.database.tables import (
    api_keys,
    audit_events,
    inputs,
    jobs,
    links,
    memberships,
    prompt_pointers,
    prompt_versions,
    sessions,
    studies,
    users,
)
from web.domain.access import ITSELF
from web.domain.audit.audit import Event
from web.domain.audit.trail import NOBODY, EventFilter, EventLine
from web.domain.day import between
from web.domain.reports.history import Page

# The name of what an event is about, by its kind: the column of its id, and that of its name.
_NAMES: Mapping[str, tuple[Any, ColumnElement[Any], ColumnElement[Any]]] = {
    "input": (inputs, inputs.c.id, inputs.c.name),
    "job": (jobs, jobs.c.id, jobs.c.task),
    "key": (api_keys, api_keys.c.id, api_keys.c.name),
    "link": (links, links.c.id, links.c.email),
    "pointer": (prompt_pointers, prompt_pointers.c.id, prompt_pointers.c.prompt_key),
    "session": (sessions.join(users, users.c.id == sessions.c.user_id), sessions.c.id, users.c.email),
    "study": (studies, studies.c.id, studies.c.name),
    "user": (users, users.c.id, users.c.email),
    "version": (prompt_versions, prompt_versions.c.id, VERSION_LABEL),
}


def lines(
    connection: Connection, project_id: str, wanted: EventFilter, after: int | None, limit: int, zone: str = "UTC"
) -> Page[EventLine]:
    """Return a project's events, newest first, from before the one of a number; days are those of a time zone."""
    query = select(audit_events).where(audit_events.c.project_id == project_id, *_terms(wanted, zone))
    if after is not None:
        query = query.where(audit_events.c.number < after)
    rows = connection.execute(query.order_by(audit_events.c.number.desc()).limit(limit + 1)).mappings().all()
    events = [Event(**row) for row in rows[:limit]]
    rest = str(events[-1].number) if len(rows) > limit else ""
    return Page(_named(connection, events), rest)


def chain(connection: Connection, project_id: str, after: int, limit: int) -> tuple[Event, ...]:
    """Return a project's events by number, from behind one."""
    here = audit_events.c
    query = select(audit_events).where(here.project_id == project_id, here.number > after)
    return tuple(Event(**row) for row in connection.execute(query.order_by(here.number).limit(limit)).mappings())


def actors(connection: Connection, project_id: str) -> dict[str, str]:
    """Return who may have acted in a project, names by id: its people, the terminal, and Palate itself."""
    people = (
        select(users.c.id, users.c.email)
        .join(memberships, memberships.c.user_id == users.c.id)
        .where(memberships.c.project_id == project_id)
        .order_by(users.c.email)
    )
    return {**NOBODY, **dict(connection.execute(people).all())}


def _terms(wanted: EventFilter, zone: str) -> list[ColumnElement[bool]]:
    here, (since, until) = audit_events.c, between(wanted.since, wanted.until, zone)
    asked = ((here.object_type, wanted.kind), (here.object_id, wanted.object))
    terms = [column == value for column, value in asked if value]
    if wanted.actor:
        terms.append(_is_nobody(NOBODY[wanted.actor]) if wanted.actor in NOBODY else here.actor_id == wanted.actor)
    if wanted.action:
        whole, first = here.action == wanted.action, here.action.startswith(f"{wanted.action}.", autoescape=True)
        terms.append(or_(whole, first))
    if since:
        terms.append(here.at >= since)
    if until:
        terms.append(here.at < until)
    return terms


def _is_nobody(name: str) -> ColumnElement[bool]:
    by = type_coerce(audit_events.c.details, JSON)["by"].as_string()
    itself = func.coalesce(by, "") == ITSELF
    return and_(audit_events.c.actor_id.is_(None), itself if name == ITSELF else ~itself)


def _named(connection: Connection, events: Iterable[Event]) -> tuple[EventLine, ...]:
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    listed = list(events)
    for event in listed:
        wanted[event.object_type].add(event.object_id)
        wanted["actor"].add(event.actor_id or "")
    names = {kind: _names(connection, kind, ids) for kind, ids in wanted.items() if kind in _NAMES}
    who = _names(connection, "key", wanted["actor"]) | _names(connection, "user", wanted["actor"])
    return tuple(
        EventLine(
            event,
            who.get(event.actor_id, event.actor_id) if event.actor_id else event.nobody,
            names.get(event.object_type, {}).get(event.object_id, ""),
        )
        for event in listed
    )


def _names(connection: Connection, kind: str, ids: Iterable[str]) -> dict[str, str]:
    rows, key, name = _NAMES[kind]
    return dict(connection.execute(select(key, name).select_from(rows).where(key.in_(tuple(ids)))).all())
