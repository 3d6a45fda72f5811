"""Routes of the status: the numbers as JSON, and the announcements of changes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from ml_service.errors import NotFound
from web.domain.access import Actor
from web.domain.day import midnight
from web.domain.reports.report import OwnReport, StudyReport
from web.domain.studies.study import Study
from web.http.edge.session import Rater, context
from web.http.wire.openapi import content
from web.ports.parts import Parts
from web.services.studies.experiments import study_to_rate

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
    parts = context(request).parts
    chosen = _study(parts, rater, study)
    now = parts.clock.now()
    with parts.store.read() as tx:
        today = midnight(now, tx.users.get(rater.user_id).time_zone)
    if rater.role == "admin":
        body = _REPORT.dump_json(parts.reports.study(chosen, now, today))
    else:
        body = _OWN.dump_json(parts.reports.own(chosen, rater.user_id, today))
    return Response(body, media_type="application/json")


@router.get("/api/train/events", response_class=StreamingResponse, responses={200: content("text/event-stream")})
async def events(request: Request, rater: Rater, study: str = "") -> StreamingResponse:
    """Announce, as server-sent events, that something of a study has changed; what it is, the status tells."""
    parts = context(request).parts
    chosen = await run_in_threadpool(_study, parts, rater, study)
    stream = changes(lambda: parts.reports.change(chosen.id))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def changes(look: Callable[[], str], pause: float = LOOK_SECONDS) -> AsyncIterator[str]:
    """Yield the change number at once and whenever it is another one; a comment now and then in between."""
    yield f"retry: {RETRY_MS}\n\n"
    told, quiet = "", 0
    for _ in range(LOOKS):
        change = await run_in_threadpool(look)
        quiet = 0 if change != told else quiet + 1
        if change != told:
            yield f"event: change\nid: {change}\ndata: {json.dumps({'change': change})}\n\n"
        elif quiet % BEAT == 0:
            yield ": alive\n\n"
        told = change
        await asyncio.sleep(pause)


def _study(parts: Parts, rater: Actor, study_id: str) -> Study:
    with parts.store.read() as tx:
        chosen = study_to_rate(tx, rater, study_id or None)
    if chosen is None:
        raise NotFound("There is no study yet; an admin makes one under Studies.")
    return chosen
