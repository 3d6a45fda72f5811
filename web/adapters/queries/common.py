"""What several subjects' queries share."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from web.adapters.tables import exclusions, inputs, ratings


def insert_into(connection: Connection, table: Table) -> Any:
    """Return an INSERT of the connection's own dialect, which can say what is to happen where a key is taken."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def insert_once(connection: Connection, table: Table) -> Any:
    """Return an INSERT that passes over rows whose unique keys are taken; add `.returning` to learn which went in."""
    return insert_into(connection, table).on_conflict_do_nothing()


def standing(option_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Match ratings of an option that nobody has undone."""
    return and_(ratings.c.option_id == option_id, ratings.c.undone_at.is_(None))


def counted(study_id: str) -> ColumnElement[bool]:
    """Match the ratings of a study that stand, on inputs not taken down, by raters not excluded by then."""
    removed = select(inputs.c.id).where(inputs.c.study_id == study_id, inputs.c.removed_at.is_not(None))
    excluded = exists().where(
        exclusions.c.study_id == study_id,
        exclusions.c.rater_id == ratings.c.judge_id,
        exclusions.c.lifted_at.is_(None),
        exclusions.c.since <= ratings.c.rated_at,
    )
    of_study = and_(ratings.c.study_id == study_id, ratings.c.undone_at.is_(None))
    return and_(of_study, ratings.c.input_id.not_in(removed), ~excluded)
