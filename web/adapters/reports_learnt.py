"""What was learnt of a study: the newest diagnosis and those before it, where the ratings lie, what is asked now."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, exists, func, select, type_coerce

from ml_service.contract import CategoryParameter, Interval, Parameter, Value
from web.adapters.tables import diagnoses, experiments, inputs, options, ratings
from web.domain.experiment import LIVE, Option
from web.domain.report import Asked, BestStep, Coverage
from web.domain.study import Learnt, Study

BEST_STEPS = 300
ASKED = 6
PLACES = 24  # along a number's range, that its ratings are counted at


def newest(connection: Connection, study_id: str, scored: int) -> Learnt | None:
    """Return the newest diagnosis that knows no more than stands: an undone rating brings the one before it back."""
    used = type_coerce(diagnoses.c.diagnosis, JSON)["ratings_used"].as_integer()
    query = select(diagnoses).where(diagnoses.c.study_id == study_id, used <= scored)
    row = connection.execute(query.order_by(diagnoses.c.made_at.desc(), diagnoses.c.id.desc()).limit(1)).mappings()
    found = row.first()
    return None if found is None else Learnt(**found)


def best_steps(connection: Connection, study_id: str, scored: int) -> tuple[BestStep, ...]:
    """Return what each diagnosis expected of the best point, the newest where several used as many ratings."""
    document = type_coerce(diagnoses.c.diagnosis, JSON)
    rating, left = document["best"]["rating"], document["convergence"]
    numbers = (*(rating[key] for key in ("mean", "low", "high")), left["gain_left"], left["probability_near_best"])
    used = document["ratings_used"].as_integer()
    query = (
        select(used, *(number.as_float() for number in numbers))
        .where(diagnoses.c.study_id == study_id, used <= scored)
        .order_by(diagnoses.c.made_at.desc())
        .limit(BEST_STEPS)
    )
    return _by_ratings(connection.execute(query).all())


def _by_ratings(newest_first: Iterable[Sequence[Any]]) -> tuple[BestStep, ...]:
    steps = {
        used: BestStep(used, Interval(mean=mean, low=low, high=high), left, near)
        for used, mean, low, high, left, near in reversed(list(newest_first))
        if mean is not None
    }
    return tuple(step for _, step in sorted(steps.items()))


def coverage(connection: Connection, study: Study, counting: ColumnElement[bool]) -> dict[str, tuple[Coverage, ...]]:
    """Return how many of some ratings lie where, by parameter of a study's space."""
    query = (
        select(type_coerce(options.c.point, JSON), func.count(), func.sum(ratings.c.score))
        .select_from(ratings)
        .join(options, options.c.id == ratings.c.option_id)
        .where(counting, ratings.c.generator == study.generator)
        .group_by(options.c.id)
    )
    rated = [(point, count, float(total)) for point, count, total in connection.execute(query)]
    space = study.spaces[study.generator].parameters
    return {name: _coverage(name, parameter, rated) for name, parameter in space.items()}


def _coverage(
    name: str, parameter: Parameter, rated: Iterable[tuple[Mapping[str, Value], int, float]]
) -> tuple[Coverage, ...]:
    counted: defaultdict[Value, list[float]] = defaultdict(lambda: [0, 0])
    for point, count, total in rated:
        value = point.get(name, parameter.default)
        if parameter.accepts(value):
            sums = counted[_place(parameter, value)]
            sums[0], sums[1] = sums[0] + count, sums[1] + total
    return tuple(Coverage(value, int(n), total / n) for value, (n, total) in sorted(counted.items(), key=_first))


def _first(item: tuple[Value, list[float]]) -> tuple[float, str]:
    value = item[0]
    return (0.0, value) if isinstance(value, str) else (float(value), "")


def _place(parameter: Parameter, value: Value) -> Value:
    """Return a category as it is, and a number as the middle of the piece of its range in which it lies."""
    if isinstance(parameter, CategoryParameter) or isinstance(value, str):
        return value
    is_log = parameter.scale == "log"
    low, high, at = (math.log(v) if is_log else float(v) for v in (parameter.low, parameter.high, value))
    if high <= low:
        return value
    piece = min(int((at - low) / (high - low) * PLACES), PLACES - 1)
    middle = low + (piece + 0.5) / PLACES * (high - low)
    return round(math.exp(middle) if is_log else middle, 9)


def asked(connection: Connection, study_id: str) -> tuple[Asked, ...]:
    """Return suggestions that are out with no rating yet, the newest first."""
    rated = exists().where(ratings.c.option_id == options.c.id, ratings.c.undone_at.is_(None))
    query = (
        select(options, inputs.c.name.label("input"))
        .join(experiments, experiments.c.id == options.c.experiment_id)
        .join(inputs, inputs.c.id == options.c.input_id)
        .where(
            experiments.c.study_id == study_id,
            experiments.c.state.in_(LIVE),
            experiments.c.kind == "explore",
            options.c.state != "failed",
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
