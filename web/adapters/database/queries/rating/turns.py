"""Queries of whose turn it is: what a rater was given last, what is open to them, and what they then take."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
)

from web.adapters.database.columns import Utc
from web.adapters.database.queries.common import IS_EXTRA, standing
from web.adapters.database.tables import experiments, inputs, leases, options, ratings
from web.domain.rating.attention import MOST_RATINGS, WINDOW, Dealt, Unsure
from web.domain.rating.lease import Asker
from web.domain.studies.experiment import LIVE, SAMPLES, UNSEEN, Experiment, ExperimentKind, ExperimentState, Option
from web.rows import rating as rows

LOOKED_BACK = 100  # rows of what was rated, among which one is chosen that is to be rated again


class TurnQueries(rows.TurnQueries):
    """Named queries of whose turn it is."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def given(self, study_id: str, rater_id: str, limit: int) -> tuple[Dealt, ...]:
        rows = self.connection.execute(_GIVEN, {"study": study_id, "rater": rater_id, "limit": limit})
        return tuple(Dealt(*row) for row in rows)

    def count_sources(self, study_id: str, limit: int) -> int:
        return self.connection.execute(_SOURCES, {"study": study_id, "limit": limit}).scalar_one()

    def open_to(
        self, asker: Asker, kinds: Iterable[ExperimentKind] = SAMPLES, limit: int = WINDOW
    ) -> tuple[Dealt, ...]:
        rows = self.connection.execute(_OPEN, _known(asker, ("ready",), kinds) | {"limit": limit})
        return tuple(Dealt(*row) for row in rows)

    def count_open(self, asker: Asker) -> int:
        return self.connection.execute(_COUNT_OPEN, _known(asker, LIVE, SAMPLES)).scalar_one()

    def unsure(self, asker: Asker) -> tuple[Unsure, ...]:
        return tuple(Unsure(*row) for row in self.connection.execute(_UNSURE, _known(asker, ("closed",), ())))

    def repeatable(self, asker: Asker, apart: int) -> tuple[Option, ...]:
        known = _known(asker, (), ()) | {"apart": apart}
        return tuple(Option(**row) for row in self.connection.execute(_REPEATABLE, known).mappings())

    def claim(self, asker: Asker, ids: Iterable[str]) -> dict[str, Experiment]:
        locked = tuple(self.connection.execute(_LOCK, {"ids": tuple(ids)}).scalars())
        rows = self.connection.execute(_STILL_OPEN, _known(asker, ("ready",), _ANY) | {"ids": locked}).mappings()
        return {row["id"]: Experiment(**row) for row in rows}


_ANY: tuple[ExperimentKind, ...] = ("explore", "ab", "gold", "repeat", "calibration")


def _known(asker: Asker, states: Iterable[ExperimentState], kinds: Iterable[ExperimentKind]) -> dict[str, Any]:
    return {
        "study": asker.study_id,
        "rater": asker.rater_id,
        "wanted": asker.wanted,
        "now": asker.now,
        "anything": asker.unsafe_ok,
        "states": tuple(states),
        "kinds": tuple(kinds),
    }


_NOW = bindparam("now", type_=Utc())
_RATER: BindParameter[str] = bindparam("rater")
_OTHER = options.alias("other")
_TOLD = ratings.alias("told")
_HERE = leases.c.experiment_id == experiments.c.id
_MINE = and_(_HERE, leases.c.rater_id == _RATER)
_OTHERS = and_(_HERE, leases.c.rater_id != _RATER)
_RUNNING = and_(leases.c.state == "held", leases.c.until > _NOW)
_IN_HAND = or_(leases.c.state == "done", _RUNNING)


def _count(*terms: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count()).select_from(leases).where(*terms).correlate(experiments).scalar_subquery()


def _is_safe() -> ColumnElement[bool]:
    """Match inputs of which nobody has called an option unsafe, or any where the rater takes anything."""
    unsafe = select(ratings.c.input_id).where(
        ratings.c.study_id == bindparam("study"), ratings.c.skip == "unsafe", ratings.c.undone_at.is_(None)
    )
    return or_(bindparam("anything", type_=Boolean()), experiments.c.input_id.not_in(unsafe))


def _is_new_to_them() -> ColumnElement[bool]:
    """Match experiments that share no output with what this rater has rated: their own score is no check of them."""
    seen = exists().where(
        options.c.experiment_id == experiments.c.id,
        _OTHER.c.output_id == options.c.output_id,
        standing(_OTHER.c.id),
        ratings.c.judge_id == _RATER,
    )
    return ~seen.correlate(experiments)


