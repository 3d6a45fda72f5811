"""Routes of jobs for admins: list them by state, and retry what was set aside."""

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from web.domain.job import Job, JobState
from web.http.edge.session import Admin, context
from web.services.operations import views
from web.services.operations.jobs import retry_job

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])

_JOBS = TypeAdapter(tuple[Job, ...])
MOST = 500


@router.get("", responses={200: {"model": tuple[Job, ...]}})
def jobs(request: Request, admin: Admin, state: JobState = "parked") -> Response:
    """Return the project's jobs in a state: parked ones newest first, others by when they are due."""
    found = views.jobs(context(request).parts, admin, (state,), MOST).by_state[state]
    return Response(_JOBS.dump_json(found), media_type="application/json")


@router.post("/{job_id}/retry", status_code=204)
def retry(request: Request, admin: Admin, job_id: str) -> Response:
    """Let a parked job try again."""
    retry_job(context(request).parts, admin, job_id)
    return Response(status_code=204)
