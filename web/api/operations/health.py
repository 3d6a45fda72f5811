"""Routes for who operates the server: is it alive, can it work, what did it do."""

import tempfile
from ipaddress import ip_address

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from ml_service.errors import Forbidden, Unavailable
from web.http.edge.metrics import Metrics
from web.http.edge.session import Visitor, context
from web.http.wire.openapi import content
from web.services.operations import views

router = APIRouter(tags=["operations"])
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@router.get("/health/ready")
def ready(request: Request) -> dict[str, str]:
    """Say that the database answers and takes changes, and that images can be written; 503 says what is away."""
    here = context(request)
    views.answers(here.parts)
    try:
        with tempfile.TemporaryFile(dir=here.settings.data_dir) as probe:
            probe.write(b"ready")
    except OSError as error:
        raise Unavailable(f"DATA_DIR cannot be written: {error.strerror}.") from error
    return {"status": "ok", "database": "ok", "data_dir": "ok"}


@router.get("/metrics", response_class=Response, responses={200: content("text/plain")})
def metrics(request: Request, visitor: Visitor) -> Response:
    """Show the numbers of this process and of the database to this machine and to admins."""
    if not _is_local(request) and (visitor is None or visitor.role != "admin"):
        raise Forbidden("Metrics are for this machine and for admins.")
    numbers: Metrics = request.app.state.metrics
    return Response(numbers.text(), media_type=CONTENT_TYPE_LATEST)


def _is_local(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
