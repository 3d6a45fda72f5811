"""The photos of a study: a page of those that are wanted, how many there are, and what the filters offer."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Integer, Select, and_, bindparam, distinct, func, or_, select

from web.adapters.database.queries.common import BY_PEOPLE
from web.adapters.database.tables import experiments, inputs, ratings, users
from web.domain.day import between
from web.domain.reports.history import Page
from web.domain.studies.photos import NO_STRATUM, TERMINAL, PhotoChoices, PhotoCounts, PhotoFilter, PhotoLine
from web.domain.studies.study import Input

MOST_CHOICES = 100  # of strata, and of people, that a filter offers
_STANDING = and_(ratings.c.undone_at.is_(None), ratings.c.score.is_not(None), BY_PEOPLE)


def photos(
    connection: Connection, study_id: str, wanted: PhotoFilter, after: str, limit: int, zone: str = "UTC"
) -> Page[PhotoLine]:
    """Return present photos, newest first, from behind the one with an id; days are those of a time zone."""
    ids = _newest_first(select(inputs.c.id).where(*_terms(study_id, wanted, zone)), after, limit)
    found = tuple(connection.execute(ids).scalars())
    lines = photo_lines(connection, study_id, found[:limit])
    return Page(lines, found[limit - 1] if len(found) > limit else "")


def photo_lines(connection: Connection, study_id: str, ids: tuple[str, ...]) -> tuple[PhotoLine, ...]:
    """Return those of some photos that are present in a study, newest first."""
    counts = _ratings_of(connection, ids)
    query = (
        select(inputs, func.coalesce(users.c.email, "").label("email"))
        .outerjoin(users, users.c.id == inputs.c.added_by)
        .where(inputs.c.id.in_(ids), inputs.c.study_id == study_id, inputs.c.removed_at.is_(None))
        .order_by(inputs.c.id.desc())
    )
    return tuple(_line(dict(row), counts) for row in connection.execute(query).mappings())


def photo_ids(
    connection: Connection, study_id: str, wanted: PhotoFilter, until: str, after: str, limit: int, zone: str = "UTC"
) -> tuple[str, ...]:
    """Return ids of present photos that are wanted, oldest first, from behind one and up to another."""
    query = select(inputs.c.id).where(*_terms(study_id, wanted, zone), inputs.c.id > after, inputs.c.id <= until)
    return tuple(connection.execute(query.order_by(inputs.c.id).limit(limit)).scalars())


def photo_count(connection: Connection, study_id: str, wanted: PhotoFilter, zone: str = "UTC") -> int:
    """Count the present photos that are wanted."""
    return int(connection.execute(select(func.count()).where(*_terms(study_id, wanted, zone))).scalar_one())


def photo_counts(connection: Connection, study_id: str) -> PhotoCounts:
    """Count the present photos of a study, those that are rated, and those held out."""
    held = func.coalesce(func.sum(inputs.c.held_out.cast(Integer)), 0)
    present = select(func.count(), held).where(inputs.c.study_id == study_id, inputs.c.removed_at.is_(None))
    rated = (
        select(func.count(distinct(ratings.c.input_id)))
        .join(inputs, inputs.c.id == ratings.c.input_id)
        .where(ratings.c.study_id == study_id, _STANDING, inputs.c.removed_at.is_(None))
    )
    count, out = connection.execute(present).one()
    return PhotoCounts(photos=count, rated=int(connection.execute(rated).scalar_one()), held=int(out))


def photo_choices(connection: Connection, study_id: str) -> PhotoChoices:
    """Return the strata of a study's present photos, and who brought them."""
    brought = _different(connection, study_id, inputs.c.added_by)
    people = select(users.c.id, users.c.email).where(users.c.id.in_(brought)).order_by(users.c.email)
    return PhotoChoices(
        strata=_different(connection, study_id, inputs.c.stratum), people=dict(connection.execute(people).all())
    )


def _different(connection: Connection, study_id: str, column: Column[str]) -> tuple[str, ...]:
    """Look each value up behind the one before it: an index gives the next at once, however many photos have it."""
    of_study = (inputs.c.study_id == study_id, inputs.c.removed_at.is_(None))
    query = select(column).where(*of_study, column > bindparam("last")).order_by(column).limit(1)
    found, last = list[str](), connection.execute(query, {"last": ""}).scalar()
    while last is not None and len(found) < MOST_CHOICES:
        found.append(last)
        last = connection.execute(query, {"last": last}).scalar()
    return tuple(found)


def _newest_first(query: Select[Any], after: str, limit: int) -> Select[Any]:
    if after:
        query = query.where(inputs.c.id < after)
    # Written into the statement: Postgres plans for the first rows only where it can read how many are wanted.
    most = bindparam("most", limit + 1, Integer, literal_execute=True)
    return query.order_by(inputs.c.id.desc()).limit(most)


def _terms(study_id: str, wanted: PhotoFilter, zone: str) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = [inputs.c.study_id == study_id, inputs.c.removed_at.is_(None)]
    begins, ends = between(wanted.since, wanted.until, zone)
    if wanted.q:
        terms.append(inputs.c.name.icontains(wanted.q, autoescape=True))
    if wanted.rated:
        rated = select(ratings.c.input_id).where(ratings.c.study_id == study_id, _STANDING)
        terms.append(inputs.c.id.in_(rated) if wanted.rated == "yes" else inputs.c.id.not_in(rated))
    if wanted.held:
        terms.append(inputs.c.held_out.is_(wanted.held == "yes"))
    if wanted.stratum:
        terms.append(inputs.c.stratum == ("" if wanted.stratum == NO_STRATUM else wanted.stratum))
    if wanted.by:
        terms.append(_brought(wanted.by))
    if begins:
        terms.append(inputs.c.created_at >= begins)
    if ends:
        terms.append(inputs.c.created_at < ends)
    return terms


def _brought(by: str) -> ColumnElement[bool]:
    if by == TERMINAL:
        return inputs.c.added_by.is_(None)
    return or_(inputs.c.added_by == by, inputs.c.added_by.in_(select(users.c.id).where(users.c.email == by.lower())))


def _ratings_of(connection: Connection, ids: tuple[str, ...]) -> dict[str, int]:
    query = (
        select(experiments.c.input_id, func.count())
        .join(ratings, ratings.c.experiment_id == experiments.c.id)
        .where(experiments.c.input_id.in_(ids), _STANDING)
        .group_by(experiments.c.input_id)
    )
    return dict(connection.execute(query).all())


def _line(row: dict[str, Any], counts: dict[str, int]) -> PhotoLine:
    email = row.pop("email")
    source = Input(**row)
    return PhotoLine(source, counts.get(source.id, 0), email)