def _is_open() -> ColumnElement[bool]:
    unanswered = exists().where(
        options.c.experiment_id == leases.c.experiment_id,
        options.c.state.not_in(UNSEEN),
        ~exists().where(standing(options.c.id), ratings.c.judge_id == _RATER).correlate(options),
    )
    checks = experiments.c.kind.in_(("gold", "calibration"))
    return and_(
        experiments.c.study_id == bindparam("study"),
        experiments.c.state.in_(bindparam("states", expanding=True)),
        experiments.c.kind.in_(bindparam("kinds", expanding=True)),
        or_(experiments.c.held_for.is_(None), and_(experiments.c.kind == "repeat", experiments.c.held_for == _RATER)),
        ~exists().where(_MINE, or_(_IN_HAND, ~unanswered.correlate(leases))).correlate(experiments),
        or_(checks, _count(_OTHERS, _IN_HAND) < bindparam("wanted", type_=Integer())),
        or_(~checks, _is_new_to_them()),
        _is_safe(),
    )


def _spoken_for() -> ColumnElement[int]:
    """Count an experiment's ratings, as more than any may have where somebody holds it or this rater ever did.

    One look at its leases tells all three: as joins they would be taken of all running leases at once.
    """
    weight = case((or_(leases.c.rater_id == _RATER, _RUNNING), MOST_RATINGS), (leases.c.state == "done", 1), else_=0)
    total = select(func.coalesce(func.sum(weight), 0)).where(_HERE)
    return total.correlate(experiments).scalar_subquery()


def _may_have_one_more() -> ColumnElement[bool]:
    """Match closed explore experiments that few have rated, that nobody holds, and that this rater never held."""
    return and_(
        experiments.c.study_id == bindparam("study"),
        experiments.c.state == "closed",
        experiments.c.kind == "explore",
        experiments.c.held_for.is_(None),
        _spoken_for() < MOST_RATINGS,
        exists().where(inputs.c.id == experiments.c.input_id, inputs.c.removed_at.is_(None)),
        _is_safe(),
    )


# These are asked with each rating or nearly: building one costs more than running it.
_GIVEN = (
    select(
        experiments.c.id,
        case((IS_EXTRA, "overlap"), else_=experiments.c.kind),
        experiments.c.input_id,
    )
    .join(experiments, _HERE)
    .where(leases.c.rater_id == _RATER, leases.c.study_id == bindparam("study"))
    .order_by(leases.c.id.desc())
    .limit(bindparam("limit", type_=Integer()))
)
_SOURCES = select(func.count()).select_from(
    select(inputs.c.id)
    .where(inputs.c.study_id == bindparam("study"), inputs.c.removed_at.is_(None))
    .limit(bindparam("limit", type_=Integer()))
    .subquery()
)
_OPEN = (
    select(experiments.c.id, experiments.c.kind, experiments.c.input_id)
    .where(_is_open())
    .order_by(experiments.c.id)
    .limit(bindparam("limit", type_=Integer()))
)
_COUNT_OPEN = select(func.count()).select_from(experiments).where(_is_open())
_LOCK = (
    select(experiments.c.id)
    .where(experiments.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(experiments.c.id)
    .with_for_update(skip_locked=True)
)
_STILL_OPEN = select(experiments).where(
    experiments.c.id.in_(bindparam("ids", expanding=True)), or_(_is_open(), _may_have_one_more())
)


def _unsure() -> Any:
    newest = (
        select(experiments.c.id, experiments.c.input_id)
        .where(_may_have_one_more())
        .order_by(experiments.c.id.desc())
        .limit(LOOKED_BACK)
        .subquery()
    )
    return (
        select(
            newest.c.id,
            newest.c.input_id,
            func.count(ratings.c.score),
            func.sum(ratings.c.score),
            func.sum(ratings.c.score * ratings.c.score),
        )
        .join(options, options.c.experiment_id == newest.c.id)
        .join(ratings, standing(options.c.id))
        .where(ratings.c.score.is_not(None))
        .group_by(newest.c.id, newest.c.input_id, options.c.id)
        .order_by(newest.c.id)
    )


def _repeatable() -> Any:
    again = exists().where(
        _OTHER.c.output_id == options.c.output_id,
        _OTHER.c.experiment_id == experiments.c.id,
        experiments.c.kind == "repeat",
        experiments.c.held_for == _RATER,
    )
    explored = select(experiments.c.id).where(
        experiments.c.id == options.c.experiment_id, experiments.c.kind == "explore", _is_safe()
    )
    present = exists().where(inputs.c.id == options.c.input_id, inputs.c.removed_at.is_(None))
    return (
        select(options)
        .join(_TOLD, _TOLD.c.option_id == options.c.id)
        .where(
            _TOLD.c.judge_id == _RATER,
            _TOLD.c.study_id == bindparam("study"),
            _TOLD.c.undone_at.is_(None),
            _TOLD.c.score.is_not(None),
            exists(explored.correlate(options)),
            ~again.correlate(options),
            present,
        )
        .order_by(_TOLD.c.rated_at.desc(), _TOLD.c.id.desc())
        .offset(bindparam("apart", type_=Integer()))
        .limit(LOOKED_BACK)
    )


_UNSURE = _unsure()
_REPEATABLE = _repeatable()
