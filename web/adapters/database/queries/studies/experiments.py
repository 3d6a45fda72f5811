"""Queries of experiments and their options: what is pending, what was rated, which input comes next."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Float, and_, bindparam, cast, exists, func, select, update

from web.adapters.database.columns import Utc
from web.adapters.database.queries.common import standing
from web.adapters.database.tables import experiments, inputs, leases, options, ratings, studies
from web.domain.studies.experiment import LEARNT_FROM, LIVE, SAMPLES, UNSEEN, Experiment, ExperimentState, Option
from web.domain.studies.spreading import Stratum, turns
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
        left_out = tuple(besides)
        order = turns(self._strata(study_id, left_out), count)
        first = {name: iter(self._first(study_id, name, places, left_out)) for name, places in Counter(order).items()}
        found = (next(first[name], None) for name in order)
        return tuple(source for source in found if source is not None)  # one may have been taken down meanwhile

    def _strata(self, study_id: str, besides: tuple[str, ...]) -> tuple[Stratum, ...]:
        """Return the strata of a study in the order of their first inputs; what a sole one has had is not counted."""
        sizes = (
            select(inputs.c.stratum, func.count())
            .where(inputs.c.study_id == study_id, _EXPLORED)
            .group_by(inputs.c.stratum)
            .order_by(func.min(inputs.c.id))
        )
        found = self.connection.execute(sizes).all()
        if len(found) < 2:
            return tuple(Stratum(name, size) for name, size in found)
        had = (
            select(inputs.c.stratum, cast(func.count(), Float) / studies.c.options_per_experiment)
            .select_from(
                _COUNTING.join(inputs, inputs.c.id == options.c.input_id).join(
                    studies, studies.c.id == experiments.c.study_id
                )
            )
            .where(experiments.c.study_id == study_id, _EXPLORED, _counts(besides))
            .group_by(inputs.c.stratum, studies.c.options_per_experiment)
        )
        shares: dict[str, float] = dict(self.connection.execute(had).all())
        return tuple(Stratum(name, size, shares.get(name, 0.0)) for name, size in found)

    def _first(self, study_id: str, stratum: str, count: int, besides: tuple[str, ...]) -> tuple[Input, ...]:
        """Return the inputs of a stratum with the fewest options still counting, oldest first among equals."""
        used = select(func.count()).select_from(_COUNTING).where(options.c.input_id == inputs.c.id, _counts(besides))
        query = (
            select(inputs)
            .where(inputs.c.study_id == study_id, _EXPLORED, inputs.c.stratum == stratum)
            .order_by(used.correlate(inputs).scalar_subquery(), inputs.c.id)
            .limit(count)
        )
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


_EXPLORED = and_(inputs.c.removed_at.is_(None), inputs.c.held_out.is_(False))
_COUNTING = options.join(experiments, experiments.c.id == options.c.experiment_id)


def _counts(besides: tuple[str, ...]) -> ColumnElement[bool]:
    """Match options by which an input has had its turn, those of some experiments left out."""
    return and_(
        options.c.state != "spare",
        experiments.c.state.not_in(("dropped", "void")),
        experiments.c.kind.in_(SAMPLES),
        experiments.c.id.not_in(besides),
    )


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
