"""The page of the audit: who did what to what and when, and whether the chain of it holds."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from web.domain.audit.audit import signature
from web.domain.audit.trail import KINDS, EventFilter, actions, place
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.http.wire.openapi import query_of
from web.services.audit.chain import NEWEST
from web.services.audit.views import trail

router = APIRouter(tags=["audit page"])

ROWS = 50


@router.get("/admin/audit", openapi_extra=query_of(EventFilter))
def audit(request: Request, admin: Admin, after: str = "", check: str = "") -> Response:
    """Show events, newest first, with a form that filters them; `check=all` looks at the whole chain."""
    here = context(request)
    wanted = EventFilter.read(request.query_params)
    found = trail(here.parts, admin, wanted, place(after), ROWS, None if check == "all" else NEWEST)
    chain = found.chain
    return page(
        request,
        "audit.html",
        actor=admin,
        active="audit",
        found=found.events,
        wanted=wanted,
        query=urlencode(wanted.query()),
        first=not after,
        chain=chain,
        kept=f"{chain.head}:{signature(here.key, chain.project_id, chain.head)}",
        actors=found.actors,
        actions=actions(),
        kinds=KINDS,
    )
