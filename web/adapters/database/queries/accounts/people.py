"""Queries of people: who a session belongs to, who is rating now."""

from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, case, delete, or_, select, update

from web.adapters.database.columns import Utc
from web.adapters.database.queries.common import insert_into
from web.adapters.database.tables import api_keys, attempts, enrolments, leases, memberships, projects, sessions, users
from web.domain.access import Actor
from web.domain.accounts import Attempts
from web.domain.clocks import JUMP
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.lease import Seat
from web.rows import accounts as rows


class PeopleQueries(rows.PeopleQueries):
    """Named queries of people."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def actor(self, secret_hash: str, now: datetime) -> Actor | None:
        row = self.connection.execute(_ACTOR, {"secret_hash": secret_hash, "now": now, "soon": now + JUMP}).first()
        return None if row is None else Actor(**row._mapping)

    def machine(self, now: datetime, *, secret_hash: str | None = None, key_id: str | None = None) -> Actor | None:
        known = api_keys.c.secret_hash == secret_hash if secret_hash else api_keys.c.id == key_id
        alive = and_(api_keys.c.revoked_at.is_(None), or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now))
        row = self.connection.execute(select(api_keys).where(known, alive)).first()
        return None if row is None else Actor(row.id, row.name, row.project_id, "service", scopes=row.scopes)

    def attempt(self, key: str, now: datetime, since: datetime) -> Attempts:
        over = or_(attempts.c.since <= since, attempts.c.since > now + JUMP)
        statement = insert_into(self.connection, attempts).values(id=key, count=1, since=now)
        counted = statement.on_conflict_do_update(
            index_elements=["id"],
            set_={
                "count": case((over, 1), else_=attempts.c.count + 1),
                "since": case((over, now), else_=attempts.c.since),
            },
        ).returning(*attempts.c)
        return Attempts(**self.connection.execute(counted).mappings().one())

    def take_back(self, key: str) -> None:
        counted = and_(attempts.c.id == key, attempts.c.count > 0)
        self.connection.execute(update(attempts).where(counted).values(count=attempts.c.count - 1))

    def forget_attempts(self, before: datetime) -> None:
        self.connection.execute(delete(attempts).where(attempts.c.since < before))

    def use_key(self, key_id: str, now: datetime, before: datetime) -> None:
        seldom = or_(api_keys.c.used_at.is_(None), api_keys.c.used_at <= before)
        self.connection.execute(update(api_keys).where(api_keys.c.id == key_id, seldom).values(used_at=now))

    def lock(self, user_id: str) -> str:
        return str(self.connection.execute(_LOCK, {"user": user_id}).scalar_one_or_none() or "UTC")

    def active_raters(self, study_id: str, since: datetime) -> tuple[str, ...]:
        query = (
            select(leases.c.rater_id)
            .where(and_(leases.c.study_id == study_id, leases.c.until > since))
            .distinct()
            .order_by(leases.c.rater_id)
        )
        return tuple(self.connection.execute(query).scalars())

    def seat(self, study_id: str, rater_id: str) -> Seat:
        row = self.connection.execute(_SEAT, {"study": study_id, "rater": rater_id}).mappings().first()
        if row is None:
            return Seat()
        fields = dict(row)
        zone = fields.pop("zone")
        return Seat(zone, Enrolment(**fields) if fields["id"] else None)

    def choose(self, user_id: str, project_id: str, study_id: str | None) -> None:
        here = and_(memberships.c.user_id == user_id, memberships.c.project_id == project_id)
        self.connection.execute(update(memberships).where(here).values(rates=study_id))

    def default_project(self) -> str | None:
        return self.connection.execute(select(projects.c.id).order_by(projects.c.id).limit(1)).scalar()


_LOCK = select(users.c.time_zone).where(users.c.id == bindparam("user")).with_for_update()
_SEAT = (
    select(users.c.time_zone.label("zone"), enrolments)
    .join(
        enrolments,
        and_(enrolments.c.rater_id == users.c.id, enrolments.c.study_id == bindparam("study")),
        isouter=True,
    )
    .where(users.c.id == bindparam("rater"))
)
_ACTOR = (
    select(
        users.c.id.label("user_id"),
        users.c.email,
        memberships.c.project_id,
        memberships.c.role,
        sessions.c.id.label("session_id"),
        users.c.time_zone,
    )
    .join(sessions, sessions.c.user_id == users.c.id)
    .join(memberships, and_(memberships.c.user_id == users.c.id, memberships.c.project_id == sessions.c.project_id))
    .where(
        sessions.c.secret_hash == bindparam("secret_hash"),
        sessions.c.revoked_at.is_(None),
        sessions.c.expires_at > bindparam("now", type_=Utc()),
        sessions.c.created_at <= bindparam("soon", type_=Utc()),  # else a clock that was ahead lets in for longer
        users.c.active,
    )
)
