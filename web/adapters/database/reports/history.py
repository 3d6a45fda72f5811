"""The history: ratings with all they are about, filtered, by keyset; and a rater's own rows by allow-list."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    or_,
    select,
)

from web.adapters.database.tables import experiments, inputs, options, prompt_versions, ratings, studies, users
from web.domain.day import between
from web.domain.reports.history import Cursor, Entry, Filter, OwnEntry, Page

VERSION_LABEL = case(
    (prompt_versions.c.name.is_not(None), prompt_versions.c.name),
    else_="#" + cast(prompt_versions.c.number, String),
)

_OWN = (
    ratings.c.id,
    ratings.c.rated_at,
    studies.c.name.label("study"),
    ratings.c.score,
    ratings.c.skip,
    ratings.c.tags,
    ratings.c.comment,
    ratings.c.flagged,
    ratings.c.late,
    ratings.c.undone_at,
)
_ALL = (
    *_OWN,
    ratings.c.study_id,
    ratings.c.experiment_id,
    experiments.c.kind,
    ratings.c.input_id,
    inputs.c.name.label("input"),
    inputs.c.removed_at.is_not(None).label("input_removed"),
    options.c.output_id,
    ratings.c.generator,
    VERSION_LABEL.label("version"),
    options.c.point,
    ratings.c.judge_id.label("rater_id"),
    func.coalesce(users.c.email, ratings.c.judge_id).label("rater"),
    ratings.c.seen_ms,
)


def every_column() -> Select[Any]:
    """Return the query of ratings with all they are about, in the columns of an Entry."""
    return (
        select(*_ALL)
        .select_from(ratings)
        .join(studies, studies.c.id == ratings.c.study_id)
        .join(experiments, experiments.c.id == ratings.c.experiment_id)
        .join(inputs, inputs.c.id == ratings.c.input_id)
        .join(options, options.c.id == ratings.c.option_id)
        .join(prompt_versions, prompt_versions.c.id == ratings.c.version)
        .join(users, users.c.id == ratings.c.judge_id, isouter=True)
    )


def entries(
    connection: Connection, project_id: str, wanted: Filter, after: Cursor | None, limit: int, zone: str = "UTC"
) -> Page[Entry]:
    """Return rows of a project's history, newest first; days are those of a time zone."""
    asked = [*_own_terms(wanted, zone), *_admin_terms(wanted)]
    query = every_column().where(studies.c.project_id == project_id, *asked)
    rows = connection.execute(_after(query, after).limit(limit + 1)).all()
    return Page(tuple(Entry(**row._mapping) for row in rows[:limit]), _place(rows, limit))


def own_entries(
    connection: Connection,
    project_id: str,
    rater_id: str,
    wanted: Filter,
    after: Cursor | None,
    limit: int,
    zone: str = "UTC",
) -> Page[OwnEntry]:
    """Return a rater's own rows; filters that would tell what made an image are passed over."""
    query = (
        select(*_OWN)
        .select_from(ratings)
        .join(studies, studies.c.id == ratings.c.study_id)
        .where(studies.c.project_id == project_id, ratings.c.judge_id == rater_id, *_own_terms(wanted, zone))
    )
    rows = connection.execute(_after(query, after).limit(limit + 1)).all()
    return Page(tuple(OwnEntry(**row._mapping) for row in rows[:limit]), _place(rows, limit))


def _after(query: Select[Any], after: Cursor | None) -> Select[Any]:
    if after is not None:
        same_moment = and_(ratings.c.rated_at == after.rated_at, ratings.c.id < after.id)
        query = query.where(ratings.c.rated_at <= after.rated_at, or_(ratings.c.rated_at < after.rated_at, same_moment))
    return query.order_by(ratings.c.rated_at.desc(), ratings.c.id.desc())


def _place(rows: "list[Row[Any]] | Any", limit: int) -> str:
    return str(Cursor(rows[limit - 1].rated_at, rows[limit - 1].id)) if len(rows) > limit else ""


def _own_terms(wanted: Filter, zone: str) -> list[ColumnElement[bool]]:
    terms, (since, until) = [_in_state(wanted)], between(wanted.since, wanted.until, zone)
    if wanted.study:
        terms.append(studies.c.id == wanted.study)
    if wanted.low is not None:
        terms.append(ratings.c.score >= wanted.low)
    if wanted.high is not None:
        terms.append(ratings.c.score <= wanted.high)
    if wanted.tag:
        terms.append(cast(ratings.c.tags, String).contains(f'"{wanted.tag}"', autoescape=True))
    if wanted.text:
        terms.append(ratings.c.comment.icontains(wanted.text, autoescape=True))
    if since:
        terms.append(ratings.c.rated_at >= since)
    if until:
        terms.append(ratings.c.rated_at < until)
    return terms


def _admin_terms(wanted: Filter) -> list[ColumnElement[bool]]:
    asked = (
        (ratings.c.generator, wanted.generator),
        (ratings.c.version, wanted.version),
        (ratings.c.judge_id, wanted.rater),
        (experiments.c.kind, wanted.kind),
    )
    return [column == value for column, value in asked if value]


def _in_state(wanted: Filter) -> ColumnElement[bool]:
    if wanted.state == "undone":
        return ratings.c.undone_at.is_not(None)
    standing = ratings.c.undone_at.is_(None)
    extra: dict[str, ColumnElement[bool]] = {
        "scored": ratings.c.score.is_not(None),
        "skipped": ratings.c.skip.is_not(None),
        "late": ratings.c.late,
        "flagged": ratings.c.flagged,
    }
    return and_(standing, extra[wanted.state]) if wanted.state else standing
