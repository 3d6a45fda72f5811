"""What an archive holds: which rows of which tables, each as one line of JSON."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model
from sqlalchemy import Boolean, Column, ColumnElement, Connection, Float, Select, String, Table, select, union

from web.adapters.database import tables
from web.adapters.database.columns import Typed, Utc

T = TypeVar("T")
Row = dict[str, Any]
Kind = Literal["study", "project"]
FORMAT = 2
BATCH = 500
_INT32 = 2**31

# Each table stands after those that it refers to.
_PROJECT: tuple[Table, ...] = (
    tables.projects,
    tables.users,
    tables.passwords,
    tables.memberships,
    tables.api_keys,
    tables.prompts,
    tables.prompt_versions,
    tables.prompt_pointers,
    tables.feedback,
    tables.studies,
    tables.panels,
    tables.panel_members,
    tables.assignments,
    tables.inputs,
    tables.outputs,
    tables.experiments,
    tables.options,
    tables.leases,
    tables.ratings,
    tables.tombstones,
    tables.exclusions,
    tables.enrolments,
    tables.gold_items,
    tables.diagnoses,
    tables.ab_tests,
    tables.ab_pairs,
    tables.evolution_rounds,
    tables.audit_events,
)
# A study says nothing of who may do what in the project, nor of what happened in it.
_NOT_OF_A_STUDY = {
    tables.passwords,
    tables.memberships,
    tables.api_keys,
    tables.feedback,
    tables.panels,
    tables.panel_members,
    tables.assignments,
    tables.audit_events,
}
TABLES: Mapping[Kind, tuple[Table, ...]] = {
    "study": tuple(table for table in _PROJECT if table not in _NOT_OF_A_STUDY),
    "project": _PROJECT,
}
# Ways in that are open now, and work that is made anew, belong to a place and not to what is moved from it.
# Calls of text models are the bill of a place, and their answers a memory that may be lost. So are photos that were on
# their way in, changes of many that were under way, and filters that somebody kept.
LEFT_BEHIND = frozenset(
    {
        tables.sessions,
        tables.links,
        tables.attempts,
        tables.jobs,
        tables.ordinal_checks,
        tables.completions,
        tables.batches,
        tables.batch_items,
        tables.sweeps,
        tables.saved_filters,
    }
)


@dataclass(frozen=True)
class Extent:
    """What of a database an archive holds: one study, or one project."""

    kind: Kind
    id: str

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables whose rows it takes, each after those that it refers to."""
        return TABLES[self.kind]

    def studies(self) -> Select[Any]:
        """Return the query for the ids of its studies."""
        here = tables.studies.c
        return select(here.id).where((here.id if self.kind == "study" else here.project_id) == self.id)


def rows_of(connection: Connection, table: Table, extent: Extent) -> Iterator[Row]:
    """Go through the rows of a table that an extent holds or that its rows refer to, by primary key."""
    query = select(table).where(_belongs(table, extent)).order_by(*_in_order(connection, table))
    for row in connection.execute(query, execution_options={"yield_per": BATCH}).mappings():
        yield dict(row)


def in_batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Go through items by the batch."""
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _in_order(connection: Connection, table: Table) -> list[Any]:
    """Order by primary key, byte by byte: another language of the database must not make another file."""
    columns: list[Any] = list(table.primary_key.columns)
    return [column.collate("C") for column in columns] if connection.dialect.name == "postgresql" else columns


def _belongs(table: Table, extent: Extent) -> ColumnElement[bool]:
    studies, people = extent.studies(), _people(extent)
    projects: Any = [extent.id]
    prompts = select(tables.prompts.c.key).where(tables.prompts.c.project_id == extent.id)
    if extent.kind == "study":
        projects = select(tables.studies.c.project_id).where(tables.studies.c.id == extent.id)
        prompts = select(tables.studies.c.prompt_key).where(tables.studies.c.id == extent.id)
    owners: dict[str, tuple[str, Any]] = {
        "studies": ("id", studies),
        "projects": ("id", projects),
        "prompts": ("key", prompts),
        "prompt_versions": ("prompt_key", prompts),
        "prompt_pointers": ("prompt_key", prompts),
        "users": ("id", people),
        "passwords": ("id", people),
        "rating_tombstones": ("rater_id", people),
        "ab_pairs": ("test_id", select(tables.ab_tests.c.id).where(tables.ab_tests.c.study_id.in_(studies))),
        "panel_members": ("panel_id", select(tables.panels.c.id).where(tables.panels.c.project_id == extent.id)),
        "outputs": ("id", select(tables.options.c.output_id).where(tables.options.c.study_id.in_(studies))),
    }
    by_default = ("study_id", studies) if "study_id" in table.c else ("project_id", projects)
    column, values = owners.get(table.name, by_default)
    return table.c[column].in_(values)


def _people(extent: Extent) -> Any:
    places = [
        (tables.leases, tables.leases.c.rater_id),
        (tables.exclusions, tables.exclusions.c.rater_id),
        (tables.enrolments, tables.enrolments.c.rater_id),
        (tables.ratings, tables.ratings.c.judge_id),
        (tables.experiments, tables.experiments.c.held_for),
        (tables.inputs, tables.inputs.c.added_by),
        (tables.ab_tests, tables.ab_tests.c.opened_by),
        (tables.ab_tests, tables.ab_tests.c.settled_by),
        (tables.evolution_rounds, tables.evolution_rounds.c.asked_by),
    ]
    named = [select(who).where(table.c.study_id.in_(extent.studies()), who.is_not(None)) for table, who in places]
    if extent.kind == "project":
        for table, who in ((tables.memberships, "user_id"), (tables.api_keys, "owner_id")):
            named.append(select(table.c[who]).where(table.c.project_id == extent.id, table.c[who].is_not(None)))
        chosen, members, panels = tables.assignments.c, tables.panel_members.c, tables.panels.c
        named.append(select(chosen.user_id).where(chosen.study_id.in_(extent.studies()), chosen.user_id.is_not(None)))
        there = select(panels.id).where(panels.project_id == extent.id)
        named.append(select(members.user_id).where(members.panel_id.in_(there)))
    return union(*named)


def to_line(table: Table, row: Mapping[str, Any]) -> bytes:
    """Return a row as one line of JSON."""
    return line_model(table).model_construct(**row).model_dump_json().encode() + b"\n"


def from_line(table: Table, line: bytes) -> Row:
    """Return the row of a line, or raise ValueError where it is not what the table's columns hold."""
    row = line_model(table).model_validate_json(line)
    return {name: getattr(row, name) for name in table.c.keys()}  # noqa: SIM118


@cache
def line_model(table: Table) -> type[BaseModel]:
    """Return the form of a line: every column of the table, and nothing else."""
    form = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)
    fields: dict[str, Any] = {column.name: (_kind(column), ...) for column in table.c}
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
