"""Jobs that were set aside, as admins see to them."""

from ml_service.errors import Conflict, NotFound
from web.domain.access import Actor
from web.ports.parts import Books
from web.services.accounts import rights
from web.services.audit.record import record


def retry_job(parts: Books, actor: Actor, job_id: str) -> None:
    """Let a parked job try again."""
    with parts.store.begin() as tx:
        job = tx.jobs.get(job_id)
        project = tx.studies.get(job.study_id).project_id if job.study_id else actor.project_id
        if project != actor.project_id:
            raise NotFound(f"There is no job {job_id}.")
        rights.demand(actor, "steer")
        now = parts.clock.now()
        if not tx.of_jobs.revive(job_id, now):
            raise Conflict("This job is not parked any more; look at the list again.")
        record(tx, now, actor, "job.retried", ("job", job_id), details={"task": job.task})
