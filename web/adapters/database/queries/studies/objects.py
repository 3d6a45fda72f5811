"""Queries of objects: which are needed, by whom they were made, which may go."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, or_, select, update

from web.adapters.database.tables import experiments, inputs, leases, options, outputs, ratings, studies
from web.domain.studies.experiment import LIVE
from web.rows import studies as rows


class ObjectQueries(rows.ObjectQueries):
    """Named queries of what objects are for."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def needed(self, keys: Iterable[str]) -> frozenset[str]:
        wanted = tuple(keys)
        queries = (query.where(column.in_(wanted)) for query, column in _NEEDED)
        return frozenset(key for query in queries for key in self.connection.execute(query).scalars())

    def made_of(self, input_id: str) -> tuple[str, ...]:
        query = (
            select(outputs.c.object_key)
            .join(options, options.c.output_id == outputs.c.id)
            .where(options.c.input_id == input_id)
            .distinct()
            .order_by(outputs.c.object_key)
        )
        return tuple(self.connection.execute(query).scalars())

    def unneeded(self, before: datetime, limit: int, among: Iterable[str] | None = None) -> tuple[str, ...]:
        query = select(outputs.c.object_key).where(
            outputs.c.removed_at.is_(None), outputs.c.created_at < before, ~_wanted_since(before)
        )
        if among is not None:
            query = query.where(outputs.c.object_key.in_(tuple(among)))
        return tuple(self.connection.execute(query.order_by(outputs.c.id).limit(limit)).scalars())

    def remove(self, keys: Iterable[str], now: datetime) -> None:
        gone = outputs.c.object_key.in_(tuple(keys)), outputs.c.removed_at.is_(None)
        self.connection.execute(update(outputs).where(*gone).values(removed_at=now))

    def revive(self, output_id: str, key: str) -> None:
        again = update(outputs).where(outputs.c.id == output_id)
        self.connection.execute(again.values(removed_at=None, object_key=key))

    def shared(self, project_id: str, content_hash: str) -> str | None:
        query = (
            select(inputs.c.object_key)
            .join(studies, studies.c.id == inputs.c.study_id)
            .where(studies.c.project_id == project_id, inputs.c.removed_at.is_(None))
            .where(inputs.c.content_hash == content_hash, inputs.c.object_key != "")
            .order_by(inputs.c.id)
            .limit(1)
        )
        return self.connection.execute(query).scalar()


def _wanted_since(before: datetime) -> ColumnElement[bool]:
    """Match outputs of an option that is to be shown, is held, has any rating, or was set aside after a time."""
    held = exists().where(leases.c.experiment_id == experiments.c.id, leases.c.state == "held")
    rated = exists().where(ratings.c.experiment_id == experiments.c.id, ratings.c.option_id == options.c.id)
    alive = or_(experiments.c.state.in_(LIVE), experiments.c.changed_at >= before)
    return exists().where(
        and_(options.c.output_id == outputs.c.id, experiments.c.id == options.c.experiment_id),
        or_(alive, held.correlate(experiments), rated.correlate(experiments, options)),
    )


def _needed_outputs() -> Select[Any]:
    return (
        select(outputs.c.object_key)
        .join(options, options.c.output_id == outputs.c.id)
        .join(inputs, inputs.c.id == options.c.input_id)
        .where(outputs.c.removed_at.is_(None), inputs.c.removed_at.is_(None))
        .distinct()
    )


_NEEDED = (
    (select(inputs.c.object_key).where(inputs.c.removed_at.is_(None)), inputs.c.object_key),
    (_needed_outputs(), outputs.c.object_key),
)
