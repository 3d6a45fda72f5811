"""What an archive holds of a study: which rows of which tables, each as one line of JSON."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model
from sqlalchemy import Boolean, Column, ColumnElement, Connection, Float, String, Table, select, union

from web.adapters import tables
from web.adapters.columns import Typed, Utc

T = TypeVar("T")
Row = dict[str, Any]
BATCH = 500
_INT32 = 2**31

# Each table stands after those that it refers to.
TABLES: tuple[Table, ...] = (
    tables.projects,
    tables.users,
    tables.prompts,
    tables.prompt_versions,
    tables.prompt_pointers,
    tables.studies,
    tables.inputs,
    tables.outputs,
    tables.experiments,
    tables.options,
    tables.leases,
    tables.ratings,
    tables.tombstones,
    tables.exclusions,
    tables.diagnoses,
)


def rows_of(connection: Connection, table: Table, study_id: str) -> Iterator[Row]:
    """Go through the rows of a table that belong to a study or that its rows refer to, by primary key."""
    query = select(table).where(_belongs(table, study_id)).order_by(*table.primary_key.columns)
    for row in connection.execute(query, execution_options={"yield_per": BATCH}).mappings():
        yield dict(row)


def in_batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Go through items by the batch."""
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _belongs(table: Table, study_id: str) -> ColumnElement[bool]:
    one = tables.studies.c.id == study_id
    made = select(tables.options.c.output_id).where(tables.options.c.study_id == study_id)
    owners: dict[str, tuple[str, Any]] = {
        "studies": ("id", [study_id]),
        "projects": ("id", select(tables.studies.c.project_id).where(one)),
        "prompts": ("key", select(tables.studies.c.prompt_key).where(one)),
        "prompt_versions": ("prompt_key", select(tables.studies.c.prompt_key).where(one)),
        "prompt_pointers": ("prompt_key", select(tables.studies.c.prompt_key).where(one)),
        "users": ("id", _people(study_id)),
        "rating_tombstones": ("rater_id", _people(study_id)),
        "outputs": ("id", made),
    }
    column, values = owners.get(table.name, ("study_id", [study_id]))
    return table.c[column].in_(values)


def _people(study_id: str) -> Any:
    places = (
        (tables.leases, tables.leases.c.rater_id),
        (tables.exclusions, tables.exclusions.c.rater_id),
        (tables.ratings, tables.ratings.c.judge_id),
        (tables.experiments, tables.experiments.c.held_for),
        (tables.inputs, tables.inputs.c.added_by),
    )
    return union(*(select(who).where(table.c.study_id == study_id, who.is_not(None)) for table, who in places))


def to_line(table: Table, row: Mapping[str, Any]) -> bytes:
    """Return a row as one line of JSON."""
    return line_model(table).model_construct(**row).model_dump_json().encode() + b"\n"


def from_line(table: Table, line: bytes) -> Row:
    """Return the row of a line, or raise ValueError where it is not what the table's columns hold."""
    row = line_model(table).model_validate_json(line)
    return {column.name: getattr(row, column.name) for column in table.columns}


@cache
def line_model(table: Table) -> type[BaseModel]:
    """Return the form of a line: every column of the table, and nothing else."""
    form = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)
    fields: dict[str, Any] = {column.name: (_kind(column), ...) for column in table.columns}
    return create_model(table.name, __config__=form, **fields)


def _kind(column: Column[Any]) -> Any:
    kind = _kind_of_type(column)
    return kind | None if column.nullable else kind


def _kind_of_type(column: Column[Any]) -> Any:
    if isinstance(column.type, Typed):
        return column.type.kind
    if isinstance(column.type, Utc):
        return AwareDatetime
    if isinstance(column.type, String):
        return Annotated[str, Field(max_length=column.type.length, pattern="^[^\0]*$")]
    if isinstance(column.type, Boolean):
        return bool
    if isinstance(column.type, Float):
        return float
    return Annotated[int, Field(ge=-_INT32, lt=_INT32)]
