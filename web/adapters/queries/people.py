"""Queries of people: who a session belongs to, who is rating now."""

from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, select

from web.adapters.columns import Utc
from web.adapters.tables import leases, memberships, projects, sessions, users
from web.domain.access import Actor


class PeopleQueries:
    """Named queries of people."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def actor(self, secret_hash: str, now: datetime) -> Actor | None:
        """Return who a running session belongs to, or None."""
        row = self.connection.execute(_ACTOR, {"secret_hash": secret_hash, "now": now}).first()
        return None if row is None else Actor(row.id, row.email, row.project_id, row.role, row.session)

    def lock(self, user_id: str) -> None:
        """Let one transaction at a time write for this user."""
        self.connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update())

    def active_raters(self, study_id: str, since: datetime) -> tuple[str, ...]:
        """Return who has held a lease of a study since a time."""
        query = (
            select(leases.c.rater_id)
            .where(and_(leases.c.study_id == study_id, leases.c.until > since))
            .distinct()
            .order_by(leases.c.rater_id)
        )
        return tuple(self.connection.execute(query).scalars())

    def default_project(self) -> str | None:
        """Return the id of the first project, or None before the first start."""
        return self.connection.execute(select(projects.c.id).order_by(projects.c.id).limit(1)).scalar()


_ACTOR = (
    select(users.c.id, users.c.email, memberships.c.project_id, memberships.c.role, sessions.c.id.label("session"))
    .join(sessions, sessions.c.user_id == users.c.id)
    .join(memberships, memberships.c.user_id == users.c.id)
    .where(
        sessions.c.secret_hash == bindparam("secret_hash"),
        sessions.c.revoked_at.is_(None),
        sessions.c.expires_at > bindparam("now", type_=Utc()),
        users.c.active,
    )
    .order_by(memberships.c.id)
    .limit(1)
)
