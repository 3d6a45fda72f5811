"""The history: rows that are asked for, and what its page offers to ask; raters have their own rows alone.

Days are those of whoever asks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from web.domain.access import Actor
from web.domain.reports.history import Choices, Cursor, Entry, Filter, OwnEntry, Page
from web.domain.reports.report import ExperimentDetail
from web.ports.parts import Books
from web.rows.reports import ReportRows
from web.services.studies.experiments import studies_to_see

BATCH = 2000
T = TypeVar("T")


@dataclass(frozen=True)
class History:
    """Rows of a history, newest first, and what its filters offer."""

    choices: Choices
    rows: Page[Entry] | Page[OwnEntry]


def history(parts: Books, actor: Actor, wanted: Filter, after: Cursor | None, limit: int) -> History:
    """Return rows of a project's history for admins, and for raters their own, with what can be filtered."""
    with parts.store.snapshot() as tx:
        choices = tx.of_reports.choices(actor.project_id)
        if actor.role != "admin":
            choices = choices.among({one.id for one in studies_to_see(tx, actor)})
        rows = _entries if actor.role == "admin" else _own_entries
        return History(choices, rows(tx, actor, wanted, after, limit))


def entries(parts: Books, admin: Actor, wanted: Filter, after: Cursor | None, limit: int) -> Page[Entry]:
    """Return rows of a project's history, newest first."""
    with parts.store.read() as tx:
        return _entries(tx, admin, wanted, after, limit)


def own_entries(parts: Books, rater: Actor, wanted: Filter, after: Cursor | None, limit: int) -> Page[OwnEntry]:
    """Return a rater's own rows, newest first; what made the images is neither shown nor asked for."""
    with parts.store.read() as tx:
        return _own_entries(tx, rater, wanted, after, limit)


def every_entry(parts: Books, admin: Actor, wanted: Filter) -> Iterator[Entry]:
    """Go through a whole history, newest first, one batch in memory and one short transaction at a time."""
    return _every(lambda after: entries(parts, admin, wanted, after, BATCH))


def every_own_entry(parts: Books, rater: Actor, wanted: Filter) -> Iterator[OwnEntry]:
    """Go through a rater's own history as `every_entry` does."""
    return _every(lambda after: own_entries(parts, rater, wanted, after, BATCH))


def experiment(parts: Books, admin: Actor, experiment_id: str) -> ExperimentDetail:
    """Return one experiment whole, or raise NotFound where this project has none such."""
    with parts.store.snapshot() as tx:
        return tx.of_reports.experiment(admin.project_id, experiment_id)


def _entries(tx: ReportRows, admin: Actor, wanted: Filter, after: Cursor | None, limit: int) -> Page[Entry]:
    return tx.of_reports.entries(admin.project_id, wanted, after, limit, admin.time_zone)


def _own_entries(tx: ReportRows, rater: Actor, wanted: Filter, after: Cursor | None, limit: int) -> Page[OwnEntry]:
    return tx.of_reports.own_entries(rater.project_id, rater.user_id, wanted, after, limit, rater.time_zone)


def _every(look: Callable[[Cursor | None], Page[T]]) -> Iterator[T]:
    after: Cursor | None = None
    while True:
        page = look(after)
        yield from page.rows
        if not page.after:
            return
        after = Cursor.read(page.after)
