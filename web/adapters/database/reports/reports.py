"""Read-only reports: each answers from one reading transaction, and a rater's answers hold only their own rows."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from web.adapters.database.reports import audit, history, status
from web.adapters.database.reports.experiment import detail
from web.adapters.database.reports.lists import (
    choices,
    input_lines,
    jobs_of,
    needed_inputs,
    needed_outputs,
    study_lines,
)
from web.adapters.database.reports.raters import given_scores, raters_report
from web.adapters.database.store import SqlStore
from web.domain.audit.audit import Event
from web.domain.audit.trail import EventFilter, EventLine
from web.domain.job import Job, JobState
from web.domain.rating.standing import OwnStanding, RatersReport
from web.domain.rating.work import Given
from web.domain.reports.history import Choices, Cursor, Entry, Filter, OwnEntry, Page
from web.domain.reports.report import (
    ExperimentDetail,
    InputLine,
    Needed,
    OwnReport,
    StudyLine,
    StudyReport,
)
from web.domain.studies.study import Study

ACTIVE = timedelta(minutes=15)
BATCH = 2000


class SqlReports:
    """Reports over a store; callers have asked whether the actor may see a study, a project bounds every list."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self._raters: dict[str, RatersReport] = {}

    def change(self, study_id: str) -> str:
        """Return an opaque text that is another one whenever something of a study has changed."""
        with self.store.read() as tx:
            return status.change(tx.connection, study_id)

    def study(self, study: Study, now: datetime, today: datetime) -> StudyReport:
        """Return all that the status of a study shows to admins; `today` is when the day of who asks began."""
        with self.store.read() as tx:
            return status.study_report(tx.connection, study, now - ACTIVE, today)

    def raters(self, study: Study) -> RatersReport:
        """Return what the raters of a study are like; what was computed last is told again while nothing changes."""
        with self.store.read() as tx:
            now, known = status.change(tx.connection, study.id), self._raters.get(study.id)
            if known is None or known.change != now:
                known = self._raters[study.id] = raters_report(tx.connection, study)
            return replace(known, study=study.name)

    def given(self, study: Study) -> tuple[Given, ...]:
        """Return the standing scores that people gave in a study, oldest first."""
        with self.store.read() as tx:
            return given_scores(tx.connection, study.id)

    def own(self, study: Study, rater_id: str, today: datetime) -> OwnReport:
        """Return a rater's own numbers of a study; `today` is when their day began."""
        with self.store.read() as tx:
            own = status.own_report(tx.connection, study, rater_id, today)
        found = next((one for one in self.raters(study).raters if one.rater_id == rater_id), None)
        return replace(own, standing=OwnStanding.of(found))

    def entries(self, project_id: str, wanted: Filter, after: Cursor | None, limit: int) -> Page[Entry]:
        """Return rows of a project's history, newest first."""
        with self.store.read() as tx:
            return history.entries(tx.connection, project_id, wanted, after, limit)

    def own_entries(
        self, project_id: str, rater_id: str, wanted: Filter, after: Cursor | None, limit: int
    ) -> Page[OwnEntry]:
        """Return a rater's own rows, newest first; what made the images is neither shown nor asked for."""
        with self.store.read() as tx:
            return history.own_entries(tx.connection, project_id, rater_id, wanted, after, limit)

    def every_entry(self, project_id: str, wanted: Filter) -> Iterator[Entry]:
        """Go through a whole history, newest first, one batch in memory and one short transaction at a time."""
        after: Cursor | None = None
        while True:
            page = self.entries(project_id, wanted, after, BATCH)
            yield from page.rows
            if not page.after:
                return
            after = Cursor.read(page.after)

    def every_own_entry(self, project_id: str, rater_id: str, wanted: Filter) -> Iterator[OwnEntry]:
        """Go through a rater's own history as `every_entry` does."""
        after: Cursor | None = None
        while True:
            page = self.own_entries(project_id, rater_id, wanted, after, BATCH)
            yield from page.rows
            if not page.after:
                return
            after = Cursor.read(page.after)

    def choices(self, project_id: str) -> Choices:
        """Return what the filters of a project's history offer."""
        with self.store.read() as tx:
            return choices(tx.connection, project_id)

    def experiment(self, project_id: str, experiment_id: str) -> ExperimentDetail:
        """Return one experiment whole, or raise NotFound where this project has none such."""
        with self.store.read() as tx:
            return detail(tx.connection, project_id, experiment_id)

    def studies(self, project_id: str) -> tuple[StudyLine, ...]:
        """Return the studies of a project, newest first, archived ones last."""
        with self.store.read() as tx:
            return study_lines(tx.connection, project_id)

    def inputs(self, study_id: str) -> tuple[InputLine, ...]:
        """Return the present inputs of a study, newest first."""
        with self.store.read() as tx:
            return input_lines(tx.connection, study_id)

    def jobs(self, project_id: str, state: JobState, limit: int) -> tuple[Job, ...]:
        """Return a project's jobs in a state, and those of no project: parked ones newest first, others by due time."""
        with self.store.read() as tx:
            return jobs_of(tx.connection, project_id, state, limit)

    def events(self, project_id: str, wanted: EventFilter, after: int | None, limit: int) -> Page[EventLine]:
        """Return events of a project's audit, newest first, from before the one of a number."""
        with self.store.read() as tx:
            return audit.lines(tx.connection, project_id, wanted, after, limit)

    def every_event(self, project_id: str, wanted: EventFilter) -> Iterator[EventLine]:
        """Go through a project's audit, newest first, one batch in memory and one short transaction at a time."""
        after: int | None = None
        while True:
            page = self.events(project_id, wanted, after, BATCH)
            yield from page.rows
            if not page.after:
                return
            after = int(page.after)

    def chain(self, project_id: str, after: int = 0) -> Iterator[Event]:
        """Go through a project's events by number, from behind one, as `every_event` does."""
        while True:
            with self.store.read() as tx:
                some = audit.chain(tx.connection, project_id, after, BATCH)
            if not some:
                return
            yield from some
            after = some[-1].number

    def actors(self, project_id: str) -> dict[str, str]:
        """Return who may have acted in a project: names by id."""
        with self.store.read() as tx:
            return audit.actors(tx.connection, project_id)

    def needed_objects(self) -> Iterator[Needed]:
        """Go through the objects that present inputs and what was made of them need."""
        for list_some in (needed_inputs, needed_outputs):
            after = ""
            while True:
                with self.store.read() as tx:
                    some = list_some(tx.connection, after, BATCH)
                if not some:
                    break
                yield from some
                after = some[-1].id
