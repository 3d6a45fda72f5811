"""One experiment whole: its input, options and outputs, every rating of it, and what happened when."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, select

from ml_service.errors import NotFound
from web.adapters.database.reports.history import VERSION_LABEL, every_column
from web.adapters.database.tables import (
    audit_events,
    experiments,
    gold_items,
    inputs,
    leases,
    options,
    outputs,
    prompt_versions,
    ratings,
    studies,
    users,
)
from web.domain.rating.gold import Gold
from web.domain.reports.history import Entry
from web.domain.reports.report import ExperimentDetail, Moment, Treated
from web.domain.studies.experiment import Experiment, Option
from web.domain.studies.study import Input, Study


def detail(connection: Connection, project_id: str, experiment_id: str) -> ExperimentDetail:
    """Return one experiment whole, or raise NotFound where this project has none such."""
    found = connection.execute(select(experiments).where(experiments.c.id == experiment_id)).mappings().first()
    study = found and connection.execute(select(studies).where(studies.c.id == found["study_id"])).mappings().one()
    if found is None or study is None or study["project_id"] != project_id:
        raise NotFound(f"There is no experiment {experiment_id}.")
    experiment = Experiment(**found)
    row = connection.execute(select(inputs).where(inputs.c.id == experiment.input_id)).mappings().one()
    rated = _ratings(connection, experiment_id)
    treated = _treated(connection, experiment_id, rated)
    gold = _gold(connection, experiment_id)
    positions = {one.option.id: one.option.position for one in treated}
    moments = [
        Moment(experiment.created_at, "planned"),
        *_leases(connection, experiment_id),
        *(moment for option_id, some in rated.items() for moment in _of_ratings(some, positions.get(option_id, 0))),
        *_events(connection, experiment_id),
        *_ended(experiment),
        *([Moment(gold.retired_at, "retired: it is shown no more")] if gold and gold.retired_at else []),
    ]
    timeline = tuple(sorted(moments, key=lambda moment: moment.at))
    return ExperimentDetail(experiment, Study(**study), Input(**row), treated, timeline, gold)


def _gold(connection: Connection, experiment_id: str) -> Gold | None:
    query = select(gold_items).where(gold_items.c.experiment_id == experiment_id)
    row = connection.execute(query).mappings().first()
    return Gold(**row) if row else None


def _ratings(connection: Connection, experiment_id: str) -> dict[str, list[Entry]]:
    query = every_column().add_columns(ratings.c.option_id).where(ratings.c.experiment_id == experiment_id)
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for row in connection.execute(query.order_by(ratings.c.rated_at, ratings.c.id)).mappings():
        fields = dict(row)
        found[fields.pop("option_id")].append(Entry(**fields))
    return dict(found)


def _treated(connection: Connection, experiment_id: str, rated: dict[str, list[Entry]]) -> tuple[Treated, ...]:
    query = (
        select(options, VERSION_LABEL.label("label"), outputs.c.width, outputs.c.height, outputs.c.removed_at)
        .join(prompt_versions, prompt_versions.c.id == options.c.version)
        .join(outputs, outputs.c.id == options.c.output_id, isouter=True)
        .where(options.c.experiment_id == experiment_id)
        .order_by(options.c.position)
    )
    treated = []
    for row in connection.execute(query).mappings():
        fields = dict(row)
        label, width, height = fields.pop("label"), fields.pop("width"), fields.pop("height")
        kept = fields.pop("removed_at") is None
        option = Option(**fields)
        treated.append(Treated(option, label, width or 0, height or 0, kept, tuple(rated.get(option.id, ()))))
    return tuple(treated)


def _ended(experiment: Experiment) -> list[Moment]:
    if experiment.closed_at is not None:
        return [Moment(experiment.closed_at, "closed: every option has the ratings wanted")]
    if experiment.changed_at != experiment.created_at:
        return [Moment(experiment.changed_at, f"last change; now {experiment.state}")]
    return []


def _leases(connection: Connection, experiment_id: str) -> list[Moment]:
    query = (
        select(leases.c.created_at, leases.c.state, users.c.email)
        .join(users, users.c.id == leases.c.rater_id)
        .where(leases.c.experiment_id == experiment_id)
    )
    return [Moment(row.created_at, f"leased; now {row.state}", row.email) for row in connection.execute(query)]


def _of_ratings(rated: Iterable[Entry], position: int) -> list[Moment]:
    moments = []
    for one in rated:
        said = f"skipped ({one.skip})" if one.score is None else f"rated {one.score:g}"
        moments.append(Moment(one.rated_at, f"option {position + 1} {said}{', late' if one.late else ''}", one.rater))
        if one.undone_at is not None:
            moments.append(Moment(one.undone_at, f"option {position + 1}: {said} undone", one.rater))
    return moments


def _events(connection: Connection, experiment_id: str) -> list[Moment]:
    query = (
        select(audit_events.c.at, audit_events.c.action, users.c.email)
        .join(users, users.c.id == audit_events.c.actor_id, isouter=True)
        .where(audit_events.c.object_id == experiment_id)
    )
    return [Moment(row.at, row.action, row.email or "") for row in connection.execute(query)]
