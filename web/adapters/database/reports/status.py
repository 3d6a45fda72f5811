"""The status of a study: counts, means, trend, what was learnt; the change number; a rater's own numbers."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, String, and_, cast, func, select

from web.adapters.database.queries.common import BY_PEOPLE, counted
from web.adapters.database.queries.studies.diagnoses import best_steps, newest
from web.adapters.database.reports.history import VERSION_LABEL
from web.adapters.database.reports.learnt import asked, coverage, version_labels
from web.adapters.database.tables import (
    diagnoses,
    enrolments,
    exclusions,
    experiments,
    inputs,
    jobs,
    options,
    ordinal_checks,
    outputs,
    prompt_versions,
    ratings,
    studies,
    users,
)
from web.domain.day import midnight, there
from web.domain.rating.figures import TrendStep
from web.domain.rating.numbers.opinion import NOTHING, Sums, level_raters, mean_interval, smooth
from web.domain.reports.report import BestStep, Counts, Example, OwnReport, RaterNumbers, StudyReport, VersionMean
from web.domain.studies.experiment import SAMPLES
from web.domain.studies.milestone import milestones
from web.domain.studies.stopping import Figures, Recommended, Standing, standings
from web.domain.studies.study import Learnt, Study

MOST_STEPS = 181  # of a trend: what is longer goes by days, and three hours have so many minutes
MINUTE, QUARTER = 60, 900  # seconds; time zones begin their hours and days at quarters of an hour
_SCORED = ratings.c.score.is_not(None)
_SUMS = (func.count(), func.sum(ratings.c.score), func.sum(ratings.c.score * ratings.c.score))


def change(connection: Connection, study_id: str) -> str:
    """Return an opaque text made from the newest of all that a status shows; each part is one look into an index."""
    parts = select(
        select(func.max(ratings.c.changed_at)).where(ratings.c.study_id == study_id).scalar_subquery(),
        select(func.max(experiments.c.changed_at)).where(experiments.c.study_id == study_id).scalar_subquery(),
        select(func.max(diagnoses.c.made_at)).where(diagnoses.c.study_id == study_id).scalar_subquery(),
        select(ordinal_checks.c.made_at).where(ordinal_checks.c.study_id == study_id).scalar_subquery(),
        _parked(study_id).scalar_subquery(),
        select(studies.c.revision).where(studies.c.id == study_id).scalar_subquery(),
        *_of_people(study_id),
    )
    row = connection.execute(parts).one()
    return hashlib.sha256("|".join(map(str, row)).encode()).hexdigest()[:16]


def _of_people(study_id: str) -> Iterator[Any]:
    """Yield what changes with how people stand in a study: their enrolments and their exclusions."""
    for table in (enrolments, exclusions):
        changed = func.count() + func.coalesce(func.sum(table.c.revision), 0)
        yield select(changed).where(table.c.study_id == study_id).scalar_subquery()


def study_report(
    connection: Connection, study: Study, active_since: datetime, today: datetime, zone: str
) -> StudyReport:
    """Return all that the status of a study shows; the ratings in it are those that the optimizer is told."""
    counting = counted(study.id)
    counts = _counts(connection, study.id, counting, active_since, today)
    learnt = newest(connection, study.id, counts.ratings)
    best = best_steps(connection, study.id, counts.ratings)
    return StudyReport(
        study=study,
        counts=counts,
        versions=_versions(connection, counting),
        trend=_trend(connection, counting, zone),
        scores=_scores(connection, counting),
        tags=_tags(connection, counting),
        raters=_raters(connection, study.id),
        best=best,
        learnt=learnt,
        newer=counts.ratings - learnt.diagnosis.ratings_used if learnt else counts.ratings,
        coverage=coverage(connection, study, and_(counting, _SCORED)),
        asked=asked(connection, study.id),
        stopping=_stopping(study, counts, learnt, best),
        milestones=milestones(
            counts.samples_today, counts.samples, learnt.diagnosis.best if learnt else None, study.stop.goal
        ),
        labels=version_labels(connection, study.prompt_key),
        example=_example(connection, counting),
        change=change(connection, study.id),
    )


def _stopping(study: Study, counts: Counts, learnt: Learnt | None, best: Sequence[BestStep]) -> tuple[Standing, ...]:
    """Say how near each stop rule is by what was learnt last, which may be some ratings ago."""
    history = [Recommended(step.ratings, step.rating.mean) for step in best]
    known = Figures(counts.ratings, counts.spent_micros, learnt.diagnosis if learnt else None, history)
    return standings(study.stop, known)


def own_report(connection: Connection, study: Study, rater_id: str, today: datetime, zone: str) -> OwnReport:
    """Return a rater's own numbers: nobody else's rows are read."""
    mine = and_(ratings.c.study_id == study.id, ratings.c.judge_id == rater_id, ratings.c.undone_at.is_(None))
    since_today = func.count().filter(ratings.c.score.is_not(None), ratings.c.rated_at >= today)
    query = select(
        since_today, func.count(ratings.c.score), func.count(ratings.c.skip), func.avg(ratings.c.score)
    ).where(mine)
    done, total, skips, mean = connection.execute(query).one()
    return OwnReport(
        study_id=study.id,
        study=study.name,
        today=done,
        target=study.daily_target,
        total=total,
        skips=skips,
        mean=mean,
        scores=_scores(connection, mine),
        tags=_tags(connection, mine),
        trend=_trend(connection, mine, zone),
        change=change(connection, study.id),
    )


def _parked(study_id: str) -> Any:
    return select(func.count()).where(jobs.c.state == "parked", jobs.c.study_id == study_id)


def _counts(
    connection: Connection, study_id: str, counting: ColumnElement[bool], active_since: datetime, today: datetime
) -> Counts:
    by_state = select(experiments.c.state, func.count()).where(
        experiments.c.study_id == study_id, experiments.c.kind.in_(SAMPLES)
    )
    present = select(func.count()).where(inputs.c.study_id == study_id, inputs.c.removed_at.is_(None))
    samples = select(func.count(), func.count().filter(experiments.c.closed_at >= today)).where(
        experiments.c.study_id == study_id,
        experiments.c.state == "closed",
        experiments.c.kind.in_(SAMPLES),
    )
    answered = select(
        func.count(ratings.c.score), func.count(ratings.c.skip), func.count(ratings.c.judge_id.distinct())
    ).where(counting)
    active = select(func.count(ratings.c.judge_id.distinct())).where(
        ratings.c.study_id == study_id, ratings.c.changed_at >= active_since, BY_PEOPLE
    )
    spent = select(func.coalesce(func.sum(options.c.cost_micros), 0)).where(options.c.study_id == study_id)
    scored, skipped, raters = connection.execute(answered).one()
    closed, closed_today = connection.execute(samples).one()
    return Counts(
        inputs=connection.execute(present).scalar_one(),
        experiments=dict(connection.execute(by_state.group_by(experiments.c.state)).all()),
        ratings=scored,
        skips=skipped,
        samples=closed,
        samples_today=closed_today,
        raters=raters,
        active_raters=connection.execute(active).scalar_one(),
        parked_jobs=connection.execute(_parked(study_id)).scalar_one(),
        spent_micros=int(connection.execute(spent).scalar_one()),
    )


def _versions(connection: Connection, counting: ColumnElement[bool]) -> tuple[VersionMean, ...]:
    query = (
        select(ratings.c.generator, VERSION_LABEL.label("version"), ratings.c.judge_id, *_SUMS)
        .join(prompt_versions, prompt_versions.c.id == ratings.c.version)
        .where(counting, _SCORED)
        .group_by(ratings.c.generator, prompt_versions.c.name, prompt_versions.c.number, ratings.c.judge_id)
    )
    groups = [((str(row[0]), str(row[1])), str(row[2]), Sums(*row[3:])) for row in connection.execute(query)]
    levelled = level_raters(groups) if groups else {}
    return tuple(VersionMean(key[0], key[1], sums.count, mean_interval(sums)) for key, sums in sorted(levelled.items()))


def _trend(connection: Connection, which: ColumnElement[bool], zone: str) -> tuple[TrendStep, ...]:
    """Return the trend by minute, or by hour, day or several days of a time zone, whichever keeps the steps few."""
    span = select(func.min(ratings.c.rated_at), func.max(ratings.c.rated_at)).where(which, _SCORED)
    first, last = connection.execute(span).one()
    if first is None:
        return ()
    span, steps = last - first, defaultdict[datetime, Sums](lambda: NOTHING)
    bucket = _bucket(connection, MINUTE if span < timedelta(hours=3) else QUARTER).label("bucket")
    rows = connection.execute(select(bucket, *_SUMS).where(which, _SCORED).group_by(bucket).order_by(bucket))
    for at, *sums in rows:
        steps[_begun(datetime.fromtimestamp(int(at), UTC), span, zone)] += Sums(*sums)
    return smooth(_joined(list(steps.items())))


def _joined(days: Sequence[tuple[datetime, Sums]]) -> list[tuple[datetime, Sums]]:
    """Join as many days to a step as keep the steps of years few, counted from the first; fewer steps stay."""
    first, last = days[0][0], days[-1][0]
    size = timedelta(days=(last - first).days // MOST_STEPS + 1)
    if len(days) <= MOST_STEPS:
        return list(days)
    steps: dict[datetime, Sums] = {}
    for at, sums in days:
        start = first + (at - first) // size * size
        steps[start] = steps[start] + sums if start in steps else sums
    return list(steps.items())


def _bucket(connection: Connection, seconds: int) -> ColumnElement[int]:
    """Return when the piece of so many seconds began in which a rating was given, as seconds since 1970."""
    if connection.dialect.name == "postgresql":
        return func.floor(func.extract("epoch", ratings.c.rated_at) / seconds) * seconds
    return cast(func.strftime("%s", ratings.c.rated_at), Integer) // seconds * seconds


def _begun(at: datetime, span: timedelta, zone: str) -> datetime:
    """Return when the step of a trend of some length began that a moment is in, in UTC."""
    if span < timedelta(hours=3):
        return at
    return there(at, zone).replace(minute=0).astimezone(UTC) if span < timedelta(days=5) else midnight(at, zone)


def _scores(connection: Connection, which: ColumnElement[bool]) -> dict[int, int]:
    query = select(func.round(ratings.c.score), func.count()).where(which, _SCORED)
    found = {int(score): count for score, count in connection.execute(query.group_by(func.round(ratings.c.score)))}
    return {score: found.get(score, 0) for score in range(1, 6)}


def _tags(connection: Connection, which: ColumnElement[bool]) -> dict[str, int]:
    """Count tags through the few distinct sets of them, the most frequent first."""
    tags = cast(ratings.c.tags, String)
    counted: Counter[str] = Counter()
    for text, count in connection.execute(select(tags, func.count()).where(which).group_by(tags)):
        counted.update(dict.fromkeys(json.loads(text), count))
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _raters(connection: Connection, study_id: str) -> tuple[RaterNumbers, ...]:
    name = func.coalesce(users.c.email, ratings.c.judge_id)
    query = (
        select(
            ratings.c.judge_id, name, func.count(ratings.c.score), func.count(ratings.c.skip), func.avg(ratings.c.score)
        )
        .join(users, users.c.id == ratings.c.judge_id, isouter=True)
        .where(ratings.c.study_id == study_id, ratings.c.undone_at.is_(None), BY_PEOPLE)
        .group_by(ratings.c.judge_id, name)
        .order_by(func.count().desc(), name)
    )
    return tuple(RaterNumbers(*row) for row in connection.execute(query))


def _example(connection: Connection, counting: ColumnElement[bool]) -> Example | None:
    """Return the option with the best mean score whose pictures are still there, the most rated among equals."""
    mean, count = func.avg(ratings.c.score), func.count()
    query = (
        select(options.c.experiment_id, inputs.c.id, inputs.c.name, options.c.output_id, count, mean)
        .select_from(ratings)
        .join(options, options.c.id == ratings.c.option_id)
        .join(inputs, inputs.c.id == options.c.input_id)
        .join(outputs, outputs.c.id == options.c.output_id)
        .where(counting, _SCORED)
        .group_by(options.c.id, inputs.c.id)
        .order_by(mean.desc(), count.desc(), options.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else Example(row[0], row[1], row[2], row[3], row[4], float(row[5]))
