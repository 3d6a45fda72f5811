"""Queries of experiments and their options: what is pending, what was rated, which input comes next."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Float, Subquery, bindparam, cast, exists, func, select, update

from web.adapters.database.columns import Utc
from web.adapters.database.queries.common import standing
from web.adapters.database.tables import experiments, inputs, leases, options, ratings, studies
from web.domain.studies.experiment import LEARNT_FROM, LIVE, SAMPLES, UNSEEN, Experiment, ExperimentState, Option
from web.domain.studies.study import Input
from web.rows import studies as rows


class ExperimentQueries(rows.ExperimentQueries):
    """Named queries of experiments."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def pending(self, study_id: str) -> tuple[Option, ...]:
        query = (
            select(options)
            .join(experiments, experiments.c.id == options.c.experiment_id)
            .where(
                options.c.study_id == study_id,
                options.c.state.not_in(UNSEEN),
                experiments.c.state.in_(LIVE),
                experiments.c.kind.in_(SAMPLES),
                ~exists().where(standing(options.c.id), ratings.c.score.is_not(None)).correlate(options),
            )
            .order_by(options.c.id)
        )
        return tuple(Option(**row) for row in self.connection.execute(query).mappings())

    def rated(self, study_id: str) -> tuple[Option, ...]:
        query = (
            select(options)
            .join(inputs, inputs.c.id == options.c.input_id)
            .join(experiments, experiments.c.id == options.c.experiment_id)
            .where(
                options.c.study_id == study_id,
                experiments.c.kind.in_(LEARNT_FROM),
                inputs.c.removed_at.is_(None),
                exists().where(standing(options.c.id)).correlate(options),
            )
            .order_by(options.c.id)
        )
        return tuple(Option(**row) for row in self.connection.execute(query).mappings())

    def unseen(self, study_id: str) -> tuple[Option, ...]:
        query = (
            select(options)
            .join(experiments, experiments.c.id == options.c.experiment_id)
            .where(
                experiments.c.study_id == study_id,
                experiments.c.state.in_(LIVE),
                experiments.c.kind == "explore",
                experiments.c.held_for.is_(None),
                ~exists().where(leases.c.experiment_id == experiments.c.id),
            )
            .order_by(options.c.id)
        )
        return tuple(Option(**row) for row in self.connection.execute(query).mappings())

    def next_inputs(self, study_id: str, count: int, besides: Iterable[str] = ()) -> tuple[Input, ...]:
        used = (
            select(func.count())
            .select_from(options.join(experiments, experiments.c.id == options.c.experiment_id))
            .where(
                options.c.input_id == inputs.c.id,
                options.c.state != "spare",
                experiments.c.state.not_in(("dropped", "void")),
                experiments.c.kind.in_(SAMPLES),
                experiments.c.id.not_in(tuple(besides)),
            )
            .correlate(inputs)
            .scalar_subquery()
        )
        present = (
            select(inputs.c.id, inputs.c.stratum, used.label("used"))
            .where(inputs.c.study_id == study_id, inputs.c.removed_at.is_(None))
            .subquery()
        )
        turns = select(present.c.id, _turn(present, study_id).label("turn")).subquery()
        query = select(inputs).join(turns, turns.c.id == inputs.c.id).order_by(turns.c.turn, turns.c.id).limit(count)
        return tuple(Input(**row) for row in self.connection.execute(query).mappings())

    def lock(self, ids: Iterable[str]) -> dict[str, Experiment]:
        rows = self.connection.execute(_LOCK, {"ids": tuple(ids)}).mappings()
        return {row["id"]: Experiment(**row) for row in rows}

    def move(self, ids: Iterable[str], state: ExperimentState, now: datetime) -> None:
        chosen = tuple(ids)
        if chosen:
            closed_at = now if state == "closed" else None
            self.connection.execute(_MOVE, {"ids": chosen, "to": state, "now": now, "end": closed_at})

    def count_samples(self, study_id: str) -> int:
        query = select(func.count()).where(
            experiments.c.study_id == study_id,
            experiments.c.state == "closed",
            experiments.c.kind.in_(SAMPLES),
        )
        return self.connection.execute(query).scalar_one()


def _turn(present: Subquery, study_id: str) -> ColumnElement[float]:
    """Say when it is an input's turn: how large a share its stratum has had by the middle of its experiment.

    By that order seats are given to parties in the method of Sainte-Laguë, here experiments to strata.
    """
    one = select(studies.c.options_per_experiment).where(studies.c.id == study_id).scalar_subquery()
    stratum = present.c.stratum
    place = func.row_number().over(partition_by=stratum, order_by=(present.c.used, present.c.id))
    used = func.sum(present.c.used).over(partition_by=stratum)
    size = func.count().over(partition_by=stratum)
    return cast(2 * used + one * (2 * place - 1), Float) / size


# Asked with each rating: building one costs more than running it.
_LOCK = (
    select(experiments)
    .where(experiments.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(experiments.c.id)
    .with_for_update()
)
_MOVE = (
    update(experiments)
    .where(experiments.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state=bindparam("to"),
        changed_at=bindparam("now", type_=Utc()),
        closed_at=bindparam("end", type_=Utc()),
        revision=experiments.c.revision + 1,
    )
)
