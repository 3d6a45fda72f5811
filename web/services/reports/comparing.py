"""Two studies side by side, each as its status shows it, as of one moment."""

from dataclasses import dataclass

from web.domain.access import Actor
from web.domain.day import midnight
from web.domain.reports.report import StudyReport
from web.domain.studies.study import Study
from web.ports.parts import Parts
from web.rows.transaction import Transaction
from web.services.accounts import rights


@dataclass(frozen=True)
class Compared:
    """Two studies of a project, None where none was chosen yet, and the studies to choose from."""

    first: StudyReport | None
    second: StudyReport | None
    studies: tuple[Study, ...]


def compared(parts: Parts, admin: Actor, first: str, second: str) -> Compared:
    """Return two studies side by side; "" chooses none."""
    rights.demand(admin, "see_all")
    with parts.store.snapshot() as tx:
        one, other = (_report(tx, parts, admin, study_id) for study_id in (first, second))
        return Compared(one, other, tx.studies.all(project_id=admin.project_id))


def _report(tx: Transaction, parts: Parts, admin: Actor, study_id: str) -> StudyReport | None:
    if not study_id:
        return None
    study, now = rights.found(tx.studies, admin, "see_all", "study", study_id), parts.clock.now()
    return tx.of_reports.study(study, now, midnight(now, admin.time_zone), admin.time_zone)
