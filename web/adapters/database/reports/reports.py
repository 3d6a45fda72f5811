"""The reports of one connection, and what is remembered of the dearest of them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from web.adapters.database.reports import audit, history, lists, photos, status, tables
from web.adapters.database.reports.experiment import detail
from web.adapters.database.reports.raters import given_scores, raters_report
from web.domain.rating.standing import OwnStanding, RatersReport
from web.domain.reports.report import OwnReport, StudyReport
from web.domain.studies.study import Study

ACTIVE = timedelta(minutes=15)
REPORTS: Mapping[str, Callable[..., Any]] = {
    "change": status.change,
    "given": given_scores,
    "entries": history.entries,
    "own_entries": history.own_entries,
    "choices": lists.choices,
    "experiment": detail,
    "studies": lists.study_lines,
    "inputs": lists.input_lines,
    "photos": photos.photos,
    "photo_lines": photos.photo_lines,
    "photo_ids": photos.photo_ids,
    "photo_count": photos.photo_count,
    "photo_counts": photos.photo_counts,
    "photo_choices": photos.photo_choices,
    "jobs": lists.jobs_of,
    "needed": lists.needed,
    "table_rows": tables.table_rows,
    "parameter_values": tables.parameter_values,
    "events": audit.lines,
    "chain": audit.chain,
    "actors": audit.actors,
}


class ReportQueries:
    """What many tables tell together; `known` holds what was told last of the raters of each study."""

    def __init__(self, connection: Connection, known: dict[str, RatersReport]) -> None:
        self.connection, self.known = connection, known

    def __getattr__(self, name: str) -> Any:
        if name not in REPORTS:
            raise AttributeError(f"{name} is no report")
        return partial(REPORTS[name], self.connection)

    def study(self, study: Study, now: datetime, today: datetime, zone: str = "UTC") -> StudyReport:
        """Return all that the status of a study shows to admins."""
        return status.study_report(self.connection, study, now - ACTIVE, today, zone)

    def raters(self, study: Study) -> RatersReport:
        """Return what the raters of a study are like; what was computed last is told again while nothing changes."""
        now, known = status.change(self.connection, study.id), self.known.get(study.id)
        if known is None or known.change != now:
            known = self.known[study.id] = raters_report(self.connection, study)
        return replace(known, study=study.name)

    def own(self, study: Study, rater_id: str, today: datetime, zone: str = "UTC") -> OwnReport:
        """Return a rater's own numbers of a study."""
        found = next((one for one in self.raters(study).raters if one.rater_id == rater_id), None)
        own = status.own_report(self.connection, study, rater_id, today, zone)
        return replace(own, standing=OwnStanding.of(found))
