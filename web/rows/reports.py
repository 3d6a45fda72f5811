"""Reports: questions of many tables that change nothing."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, Protocol

from web.domain.audit.audit import Event
from web.domain.audit.trail import EventFilter, EventLine
from web.domain.job import Job, JobState
from web.domain.rating.standing import RatersReport
from web.domain.rating.work import Given
from web.domain.reports.history import Choices, Cursor, Entry, Filter, OwnEntry, Page
from web.domain.reports.report import ExperimentDetail, InputLine, Needed, OwnReport, StudyLine, StudyReport
from web.domain.reports.tables import Column, Kind, Row, TableName
from web.domain.studies.photos import PhotoChoices, PhotoCounts, PhotoFilter, PhotoLine
from web.domain.studies.study import Study


class Reports(Protocol):
    """What many tables tell together; a rater's answers hold only their own rows, and a project bounds every list."""

    def change(self, study_id: str) -> str:
        """Return an opaque text that is another one whenever something of a study has changed."""
        ...

    def study(self, study: Study, now: datetime, today: datetime, zone: str = "UTC") -> StudyReport:
        """Return all that the status of a study shows to admins; `today` is when the day of who asks began, there."""
        ...

    def raters(self, study: Study) -> RatersReport:
        """Return what the raters of a study are like, how far they agree, and which items they like best."""
        ...

    def given(self, study_id: str) -> tuple[Given, ...]:
        """Return the standing scores that people gave in a study, oldest first."""
        ...

    def own(self, study: Study, rater_id: str, today: datetime, zone: str = "UTC") -> OwnReport:
        """Return a rater's own numbers of a study; `today` is when their day began, where they are."""
        ...

    def entries(
        self, project_id: str, wanted: Filter, after: Cursor | None, limit: int, zone: str = "UTC"
    ) -> Page[Entry]:
        """Return rows of a project's history, newest first; days are those of a time zone."""
        ...

    def own_entries(
        self, project_id: str, rater_id: str, wanted: Filter, after: Cursor | None, limit: int, zone: str = "UTC"
    ) -> Page[OwnEntry]:
        """Return a rater's own rows, newest first; days are those of a time zone."""
        ...

    def choices(self, project_id: str) -> Choices:
        """Return what the filters of a project's history offer."""
        ...

    def experiment(self, project_id: str, experiment_id: str) -> ExperimentDetail:
        """Return one experiment whole, or raise NotFound."""
        ...

    def studies(self, project_id: str) -> tuple[StudyLine, ...]:
        """Return the studies of a project, newest first, archived ones last."""
        ...

    def inputs(self, study_id: str, after: str, limit: int) -> Page[InputLine]:
        """Return present inputs of a study, newest first, from behind the one with an id."""
        ...

    def photos(self, study_id: str, wanted: PhotoFilter, after: str, limit: int, zone: str = "UTC") -> Page[PhotoLine]:
        """Return present photos, newest first, from behind the one with an id; days are those of a time zone."""
        ...

    def photo_lines(self, study_id: str, ids: tuple[str, ...]) -> tuple[PhotoLine, ...]:
        """Return those of some photos that are present in a study, newest first."""
        ...

    def photo_ids(
        self, study_id: str, wanted: PhotoFilter, until: str, after: str, limit: int, zone: str = "UTC"
    ) -> tuple[str, ...]:
        """Return ids of present photos that are wanted, oldest first, from behind one and up to another."""
        ...

    def photo_count(self, study_id: str, wanted: PhotoFilter, zone: str = "UTC") -> int:
        """Count the present photos that are wanted."""
        ...

    def photo_counts(self, study_id: str) -> PhotoCounts:
        """Count the present photos of a study, those that are rated, and those held out."""
        ...

    def photo_choices(self, study_id: str) -> PhotoChoices:
        """Return the strata of a study's present photos, and who brought them."""
        ...

    def jobs(self, project_id: str, state: JobState, limit: int) -> tuple[Job, ...]:
        """Return the jobs of a project's studies and of no study that are in a state."""
        ...

    def events(
        self, project_id: str, wanted: EventFilter, after: int | None, limit: int, zone: str = "UTC"
    ) -> Page[EventLine]:
        """Return events of a project's audit, newest first, from before the one of a number, by a time zone's days."""
        ...

    def chain(self, project_id: str, after: int, limit: int) -> tuple[Event, ...]:
        """Return events of a project by number, from behind one."""
        ...

    def actors(self, project_id: str) -> dict[str, str]:
        """Return who may have acted in a project: names by id."""
        ...

    def needed(self, kind: Literal["input", "output"], after: str, limit: int) -> tuple[Needed, ...]:
        """Return the objects that present inputs, or outputs made of such, need, by the row's id, from behind one."""
        ...

    def table_rows(self, table: TableName, study_id: str, parameters: Sequence[Column]) -> Iterator[list[Row]]:
        """Go through a study's rows of a table for analysis, some at a time; parameters asked for stand last."""
        ...

    def parameter_values(self, study_id: str) -> tuple[tuple[str, Kind], ...]:
        """Return the parameters that options of a study have, each with every kind of value that it has there."""
        ...


class ReportRows(Protocol):
    """The reports of one transaction, all of them as of its moment."""

    @property
    def of_reports(self) -> Reports:
        """What many tables tell together."""
        ...
