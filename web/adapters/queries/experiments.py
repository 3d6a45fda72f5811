"""Queries of experiments and their options: what may be leased, what is pending, which input comes next."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select, update

from web.adapters.queries.common import standing
from web.adapters.tables import experiments, inputs, leases, options, ratings
from web.domain.experiment import LIVE, Experiment, ExperimentState, Option
from web.domain.study import Input


class ExperimentQueries:
    """Named queries of experiments."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def leasable(self, study_id: str, rater_id: str, wanted: int, now: datetime, limit: int) -> tuple[Experiment, ...]:
        """Return ready experiments this rater may lease now, oldest first, locked until the transaction ends.

        Inputs the rater has met least come first, so that the same source does not return at once.
        """
        met = select(func.count()).where(
            leases.c.rater_id == rater_id,
            leases.c.experiment_id.in_(
                select(_other.c.id).where(_other.c.input_id == experiments.c.input_id).correlate(experiments)
            ),
        )
        query = (
            self._open_to(study_id, rater_id, wanted, now, ("ready",))
            .order_by(met.scalar_subquery(), experiments.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=experiments)
        )
        return tuple(Experiment(**row) for row in self.connection.execute(query).mappings())

    def count_open(self, study_id: str, rater_id: str, wanted: int, now: datetime) -> int:
        """Count the experiments, ready or in the making, that this rater may lease."""
        query = self._open_to(study_id, rater_id, wanted, now, LIVE).subquery()
        return self.connection.execute(select(func.count()).select_from(query)).scalar_one()

    def _open_to(
        self, study_id: str, rater_id: str, wanted: int, now: datetime, states: Iterable[ExperimentState]
    ) -> Select[Any]:
        mine = and_(leases.c.experiment_id == experiments.c.id, leases.c.rater_id == rater_id)
        unanswered = exists().where(
            options.c.experiment_id == experiments.c.id,
            options.c.state != "failed",
            ~exists().where(standing(options.c.id), ratings.c.judge_id == rater_id).correlate(options),
        )
        return select(experiments).where(
            experiments.c.study_id == study_id,
            experiments.c.state.in_(tuple(states)),
            experiments.c.held_for.is_(None),
            ~exists().where(mine, _in_hand(now)),
            or_(~exists().where(mine), unanswered),
            _taken_by_others(rater_id, now) < wanted,
        )

    def pending(self, study_id: str) -> tuple[Option, ...]:
        """Return the options that are alive and have no rating yet."""
        query = (
            select(options)
            .join(experiments, experiments.c.id == options.c.experiment_id)
            .where(
                options.c.study_id == study_id,
                options.c.state != "failed",
                experiments.c.state.in_(LIVE),
                ~exists().where(standing(options.c.id), ratings.c.score.is_not(None)).correlate(options),
            )
            .order_by(options.c.id)
        )
        return tuple(Option(**row) for row in self.connection.execute(query).mappings())

    def rated(self, study_id: str) -> tuple[Option, ...]:
        """Return the options of a study that have a standing rating, those of inputs that were taken down left out."""
        query = (
            select(options)
            .join(inputs, inputs.c.id == options.c.input_id)
            .where(
                options.c.study_id == study_id,
                inputs.c.removed_at.is_(None),
                exists().where(standing(options.c.id)).correlate(options),
            )
            .order_by(options.c.id)
        )
        return tuple(Option(**row) for row in self.connection.execute(query).mappings())

    def next_inputs(self, study_id: str, count: int) -> tuple[Input, ...]:
        """Return the present inputs with the fewest options still counting, oldest first among equals."""
        used = (
            select(func.count())
            .select_from(options.join(experiments, experiments.c.id == options.c.experiment_id))
            .where(options.c.input_id == inputs.c.id, experiments.c.state.not_in(("dropped", "void")))
            .correlate(inputs)
            .scalar_subquery()
        )
        query = (
            select(inputs)
            .where(inputs.c.study_id == study_id, inputs.c.removed_at.is_(None))
            .order_by(used, inputs.c.id)
            .limit(count)
        )
        return tuple(Input(**row) for row in self.connection.execute(query).mappings())

    def lock(self, ids: Iterable[str]) -> dict[str, Experiment]:
        """Return experiments by id, locked in a fixed order until the transaction ends."""
        query = select(experiments).where(experiments.c.id.in_(tuple(ids))).order_by(experiments.c.id)
        rows = self.connection.execute(query.with_for_update()).mappings()
        return {row["id"]: Experiment(**row) for row in rows}

    def move(self, ids: Iterable[str], state: ExperimentState, now: datetime) -> None:
        """Put locked experiments into a state."""
        chosen = tuple(ids)
        if chosen:
            closed_at = now if state == "closed" else None
            self.connection.execute(
                update(experiments)
                .where(experiments.c.id.in_(chosen))
                .values(state=state, changed_at=now, closed_at=closed_at, revision=experiments.c.revision + 1)
            )

    def count_samples(self, study_id: str) -> int:
        """Count the explore and A/B experiments that are closed."""
        query = select(func.count()).where(
            experiments.c.study_id == study_id,
            experiments.c.state == "closed",
            experiments.c.kind.in_(("explore", "ab")),
        )
        return self.connection.execute(query).scalar_one()


_other = experiments.alias("other")


def _in_hand(now: datetime) -> ColumnElement[bool]:
    return or_(leases.c.state == "done", and_(leases.c.state == "held", leases.c.until > now))


def _taken_by_others(rater_id: str, now: datetime) -> ColumnElement[int]:
    query = select(func.count()).where(
        leases.c.experiment_id == experiments.c.id, leases.c.rater_id != rater_id, _in_hand(now)
    )
    return query.correlate(experiments).scalar_subquery()
