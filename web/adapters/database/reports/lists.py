"""Lists: studies, inputs and jobs with what belongs to them, what the history's filters offer, objects needed."""

from typing import Literal

from sqlalchemy import Connection, and_, case, exists, func, or_, select, true

from web.adapters.database.queries.common import BY_PEOPLE
from web.adapters.database.reports.history import VERSION_LABEL, is_member
from web.adapters.database.tables import (
    experiments,
    inputs,
    jobs,
    options,
    outputs,
    prompt_versions,
    prompts,
    ratings,
    studies,
    users,
)
from web.domain.job import Job, JobState
from web.domain.reports.history import Choices, Page
from web.domain.reports.report import InputLine, Needed, StudyLine
from web.domain.studies.experiment import LIVE, SAMPLES
from web.domain.studies.study import Input, Study

_STANDING = and_(ratings.c.undone_at.is_(None), ratings.c.score.is_not(None), BY_PEOPLE)


def choices(connection: Connection, project_id: str) -> Choices:
    """Return what the filters of a project's history offer: names by value."""
    rows = connection.execute(
        select(studies.c.id, studies.c.name, studies.c.spaces, studies.c.guide)
        .where(studies.c.project_id == project_id)
        .order_by(studies.c.id.desc())
    ).all()
    versions = (
        select(prompt_versions.c.id, VERSION_LABEL)
        .join(prompts, prompts.c.key == prompt_versions.c.prompt_key)
        .where(prompts.c.project_id == project_id)
        .order_by(prompt_versions.c.id.desc())
    )
    rated = exists().where(
        ratings.c.judge_id == users.c.id, ratings.c.study_id == studies.c.id, studies.c.project_id == project_id
    )
    people = select(users.c.id, users.c.email).where(or_(is_member(project_id), rated)).order_by(users.c.email)
    return Choices(
        studies={row.id: row.name for row in rows},
        tags={row.id: row.guide.tags for row in rows},
        generators=tuple(sorted({name for row in rows for name in row.spaces})),
        versions=dict(connection.execute(versions).all()),
        raters=dict(connection.execute(people).all()),
    )


def study_lines(connection: Connection, project_id: str) -> tuple[StudyLine, ...]:
    """Return the studies of a project, newest first, archived ones last, with what they have."""
    present = select(func.count()).where(inputs.c.study_id == studies.c.id, inputs.c.removed_at.is_(None))
    rated = select(func.count()).where(ratings.c.study_id == studies.c.id, _STANDING)
    queue = select(func.count()).where(
        experiments.c.study_id == studies.c.id, experiments.c.state.in_(LIVE), experiments.c.kind.in_(SAMPLES)
    )
    last = select(func.max(ratings.c.rated_at)).where(ratings.c.study_id == studies.c.id, _STANDING)
    query = (
        select(
            studies,
            present.scalar_subquery().label("inputs"),
            rated.scalar_subquery().label("ratings"),
            queue.scalar_subquery().label("queue"),
            last.scalar_subquery().label("last_rated_at"),
        )
        .where(studies.c.project_id == project_id)
        .order_by(case((studies.c.state == "archived", 1), else_=0), studies.c.id.desc())
    )
    lines = []
    for row in connection.execute(query).mappings():
        fields = dict(row)
        extra = {name: fields.pop(name) for name in ("inputs", "ratings", "queue", "last_rated_at")}
        lines.append(StudyLine(Study(**fields), **extra))
    return tuple(lines)


def input_lines(connection: Connection, study_id: str, after: str, limit: int) -> Page[InputLine]:
    """Return present inputs of a study, newest first, from behind the one with an id, and how much was made of each."""
    made = select(func.count()).where(experiments.c.input_id == inputs.c.id, experiments.c.state != "dropped")
    rated = (
        select(func.count())
        .select_from(ratings.join(experiments, experiments.c.id == ratings.c.experiment_id))
        .where(experiments.c.input_id == inputs.c.id, _STANDING)
        .correlate(inputs)
    )
    query = (
        select(inputs, made.scalar_subquery().label("made"), rated.scalar_subquery().label("rated"))
        .where(inputs.c.study_id == study_id, inputs.c.removed_at.is_(None))
        .where(inputs.c.id < after if after else true())
        .order_by(inputs.c.id.desc())
        .limit(limit + 1)
    )
    lines = []
    for row in connection.execute(query).mappings():
        fields = dict(row)
        made_of_it, ratings_of_it = fields.pop("made"), fields.pop("rated")
        lines.append(InputLine(Input(**fields), made_of_it, ratings_of_it))
    shown = tuple(lines[:limit])
    return Page(shown, shown[-1].input.id if len(lines) > limit else "")


def jobs_of(connection: Connection, project_id: str, state: JobState, limit: int) -> tuple[Job, ...]:
    """Return a project's jobs in a state, and those of no project: parked ones newest first, others by due time."""
    mine = or_(jobs.c.study_id.is_(None), studies.c.project_id == project_id)
    query = (
        select(jobs)
        .join(studies, studies.c.id == jobs.c.study_id, isouter=True)
        .where(jobs.c.state == state, mine)
        .order_by(jobs.c.finished_at.desc() if state == "parked" else jobs.c.due_at, jobs.c.id)
        .limit(limit)
    )
    return tuple(Job(**row) for row in connection.execute(query).mappings())


def needed(connection: Connection, kind: Literal["input", "output"], after: str, limit: int) -> tuple[Needed, ...]:
    """Return the objects that present inputs, or outputs made of such, need, by the row's id, from behind one."""
    return (_needed_inputs if kind == "input" else _needed_outputs)(connection, after, limit)


def _needed_inputs(connection: Connection, after: str, limit: int) -> tuple[Needed, ...]:
    query = select(inputs.c.id, inputs.c.object_key, inputs.c.content_hash)
    query = query.where(inputs.c.id > after, inputs.c.removed_at.is_(None), inputs.c.object_key != "")
    return tuple(Needed("input", *row) for row in connection.execute(query.order_by(inputs.c.id).limit(limit)))


def _needed_outputs(connection: Connection, after: str, limit: int) -> tuple[Needed, ...]:
    of_present = (
        exists()
        .where(options.c.output_id == outputs.c.id, options.c.input_id == inputs.c.id, inputs.c.removed_at.is_(None))
        .correlate(outputs)
    )
    query = select(outputs.c.id, outputs.c.object_key, outputs.c.content_hash)
    query = query.where(outputs.c.id > after, outputs.c.removed_at.is_(None), of_present)
    return tuple(Needed("output", *row) for row in connection.execute(query.order_by(outputs.c.id).limit(limit)))
