"""Queries of calls of text models: what they cost, and what was answered before."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, insert, literal, select, update

from web.adapters.database.tables import completions
from web.domain.models.completion import Charge, ChargeState
from web.rows import models as rows

_BUDGET_LOCK = 0x70616C617465  # any number that no other lock of this database has


class CompletionQueries(rows.CompletionQueries):
    """Named queries of calls of text models."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def reserve(self, charge: Charge, since: datetime, limit_micros: int) -> bool:
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(select(func.pg_advisory_xact_lock(_BUDGET_LOCK)))
        columns = asdict(charge)
        row = select(*(literal(value, completions.c[name].type) for name, value in columns.items()))
        fits = _spent(since).scalar_subquery() + charge.reserved_micros <= limit_micros
        made = insert(completions).from_select(list(columns), row.where(fits)).returning(completions.c.id)
        return self.connection.execute(made).first() is not None

    def spent(self, since: datetime) -> int:
        return int(self.connection.execute(_spent(since)).scalar_one())

    def settle(self, charge: Charge) -> None:
        new = {name: value for name, value in asdict(charge).items() if name != "id"}
        self.connection.execute(update(completions).where(completions.c.id == charge.id).values(**new))

    def sweep(self, before: datetime, now: datetime) -> int:
        stale = and_(completions.c.state == "reserved", completions.c.created_at < before)
        closed: ChargeState = "failed"
        worst = {"state": closed, "cost_micros": completions.c.reserved_micros, "settled_at": now}
        return self.connection.execute(update(completions).where(stale).values(**worst)).rowcount

    def answered(self, request_hash: str) -> Charge | None:
        same = and_(completions.c.request_hash == request_hash, completions.c.answer.is_not(None))
        query = select(completions).where(same).order_by(completions.c.id.desc()).limit(1)
        row = self.connection.execute(query).mappings().first()
        return None if row is None else Charge(**row)

    def forget_answers(self) -> None:
        self.connection.execute(update(completions).where(completions.c.answer.is_not(None)).values(answer=None))


def _spent(since: datetime) -> Select[Any]:
    counted = case((completions.c.state == "reserved", completions.c.reserved_micros), else_=completions.c.cost_micros)
    return select(func.coalesce(func.sum(counted), 0)).where(completions.c.created_at >= since)
