"""Queries of the audit chain."""

from sqlalchemy import Connection, select

from web.adapters.database.tables import audit_events, projects
from web.domain.audit.audit import Event
from web.rows import audit as rows


class AuditQueries(rows.AuditQueries):
    """Named queries of the audit chain."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def lock(self, project_id: str) -> None:
        query = select(projects.c.id).where(projects.c.id == project_id)
        self.connection.execute(query.with_for_update(key_share=True))

    def last(self, project_id: str) -> Event | None:
        newest = audit_events.c.number.desc()
        query = select(audit_events).where(audit_events.c.project_id == project_id).order_by(newest).limit(1)
        row = self.connection.execute(query).mappings().first()
        return None if row is None else Event(**row)

    def since(self, project_id: str, number: int, actions: tuple[str, ...]) -> tuple[Event, ...]:
        here = audit_events.c
        later = select(audit_events).where(here.project_id == project_id, here.number > number)
        query = later.where(here.action.in_(actions)).order_by(here.number)
        return tuple(Event(**row) for row in self.connection.execute(query).mappings())
