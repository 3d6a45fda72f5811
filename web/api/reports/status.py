"""Routes of the status: the numbers as JSON, and the announcements of changes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from threading import Event

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from ml_service.errors import Unavailable
from web.domain.reports.report import OwnReport, StudyReport
from web.http.edge.session import Rater, context
from web.http.wire.openapi import content
from web.services.reports import status as views

router = APIRouter(tags=["status"])

_REPORT = TypeAdapter(StudyReport)
_OWN = TypeAdapter(OwnReport)
LOOK_SECONDS = 1.0
BEAT = 15  # looks without a change until a comment shows that the line is alive
LOOKS = 600  # then the browser comes again by itself, with a session that is checked again
RETRY_MS = 2000


@router.get("/api/train/status", responses={200: {"model": StudyReport | OwnReport}})
def status(request: Request, rater: Rater, study: str = "") -> Response:
    """Return how a study stands: to admins all of it, to raters their own numbers."""
    found = views.numbers(context(request).parts, rater, study)
    body = _REPORT.dump_json(found) if isinstance(found, StudyReport) else _OWN.dump_json(found)
    return Response(body, media_type="application/json")


@router.get("/api/train/events", response_class=StreamingResponse, responses={200: content("text/event-stream")})
async def events(request: Request, rater: Rater, study: str = "") -> StreamingResponse:
    """Announce, as server-sent events, that something of a study has changed; what it is, the status tells."""
    here = context(request)
    chosen = await run_in_threadpool(views.watched, here.parts, rater, study)
    stream = changes(lambda: views.change(here.parts, chosen.id), here.ending)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def changes(look: Callable[[], str], ending: Event, pause: float = LOOK_SECONDS) -> AsyncIterator[str]:
    """Yield the change number at once and whenever it is another one; a comment now and then in between.

    It ends with the server, and while the database is away: the browser comes again.
    """
    yield f"retry: {RETRY_MS}\n\n"
    told, quiet = "", 0
    for _ in range(LOOKS):
        if ending.is_set():
            return
        try:
            change = await run_in_threadpool(look)
        except Unavailable:
            return
        quiet = 0 if change != told else quiet + 1
        if change != told:
            yield f"event: change\nid: {change}\ndata: {json.dumps({'change': change})}\n\n"
        elif quiet % BEAT == 0:
            yield ": alive\n\n"
        told = change
        await asyncio.sleep(pause)
