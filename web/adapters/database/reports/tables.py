"""Tables for analysis: every row of a study's table, read with a cursor so that few of them are in memory."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    String,
    case,
    cast,
    func,
    select,
    true,
    type_coerce,
)

from web.adapters.database.reports.history import VERSION_LABEL
from web.adapters.database.tables import experiments, inputs, options, outputs, prompt_versions, ratings, studies
from web.domain.reports import tables as words
from web.domain.reports.tables import PARAMETER, Column, Kind, TableName

BATCH = 500  # rows in memory
SAFE_DIGITS = 15  # of whole numbers that every reader can hold
KINDS: Mapping[str, Kind] = {"text": "text", "integer": "whole", "real": "real"}
POINT: ColumnElement[Any] = type_coerce(options.c.point, JSON)


def _text(column: ColumnElement[Any], label: str = "") -> ColumnElement[Any]:
    return func.nullif(column, "").label(label or str(column.key))


_STUDY = (studies.c.id.label("study_id"), _text(studies.c.name, "study"))
_INPUT = (inputs.c.id.label("input_id"), _text(inputs.c.name, "input"))
_MADE = (options.c.generator, options.c.version.label("version_id"), VERSION_LABEL.label("version"))


@dataclass(frozen=True)
class _Source:
    """Where a table's rows are: the columns, last of them JSON, and what becomes of a row and the parameters."""

    columns: Sequence[ColumnElement[Any]]
    start: FromClause
    order: Sequence[ColumnElement[Any]]
    made: Callable[[Row[Any], Sequence[Column]], words.Row]


def _plain(row: Row[Any], _: Sequence[Column]) -> words.Row:
    return tuple(row)


def _rating(row: Row[Any], parameters: Sequence[Column]) -> words.Row:
    *plain, tags, point = tuple(row)
    return (*plain, tuple(tags), *_values(point, parameters))


def _option(row: Row[Any], parameters: Sequence[Column]) -> words.Row:
    *plain, expected, point = tuple(row)
    interval = expected or {}
    return (*plain, *(interval.get(end) for end in ("mean", "low", "high")), *_values(point, parameters))


SOURCES: Mapping[TableName, _Source] = {
    "ratings": _Source(
        (
            ratings.c.id,
            *_STUDY,
            ratings.c.experiment_id,
            experiments.c.kind,
            ratings.c.option_id,
            *_INPUT,
            options.c.output_id,
            *_MADE,
            ratings.c.judge_id,
            ratings.c.judge_kind,
            ratings.c.metric,
            ratings.c.score,
            ratings.c.skip,
            _text(ratings.c.comment),
            ratings.c.flagged,
            ratings.c.late,
            ratings.c.rated_at,
            ratings.c.changed_at,
            ratings.c.painted_at,
            ratings.c.seen_ms,
            ratings.c.undone_at,
            type_coerce(ratings.c.tags, JSON),
            POINT,
        ),
        ratings.join(options, options.c.id == ratings.c.option_id)
        .join(experiments, experiments.c.id == ratings.c.experiment_id)
        .join(inputs, inputs.c.id == ratings.c.input_id)
        .join(prompt_versions, prompt_versions.c.id == ratings.c.version)
        .join(studies, studies.c.id == ratings.c.study_id),
        (ratings.c.study_id, ratings.c.rated_at, ratings.c.id),
        _rating,
    ),
    "options": _Source(
        (
            options.c.id,
            *_STUDY,
            options.c.experiment_id,
            *_INPUT,
            options.c.position,
            *_MADE,
            options.c.seed,
            options.c.state,
            _text(options.c.why),
            options.c.output_id,
            outputs.c.width.label("output_width"),
            outputs.c.height.label("output_height"),
            outputs.c.size.label("output_bytes"),
            options.c.cost_micros,
            _text(options.c.error),
            type_coerce(options.c.expected, JSON),
            POINT,
        ),
        options.join(inputs, inputs.c.id == options.c.input_id)
        .join(prompt_versions, prompt_versions.c.id == options.c.version)
        .join(studies, studies.c.id == options.c.study_id)
        .join(outputs, outputs.c.id == options.c.output_id, isouter=True),
        (options.c.study_id, options.c.id),
        _option,
    ),
    "experiments": _Source(
        (
            experiments.c.id,
            *_STUDY,
            *_INPUT,
            experiments.c.kind,
            experiments.c.state,
            experiments.c.held_for,
            experiments.c.created_at,
            experiments.c.changed_at,
            experiments.c.closed_at,
        ),
        experiments.join(inputs, inputs.c.id == experiments.c.input_id).join(
            studies, studies.c.id == experiments.c.study_id
        ),
        (experiments.c.study_id, experiments.c.id),
        _plain,
    ),
    "inputs": _Source(
        (
            inputs.c.id,
            *_STUDY,
            inputs.c.kind,
            _text(inputs.c.name),
            _text(inputs.c.content_hash),
            inputs.c.media_type,
            func.nullif(inputs.c.width, 0).label("width"),
            func.nullif(inputs.c.height, 0).label("height"),
            _text(inputs.c.stratum),
            _text(inputs.c.related),
            _text(inputs.c.reference),
            inputs.c.demo,
            inputs.c.added_by,
            inputs.c.created_at,
            inputs.c.removed_at,
            cast(inputs.c.payload, String).label("payload"),
            cast(inputs.c.metadata, String).label("metadata"),
            inputs.c.held_out,
        ),
        inputs.join(studies, studies.c.id == inputs.c.study_id),
        (inputs.c.study_id, inputs.c.id),
        _plain,
    ),
}


def table_rows(
    connection: Connection, table: TableName, study_id: str, parameters: Sequence[Column]
) -> Iterator[list[words.Row]]:
    """Go through a study's rows of a table, some at a time; parameters that are asked for stand last."""
    source = SOURCES[table]
    of_study, *order = source.order
    query = select(*source.columns).select_from(source.start).where(of_study == study_id).order_by(*order)
    with connection.execute(query, execution_options={"yield_per": BATCH}) as found:
        for part in found.partitions():
            yield [source.made(row, parameters) for row in part]


def parameter_values(connection: Connection, study_id: str) -> tuple[tuple[str, Kind], ...]:
    """Return the parameters that options of a study have, each with every kind of value that it has there."""
    kind: ColumnElement[Any]
    if connection.dialect.name == "postgresql":
        each = func.json_each(options.c.point).table_valued("key", "value", name="each")
        text, word = cast(each.c.value, String), func.json_typeof(each.c.value)
        whole = (word == "number") & text.regexp_match("^-?[0-9]*$")
        kind = case((whole, "integer"), (word == "number", "real"), (word == "string", "text"), else_=word)
    else:
        each = func.json_each(options.c.point).table_valued("key", "value", "type", name="each")
        text, kind = cast(each.c.value, String), each.c.type
    held = case(((kind == "integer") & (func.length(text) > SAFE_DIGITS), "real"), else_=kind)
    query = select(each.c.key, held).select_from(options).join(each, true()).distinct()
    seen = connection.execute(query.where(options.c.study_id == study_id))
    return tuple((name, KINDS.get(found, "text")) for name, found in seen)


def _values(point: Mapping[str, Any], parameters: Sequence[Column]) -> Iterator[object]:
    for parameter in parameters:
        value = point.get(parameter.name.removeprefix(PARAMETER))
        if parameter.kind == "real" and value is not None:
            yield float(value) if abs(value) <= sys.float_info.max else None  # what is NaN is no number
        elif parameter.kind == "text" and not isinstance(value, str):
            yield None if value is None else json.dumps(value)
        else:
            yield None if value == "" else value
