"""What is done once a night: look whether scores keep their order where stars are an order only."""

from datetime import datetime, timedelta

from web.domain.ids import new_id
from web.domain.job import Job
from web.domain.rating.numbers.probit import check_order
from web.ports import Parts

HOUR = 2  # of the night in UTC, when a fit of seconds is in nobody's way


def compare_job(study_id: str, now: datetime) -> Job:
    """Return the job that checks a study's order, due next night; only one waits at a time."""
    tonight = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    due = tonight if now < tonight else tonight + timedelta(days=1)
    return Job(new_id(), f"compare:{study_id}", "compare", {"study": study_id}, now, due, study_id=study_id)


def compare(parts: Parts, study_id: str) -> None:
    """Check the order of a study's items, and keep what was found in place of what was found before."""
    with parts.store.read() as tx:
        study = tx.studies.get(study_id)
    found = check_order(study_id, parts.reports.given(study), parts.clock.now())
    with parts.store.begin() as tx:
        tx.ordinal_checks.remove(study_id=study_id)
        if found is not None:
            tx.ordinal_checks.add(found)
