"""Tables for analysis: every row of a project or of one of its studies, all tables of one moment."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import get_args

from ml_service.errors import NotFound
from web.domain.access import Actor
from web.domain.reports import tables
from web.domain.reports.tables import Column, Kind, Row, TableName
from web.domain.studies.study import Study
from web.ports.parts import Parts
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.studies.views import study_named

NAMES: tuple[TableName, ...] = get_args(TableName)


@dataclass(frozen=True)
class Sheet:
    """A table with its columns, and its rows, which are read once and some at a time."""

    name: TableName
    columns: tuple[Column, ...]
    batches: Iterator[list[Row]]

    @property
    def rows(self) -> Iterator[Row]:
        """Return the rows, one after the other."""
        return (row for batch in self.batches for row in batch)


def table_named(name: str) -> TableName:
    """Return the table of a name, or raise NotFound."""
    for known in NAMES:
        if known == name:
            return known
    raise NotFound(f"There is no table {name}. There are: {', '.join(NAMES)}.")


@contextmanager
def sheets(parts: Parts, actor: Actor, wanted: str = "") -> Iterator[Callable[[TableName], Sheet]]:
    """Look at one moment of a project, or of the study of an id or a whole name, and return what gives its tables.

    The moment is held until the block is left, one table read to its end after the other.
    """
    rights.demand(actor, "export")
    with parts.store.snapshot() as tx, ExitStack() as opened:
        studies = tx.studies.all(project_id=actor.project_id)
        chosen = (study_named(parts.at(tx), actor, wanted),) if wanted else studies
        yield lambda name: _sheet(tx, name, chosen, opened)


def _sheet(tx: Transaction, name: TableName, studies: tuple[Study, ...], opened: ExitStack) -> Sheet:
    values = _values(tx, studies) if name in tables.WITH_PARAMETERS else ()
    columns = tables.columns(name, values)
    batches = _batches(tx, name, studies, columns[len(tables.TABLES[name]) :])
    opened.enter_context(closing(batches))  # a cursor that is left half-way must not outlive its connection
    return Sheet(name, columns, batches)


def _values(tx: Transaction, studies: tuple[Study, ...]) -> Iterator[tuple[str, Kind]]:
    """Go through the parameters that studies tune, and that their options have, which may be of an earlier space."""
    kinds: dict[str, Kind] = {"float": "real", "int": "whole", "category": "text"}
    for study in studies:
        for space in study.spaces.values():
            yield from ((name, kinds[each.kind]) for name, each in space.parameters.items())
        yield from tx.of_reports.parameter_values(study.id)


def _batches(
    tx: Transaction, name: TableName, studies: tuple[Study, ...], parameters: tuple[Column, ...]
) -> Generator[list[Row], None, None]:
    for study in studies:
        yield from tx.of_reports.table_rows(name, study.id, parameters)
