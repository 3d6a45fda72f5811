"""What was learnt of a study: the newest diagnosis and those before it, where the ratings lie, what is asked now."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import JSON, ColumnElement, Connection, exists, func, select, type_coerce

from ml_service.wire.contract import CategoryParameter, Parameter, Value
from web.adapters.database.queries.common import standing
from web.adapters.database.reports.history import VERSION_LABEL
from web.adapters.database.tables import experiments, inputs, options, prompt_versions, ratings
from web.domain.reports.report import Asked, Coverage
from web.domain.studies.experiment import LIVE, UNSEEN, Option
from web.domain.studies.study import Study

ASKED = 6
PLACES = 24  # along a number's range, that its ratings are counted at


def coverage(
    connection: Connection, study: Study, counting: ColumnElement[bool]
) -> dict[str, dict[str, tuple[Coverage, ...]]]:
    """Return how many of some ratings lie where, by generator and parameter of a study's spaces."""
    query = (
        select(ratings.c.generator, type_coerce(options.c.point, JSON), func.count(), func.sum(ratings.c.score))
        .select_from(ratings)
        .join(options, options.c.id == ratings.c.option_id)
        .where(counting, ratings.c.generator.in_(study.generators))
        .group_by(options.c.id, ratings.c.generator)
    )
    rated = defaultdict(list)
    for generator, point, count, total in connection.execute(query):
        rated[generator].append((point, count, float(total)))
    return {
        generator: {name: _coverage(name, one, rated[generator]) for name, one in space.parameters.items()}
        for generator, space in study.spaces.items()
    }


def _coverage(
    name: str, parameter: Parameter, rated: Iterable[tuple[Mapping[str, Value], int, float]]
) -> tuple[Coverage, ...]:
    counted: defaultdict[Value, list[float]] = defaultdict(lambda: [0, 0])
    place = _placing(parameter)
    for point, count, total in rated:
        value = point.get(name, parameter.default)
        if parameter.accepts(value):
            sums = counted[place(value)]
            sums[0], sums[1] = sums[0] + count, sums[1] + total
    return tuple(Coverage(value, int(n), total / n) for value, (n, total) in sorted(counted.items(), key=_first))


def _first(item: tuple[Value, list[float]]) -> tuple[float, str]:
    value = item[0]
    return (0.0, value) if isinstance(value, str) else (float(value), "")


def _placing(parameter: Parameter) -> Callable[[Value], Value]:
    """Return what puts a number in the middle of the piece of its range in which it lies; categories stay."""
    if isinstance(parameter, CategoryParameter) or parameter.high <= parameter.low:
        return lambda value: value
    into, back = (math.log, math.exp) if parameter.scale == "log" else (float, float)
    low, wide = into(parameter.low), (into(parameter.high) - into(parameter.low)) / PLACES

    def place(value: Value) -> Value:
        piece = min(int((into(float(value)) - low) / wide), PLACES - 1)
        return round(back(low + (piece + 0.5) * wide), 9)

    return place


def asked(connection: Connection, study_id: str) -> tuple[Asked, ...]:
    """Return suggestions that are out with no rating yet, the newest first."""
    rated = exists().where(standing(options.c.id))
    query = (
        select(options, inputs.c.name.label("input"))
        .join(experiments, experiments.c.id == options.c.experiment_id)
        .join(inputs, inputs.c.id == options.c.input_id)
        .where(
            experiments.c.study_id == study_id,
            experiments.c.state.in_(LIVE),
            experiments.c.kind == "explore",
            options.c.state.not_in(UNSEEN),
            inputs.c.removed_at.is_(None),
            ~rated,
        )
        .order_by(experiments.c.id.desc(), options.c.position)
        .limit(ASKED)
    )
    found = []
    for row in connection.execute(query).mappings():
        fields = dict(row)
        name = fields.pop("input")
        option = Option(**fields)
        found.append(Asked(option, name, option.state == "ready"))
    return tuple(found)


def version_labels(connection: Connection, prompt_key: str) -> dict[str, str]:
    """Return how the versions of a prompt are called, by id."""
    query = select(prompt_versions.c.id, VERSION_LABEL).where(prompt_versions.c.prompt_key == prompt_key)
    return {version: str(label) for version, label in connection.execute(query)}
