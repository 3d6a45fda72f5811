"""Queries of leases: what a rater holds, what answers refer to, what time has ended."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, Table, and_, bindparam, exists, or_, select, union_all, update

from web.adapters.database.columns import Utc
from web.adapters.database.queries.common import IS_EXTRA, insert_once, standing
from web.adapters.database.tables import experiments, inputs, leases, options, outputs, ratings, studies
from web.domain.clocks import JUMP
from web.domain.rating.lease import ADOPT_AFTER, LEASE_TIME, HeldOption, Lease, LeaseState, Shown
from web.domain.studies.experiment import Experiment, Option
from web.rows import rating as rows


class LeaseQueries(rows.LeaseQueries):
    """Named queries of leases."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def held(self, study_id: str, rater_id: str, tab: str, now: datetime, limit: int) -> tuple[Lease, ...]:
        known = {"study": study_id, "rater": rater_id, "tab": tab, "now": now, "limit": limit}
        rows = self.connection.execute(_HELD, {**known, "idle_since": now + LEASE_TIME - ADOPT_AFTER})
        return tuple(Lease(**row) for row in rows.mappings())

    def lately(self, rater_id: str, study_ids: Iterable[str], since: datetime, limit: int) -> tuple[str, ...]:
        # Each study by itself, as the index of leases is by rater and study: all of a rater's may be many thousands.
        newest = [
            select(leases.c.study_id, leases.c.id)
            .where(leases.c.rater_id == rater_id, leases.c.study_id == study_id, leases.c.created_at >= since)
            .order_by(leases.c.id.desc())
            .limit(limit)
            .subquery()
            for study_id in study_ids
        ]
        found = union_all(*(select(each.c.study_id, each.c.id) for each in newest)).subquery()
        query = select(found.c.study_id).order_by(found.c.id.desc()).limit(limit)
        return tuple(self.connection.execute(query).scalars())

    def take(self, wanted: Iterable[Lease]) -> tuple[Lease, ...]:
        chosen = tuple(wanted)
        if not chosen:
            return ()
        adding = insert_once(self.connection, leases, leases.c.id)
        added = set(self.connection.execute(adding, [lease.__dict__ for lease in chosen]).scalars())
        return tuple(lease if lease.id in added else self._again(lease) for lease in chosen)

    def _again(self, lease: Lease) -> Lease:
        mine = and_(leases.c.experiment_id == lease.experiment_id, leases.c.rater_id == lease.rater_id)
        again = update(leases).where(mine).values(state="held", token=lease.token, until=lease.until)
        return Lease(**self.connection.execute(again.returning(leases)).mappings().one())

    def renew(self, ids: Iterable[str], token: str, until: datetime) -> None:
        if chosen := tuple(ids):
            self.connection.execute(update(leases).where(leases.c.id.in_(chosen)).values(token=token, until=until))

    def of_options(self, rater_id: str, option_ids: Iterable[str]) -> dict[str, HeldOption]:
        known = {"rater": rater_id, "options": tuple(option_ids)}
        found = {}
        for row in self.connection.execute(_OF_OPTIONS, known):
            option = Option(**_named(options, row))
            experiment = Experiment(**_named(experiments, row[len(options.c) :]))
            found[option.id] = HeldOption(option, experiment, *row[-5:])
        return found

    def shown(self, rater_id: str, experiment_ids: Iterable[str]) -> tuple[Shown, ...]:
        known = {"rater": rater_id, "experiments": tuple(experiment_ids)}
        return tuple(Shown(*row) for row in self.connection.execute(_SHOWN, known))

    def move(self, rater_id: str, states: dict[str, LeaseState]) -> None:
        for state in set(states.values()):
            chosen = tuple(experiment_id for experiment_id, told in states.items() if told == state)
            self.connection.execute(_MOVE, {"chosen": chosen, "rater": rater_id, "to": state})

    def expire(self, now: datetime) -> int:
        longest = now + LEASE_TIME
        ahead = and_(leases.c.state == "held", leases.c.until > longest + JUMP)
        self.connection.execute(update(leases).where(ahead).values(until=longest))
        over = and_(leases.c.state == "held", leases.c.until <= now)
        ids = self.connection.execute(select(leases.c.experiment_id).where(over)).scalars().all()
        if ids:
            self.connection.execute(update(leases).where(over).values(state="expired"))
            uploads = and_(experiments.c.held_for.is_not(None), experiments.c.kind == "explore")
            left = and_(experiments.c.id.in_(ids), uploads)
            self.connection.execute(update(experiments).where(left).values(held_for=None, changed_at=now))
        return len(ids)


def _named(table: Table, row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(table.c.keys(), row, strict=False))


# The queries that each rating takes are built once: building one costs more than running it.
_HELD = (
    select(leases)
    .join(experiments, experiments.c.id == leases.c.experiment_id)
    .where(
        leases.c.study_id == bindparam("study"),
        leases.c.rater_id == bindparam("rater"),
        leases.c.state == "held",
        leases.c.until > bindparam("now", type_=Utc()),
        or_(leases.c.token == bindparam("tab"), leases.c.until < bindparam("idle_since", type_=Utc())),
        or_(experiments.c.state == "ready", and_(experiments.c.state == "closed", IS_EXTRA)),
        or_(experiments.c.held_for.is_(None), experiments.c.kind == "repeat"),
    )
    .order_by(leases.c.created_at, leases.c.id)
    .limit(bindparam("limit", type_=Integer()))
)
_MOVE = (
    update(leases)
    .where(
        leases.c.experiment_id.in_(bindparam("chosen", expanding=True)),
        leases.c.rater_id == bindparam("rater"),
    )
    .values(state=bindparam("to"))
)
_OF_OPTIONS = (
    select(
        options,
        experiments,
        leases.c.state,
        leases.c.until,
        studies.c.raters_wanted,
        studies.c.daily_target,
        studies.c.project_id,
    )
    .join(experiments, experiments.c.id == options.c.experiment_id)
    .join(studies, studies.c.id == options.c.study_id)
    .join(
        leases,
        and_(leases.c.experiment_id == options.c.experiment_id, leases.c.rater_id == bindparam("rater")),
        isouter=True,
    )
    .where(options.c.id.in_(bindparam("options", expanding=True)))
    .order_by(experiments.c.id)
    .with_for_update(of=experiments)
)
_SHOWN = (
    select(
        options.c.experiment_id,
        options.c.id,
        outputs.c.width,
        outputs.c.height,
        inputs.c.id,
        inputs.c.width,
        inputs.c.height,
        experiments.c.kind == "calibration",
    )
    .join(experiments, experiments.c.id == options.c.experiment_id)
    .join(outputs, outputs.c.id == options.c.output_id)
    .join(inputs, inputs.c.id == options.c.input_id)
    .where(
        options.c.experiment_id.in_(bindparam("experiments", expanding=True)),
        options.c.state == "ready",
        ~exists().where(standing(options.c.id), ratings.c.judge_id == bindparam("rater")).correlate(options),
    )
    .order_by(options.c.id)
)
