"""What several subjects' queries share."""

from functools import lru_cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from web.adapters.database.tables import exclusions, experiments, inputs, leases, ratings
from web.domain.studies.experiment import LEARNT_FROM

# A lease of a closed explore experiment that is younger than its end asks for one more rating.
IS_EXTRA = and_(experiments.c.kind == "explore", leases.c.created_at > experiments.c.closed_at)

BY_PEOPLE = ratings.c.judge_kind == "human"  # what models and metrics say is kept beside it and never counts as theirs


def insert_into(connection: Connection, table: Table) -> Any:
    """Return an INSERT of the connection's own dialect, which can say what is to happen where a key is taken."""
    return _insert(connection.dialect.name, table)


def insert_once(connection: Connection, table: Table, *returned: Column[Any]) -> Any:
    """Return an INSERT that passes over rows whose unique keys are taken and returns columns of those that went in."""
    return _insert_once(connection.dialect.name, table, *returned)


def _insert(dialect: str, table: Table) -> Any:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@lru_cache(maxsize=64)
def _insert_once(dialect: str, table: Table, *returned: Column[Any]) -> Any:
    passing = _insert(dialect, table).on_conflict_do_nothing()
    return passing.returning(*returned) if returned else passing


def standing(option_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Match people's ratings of an option that nobody has undone."""
    return and_(ratings.c.option_id == option_id, ratings.c.undone_at.is_(None), BY_PEOPLE)


def counted(study_id: str) -> ColumnElement[bool]:
    """Match people's ratings of a study that stand and are learnt from.

    Those on inputs taken down do not count, nor those of raters excluded by then, nor those that only check raters.
    """
    removed = select(inputs.c.id).where(inputs.c.study_id == study_id, inputs.c.removed_at.is_not(None))
    excluded = exists().where(
        exclusions.c.study_id == study_id,
        exclusions.c.rater_id == ratings.c.judge_id,
        exclusions.c.lifted_at.is_(None),
        exclusions.c.since <= ratings.c.rated_at,
    )
    checks = select(experiments.c.id).where(experiments.c.study_id == study_id, experiments.c.kind.not_in(LEARNT_FROM))
    of_study = and_(ratings.c.study_id == study_id, ratings.c.undone_at.is_(None), BY_PEOPLE)
    return and_(of_study, ratings.c.input_id.not_in(removed), ratings.c.experiment_id.not_in(checks), ~excluded)
