"""The page of jobs: what waits, what is being done, and what was set aside because it kept failing."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from web.domain.job import MAX_ATTEMPTS, JobState
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.services.operations import views
from web.services.operations.jobs import retry_job

router = APIRouter(prefix="/admin/jobs", tags=["jobs page"])

MOST = 50  # of each state that are listed
STATES: tuple[JobState, ...] = ("parked", "claimed", "waiting")


@router.get("")
def jobs(request: Request, admin: Admin) -> Response:
    """Show the jobs of the project by state."""
    seen = views.jobs(context(request).parts, admin, STATES, MOST)
    found = seen.by_state
    held_up = [job for state in ("claimed", "waiting") for job in found[state] if job.away]
    return page(
        request,
        "operations/jobs.html",
        actor=admin,
        active="jobs",
        jobs=found,
        names=seen.studies,
        away=sorted({job.away for job in held_up}),
        waiting=len(held_up),
        most=MOST,
        attempts=MAX_ATTEMPTS,
    )


@router.post("/{job_id}/retry")
def retry(request: Request, admin: Admin, job_id: str) -> Response:
    """Let a parked job try again."""
    retry_job(context(request).parts, admin, job_id)
    return RedirectResponse("/admin/jobs", 303)
