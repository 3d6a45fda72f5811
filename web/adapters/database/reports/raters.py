"""The raters of a study: what they are like, how they stand, how far they agree, and what they like best."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, and_, func, select

from web.adapters.database.queries.common import BY_PEOPLE
from web.adapters.database.reports.history import VERSION_LABEL
from web.adapters.database.reports.status import change
from web.adapters.database.tables import (
    enrolments,
    exclusions,
    experiments,
    gold_items,
    inputs,
    options,
    ordinal_checks,
    prompt_versions,
    ratings,
    users,
)
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.figures import Contender, OrdinalCheck, RaterFigures
from web.domain.rating.gold import Gold
from web.domain.rating.rating import Exclusion
from web.domain.rating.standing import RaterReport, RatersReport, ScoredItem
from web.domain.rating.work import Given
from web.domain.studies.study import Study


def raters_report(connection: Connection, study: Study) -> RatersReport:
    """Return all that the page of a study's raters shows."""
    from web.domain.rating.numbers.panel import panel  # loads scipy, which no start waits for

    excluded, given = _exclusions(connection, study.id), given_scores(connection, study.id)
    enrolled = _enrolments(connection, study.id)
    since = {one.rater_id: one.recalibrate_from for one in enrolled.values() if one.recalibrate_from is not None}
    found = panel(given, since)
    known = {one.rater: one for one in found.raters}
    return RatersReport(
        study_id=study.id,
        study=study.name,
        raters=_raters(connection, study.id, known, excluded, enrolled),
        agreement=found.agreement,
        over_time=found.over_time,
        order=_order(connection, study.id),
        items=_items(connection, study.id, found.contenders),
        change=change(connection, study.id),
    )


def given_scores(connection: Connection, study_id: str) -> tuple[Given, ...]:
    """Return the standing scores of people on inputs that are there, oldest first."""
    excluded = _exclusions(connection, study_id)
    item = func.coalesce(options.c.output_id, ratings.c.option_id)
    answered = (ratings.c.judge_id, item, experiments.c.kind, ratings.c.score, ratings.c.rated_at, ratings.c.seen_ms)
    query = (
        select(*answered, *gold_items.c)
        .select_from(ratings)
        .join(options, options.c.id == ratings.c.option_id)
        .join(experiments, experiments.c.id == ratings.c.experiment_id)
        .join(inputs, inputs.c.id == ratings.c.input_id)
        .join(
            gold_items, and_(gold_items.c.experiment_id == experiments.c.id, experiments.c.kind == "gold"), isouter=True
        )
        .where(
            ratings.c.study_id == study_id,
            BY_PEOPLE,
            ratings.c.undone_at.is_(None),
            ratings.c.score.is_not(None),
            inputs.c.removed_at.is_(None),
        )
        .order_by(ratings.c.rated_at, ratings.c.id)
    )
    given = []
    for rater, output, kind, score, at, seen_ms, *gold in connection.execute(query):
        left_out = rater in excluded and at >= excluded[rater].since
        check = Gold(*gold) if gold[0] is not None else None
        given.append(Given(rater, output, kind, score, at, seen_ms, counts=not left_out, gold=check))
    return tuple(given)


def _order(connection: Connection, study_id: str) -> OrdinalCheck | None:
    row = connection.execute(select(ordinal_checks).where(ordinal_checks.c.study_id == study_id)).mappings().first()
    return OrdinalCheck(**row) if row else None


def _exclusions(connection: Connection, study_id: str) -> dict[str, Exclusion]:
    """Return the exclusion of each rater that holds, the one from the earliest time on where there are several."""
    query = select(exclusions).where(exclusions.c.study_id == study_id, exclusions.c.lifted_at.is_(None))
    found = [Exclusion(**row) for row in connection.execute(query.order_by(exclusions.c.since.desc())).mappings()]
    return {one.rater_id: one for one in found}


def _enrolments(connection: Connection, study_id: str) -> dict[str, Enrolment]:
    query = select(enrolments).where(enrolments.c.study_id == study_id)
    return {row["rater_id"]: Enrolment(**row) for row in connection.execute(query).mappings()}


def _raters(
    connection: Connection,
    study_id: str,
    known: Mapping[str, RaterFigures],
    excluded: Mapping[str, Exclusion],
    enrolled: Mapping[str, Enrolment],
) -> tuple[RaterReport, ...]:
    skipped = select(ratings.c.judge_id, func.count()).where(
        ratings.c.study_id == study_id, ratings.c.skip.is_not(None), ratings.c.undone_at.is_(None), BY_PEOPLE
    )
    skips: dict[str, int] = dict(connection.execute(skipped.group_by(ratings.c.judge_id)).all())
    ids = {*known, *enrolled, *skips, *excluded}
    people = {row.id: row for row in connection.execute(select(users).where(users.c.id.in_(ids)))}
    rows = [
        RaterReport(
            rater_id=one,
            rater=people[one].email,
            active=people[one].active,
            skips=skips.get(one, 0),
            figures=known.get(one),
            enrolment=enrolled.get(one),
            exclusion=excluded.get(one),
        )
        for one in ids & people.keys()
    ]
    return tuple(sorted(rows, key=lambda row: (-(row.figures.ratings if row.figures else 0), row.rater)))


def _items(connection: Connection, study_id: str, found: Sequence[Contender]) -> tuple[ScoredItem, ...]:
    """Return what is known of the scored items, each by the first option that gave it."""
    query = (
        select(
            func.coalesce(options.c.output_id, options.c.id),
            options.c.experiment_id,
            inputs.c.id,
            inputs.c.name,
            options.c.generator,
            VERSION_LABEL,
        )
        .select_from(options)
        .join(inputs, inputs.c.id == options.c.input_id)
        .join(prompt_versions, prompt_versions.c.id == options.c.version)
        .where(options.c.study_id == study_id, options.c.state == "ready")
        .order_by(options.c.id.desc())
    )
    known = {row[0]: row[1:] for row in connection.execute(query)}
    return tuple(ScoredItem(one.score, one.best, *known[one.score.item]) for one in found if one.score.item in known)
