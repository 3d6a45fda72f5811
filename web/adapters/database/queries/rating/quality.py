"""Queries of quality control: on what raters agree, which gold items are doubtful, which copies were spoilt."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from web.adapters.database.queries.common import counted, standing
from web.adapters.database.tables import experiments, gold_items, options, ratings
from web.domain.rating.gold import TOLERANCE, Agreed, GoldSource
from web.rows import rating as rows

JUDGES = 3  # who must agree, within one star of each other
CLEAR = 1  # stars from the middle of the scale: nearer to it an answer tells little of who gives it


class QualityQueries(rows.QualityQueries):
    """Named queries of quality control."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def agreed(self, study_id: str, limit: int) -> tuple[Agreed, ...]:
        known = select(options.c.output_id).join(gold_items, gold_items.c.experiment_id == options.c.experiment_id)
        score, mean = ratings.c.score, func.avg(ratings.c.score)
        query = (
            select(func.min(options.c.id), func.min(score), func.max(score))
            .join(ratings, ratings.c.option_id == options.c.id)
            .join(experiments, experiments.c.id == options.c.experiment_id)
            .where(
                counted(study_id),
                experiments.c.kind == "explore",
                experiments.c.held_for.is_(None),
                score.is_not(None),
                options.c.output_id.not_in(known.where(gold_items.c.study_id == study_id)),
            )
            .group_by(options.c.output_id)
            .having(
                func.count(ratings.c.judge_id.distinct()) >= JUDGES,
                func.max(score) - func.min(score) <= 1,
                or_(mean <= 3 - CLEAR, mean >= 3 + CLEAR),
            )
            .order_by(mean.desc(), func.min(options.c.id))
            .limit(limit)
        )
        return tuple(Agreed(row[0], int(row[1]), int(row[2])) for row in self.connection.execute(query))

    def doubtful(self, study_id: str, after: int) -> tuple[str, ...]:
        scored = ratings.c.score.is_not(None)
        query = (
            select(gold_items.c.id)
            .join(options, options.c.experiment_id == gold_items.c.experiment_id)
            .join(ratings, standing(options.c.id))
            .where(gold_items.c.study_id == study_id, gold_items.c.retired_at.is_(None), scored)
            .group_by(gold_items.c.id)
            .having(func.count() >= after, 2 * func.count().filter(_is_miss()) > func.count())
        )
        return tuple(self.connection.execute(query).scalars())

    def spoilt(self, study_id: str) -> Iterable[tuple[str, str]]:
        for row in self.connection.execute(_copies(study_id, "degraded")):
            yield row.input_id, str(row.point["fault"])

    def untouched(self, study_id: str) -> frozenset[str]:
        return frozenset(row.input_id for row in self.connection.execute(_copies(study_id, "untouched")))


def _copies(study_id: str, source: GoldSource) -> Select[Any]:
    return (
        select(options.c.input_id, options.c.point)
        .join(gold_items, gold_items.c.experiment_id == options.c.experiment_id)
        .where(gold_items.c.study_id == study_id, gold_items.c.source == source)
    )


def _is_miss() -> ColumnElement[bool]:
    low, high = gold_items.c.low - TOLERANCE, gold_items.c.high + TOLERANCE
    return or_(ratings.c.score < low, ratings.c.score > high)
