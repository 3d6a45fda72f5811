"""Queries of jobs: enqueued once, claimed by one worker at a time, fenced by worker and attempt."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, exists, false, func, or_, select, update

from web.adapters.database.queries.common import insert_once
from web.adapters.database.tables import jobs
from web.domain.clocks import JUMP
from web.domain.job import CLAIM_TIME, Job
from web.rows import jobs as rows


class JobQueries(rows.JobQueries):
    """Named queries of jobs."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add_once(self, new: Iterable[Job]) -> None:
        rows = [job.__dict__ for job in new]
        if rows:
            # With something returned they go in one statement; else each would be a round trip of its own.
            self.connection.execute(insert_once(self.connection, jobs, jobs.c.id), rows)

    def any_due(self, now: datetime, limits: Mapping[str, int]) -> bool:
        any_of_them = select(exists().where(_claimable(now, self._full(limits, now))))
        return bool(self.connection.execute(any_of_them).scalar_one())

    def claim(self, worker: str, now: datetime, limits: Mapping[str, int]) -> Job | None:
        row = self._next(now, self._full(limits, now))
        # What others have filled meanwhile is left at that: who went on to another resource could lock those crosswise.
        if row is None or (row["resource"] in limits and self._is_full(row["resource"], limits, now)):
            return None
        taken = {
            "state": "claimed",
            "worker": worker,
            "attempts": row["attempts"] + 1,
            "claimed_until": now + CLAIM_TIME,
        }
        self.connection.execute(update(jobs).where(jobs.c.id == row["id"]).values(**taken))
        return Job(**{**row, **taken})

    def _next(self, now: datetime, full: Iterable[str]) -> RowMapping | None:
        query = (
            select(jobs)
            .where(_claimable(now, full))
            .order_by(jobs.c.priority.desc(), jobs.c.due_at, jobs.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        return self.connection.execute(query).mappings().first()

    def _is_full(self, resource: str, limits: Mapping[str, int], now: datetime) -> bool:
        """Tell whether a resource is in full use, and let nobody else claim a job that needs it meanwhile."""
        if self.connection.dialect.name == "postgresql":  # SQLite has one writer anyway
            self.connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(resource, 0))))
        return resource in self._full({resource: limits[resource]}, now)

    def _full(self, limits: Mapping[str, int], now: datetime) -> set[str]:
        if not limits:
            return set()
        busy = select(jobs.c.resource, func.count()).where(
            jobs.c.resource.in_(tuple(limits)), jobs.c.state == "claimed", jobs.c.claimed_until > now
        )
        counts: dict[str, int] = dict(self.connection.execute(busy.group_by(jobs.c.resource)).all())
        return {resource for resource, most in limits.items() if counts.get(resource, 0) >= most}

    def extend(self, job: Job, now: datetime) -> bool:
        return self._write(job, claimed_until=now + CLAIM_TIME)

    def finish(self, job: Job, now: datetime) -> bool:
        return self._write(job, state="done", finished_at=now, error=None)

    def retry(self, job: Job, now: datetime, delay: timedelta, error: str) -> bool:
        return self._again(job, now, delay, attempts=job.attempts, error=error)

    def put_back(self, job: Job, now: datetime, delay: timedelta, error: str | None) -> bool:
        return self._again(job, now, delay, attempts=job.attempts - 1, error=error)

    def _again(self, job: Job, now: datetime, delay: timedelta, **told: Any) -> bool:
        waits = self.connection.execute(select(_waiting(job.key))).scalar_one()
        values: dict[str, Any] = (
            {"state": "done", "finished_at": now}
            if waits
            else {"state": "waiting", "due_at": now + delay, "dated_at": now}
        )
        return self._write(job, **values, **told, worker=None, claimed_until=None)

    def park(self, job: Job, now: datetime, error: str) -> bool:
        return self._write(job, state="parked", finished_at=now, error=error)

    def parked(self) -> tuple[Job, ...]:
        query = select(jobs).where(jobs.c.state == "parked").order_by(jobs.c.finished_at.desc())
        return tuple(Job(**row) for row in self.connection.execute(query).mappings())

    def count_by_state(self) -> dict[str, int]:
        query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        return dict(self.connection.execute(query).all())

    def revive(self, job_id: str, now: datetime) -> bool:
        job = self.connection.execute(
            select(jobs).where(jobs.c.id == job_id, jobs.c.state == "parked").with_for_update()
        ).first()
        if job is None or self.connection.execute(select(_waiting(job.key))).scalar_one():
            return False
        fresh = {"state": "waiting", "attempts": 0, "due_at": now, "dated_at": now}
        fresh |= {"error": None, "finished_at": None, "worker": None}
        self.connection.execute(update(jobs).where(jobs.c.id == job_id).values(**fresh))
        return True

    def date_anew(self, now: datetime) -> int:
        dated, held = func.coalesce(jobs.c.dated_at, jobs.c.created_at), now + CLAIM_TIME
        ahead = select(jobs).where(jobs.c.state == "waiting", dated > now + JUMP).with_for_update(skip_locked=True)
        found = [Job(**row) for row in self.connection.execute(ahead).mappings()]
        for job in found:
            anew = {"due_at": now + (job.due_at - job.dated), "dated_at": now}
            self.connection.execute(update(jobs).where(jobs.c.id == job.id).values(**anew))
        claimed = and_(jobs.c.state == "claimed", jobs.c.claimed_until > held + JUMP)
        done = self.connection.execute(update(jobs).where(claimed).values(claimed_until=held))
        return len(found) + done.rowcount

    def probe(self) -> None:
        self.connection.execute(delete(jobs).where(false()))

    def prune(self, before: datetime) -> None:
        self.connection.execute(delete(jobs).where(jobs.c.state == "done", jobs.c.finished_at < before))

    def _write(self, job: Job, **values: Any) -> bool:
        mine = and_(
            jobs.c.id == job.id,
            jobs.c.state == "claimed",
            jobs.c.worker == job.worker,
            jobs.c.attempts == job.attempts,
        )
        return self.connection.execute(update(jobs).where(mine).values(**values)).rowcount == 1


_busy = jobs.alias("busy")


def _waiting(key: str) -> ColumnElement[bool]:
    return exists().where(jobs.c.key == key, jobs.c.state == "waiting")


def _claimable(now: datetime, full: Iterable[str]) -> ColumnElement[bool]:
    """Match jobs that may be claimed: none whose key is in hand, and none that needs what is in full use."""
    return and_(or_(_due(now), _abandoned(now)), ~_same_key_in_hand(now), jobs.c.resource.not_in(tuple(full)))


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(jobs.c.state == "waiting", jobs.c.due_at <= now)


def _abandoned(now: datetime) -> ColumnElement[bool]:
    return and_(jobs.c.state == "claimed", jobs.c.claimed_until <= now)


def _same_key_in_hand(now: datetime) -> ColumnElement[bool]:
    return exists().where(
        _busy.c.key == jobs.c.key, _busy.c.id != jobs.c.id, _busy.c.state == "claimed", _busy.c.claimed_until > now
    )
