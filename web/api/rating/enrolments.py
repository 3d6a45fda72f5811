"""REST of raters in studies, for admins: write, pause, calibrate again, answer appeals, and what they have worked."""

from datetime import date
from operator import attrgetter
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from web.domain.rating.enrolment import Enrolment
from web.domain.rating.pay import PayLine
from web.http.edge.session import Admin, context
from web.http.serving.export import csv_download
from web.http.wire.openapi import content
from web.services.rating import enrolment
from web.services.rating.pay import pay, period

router = APIRouter(prefix="/api/v1", tags=["raters"])

_PLACE = TypeAdapter(Enrolment)
_PLACES = TypeAdapter(tuple[Enrolment, ...])
_PAY = TypeAdapter(tuple[PayLine, ...])
COLUMNS = ("rater", "rater_id", "ratings", "skips", "samples", "visible_hours")

First = Annotated[date | None, Query(alias="from", description="The first day; this month's first by default.")]
Last = Annotated[date | None, Query(alias="to", description="The last day; today by default.")]
Zone = Annotated[
    str | None,
    Query(max_length=64, description="The time zone whose midnights part days; by default that of who asks."),
]


class WordsIn(BaseModel):
    """Words that the rater reads."""

    model_config = ConfigDict(extra="forbid")

    words: Annotated[str, Field(max_length=2 * enrolment.MOST_WORDS)]


@router.get("/studies/{study_id}/raters", responses={200: {"model": tuple[Enrolment, ...]}})
def enrolments(request: Request, admin: Admin, study_id: str) -> Response:
    """Return the places that raters have taken in a study."""
    return _json(_PLACES, enrolment.enrolments(context(request).parts, admin, study_id))


@router.post("/studies/{study_id}/raters/{user_id}/pause", responses={200: {"model": Enrolment}})
def pause(request: Request, admin: Admin, study_id: str, user_id: str, given: WordsIn) -> Response:
    """Give a rater no more items for now; they keep their place, and read why."""
    return _json(_PLACE, enrolment.pause(context(request).parts, admin, study_id, user_id, given.words))


@router.post("/studies/{study_id}/raters/{user_id}/resume", responses={200: {"model": Enrolment}})
def resume(request: Request, admin: Admin, study_id: str, user_id: str) -> Response:
    """Let a paused rater go on."""
    return _json(_PLACE, enrolment.resume(context(request).parts, admin, study_id, user_id))


@router.post("/studies/{study_id}/raters/{user_id}/recalibrate", responses={200: {"model": Enrolment}})
def recalibrate(request: Request, admin: Admin, study_id: str, user_id: str) -> Response:
    """Ask a rater for the calibration again."""
    return _json(_PLACE, enrolment.recalibrate(context(request).parts, admin, study_id, user_id))


@router.post("/studies/{study_id}/raters/{user_id}/answer", responses={200: {"model": Enrolment}})
def answer(request: Request, admin: Admin, study_id: str, user_id: str, given: WordsIn) -> Response:
    """Answer a rater's appeal."""
    return _json(_PLACE, enrolment.answer(context(request).parts, admin, study_id, user_id, given.words))


@router.post("/studies/{study_id}/raters/{user_id}/message", responses={200: {"model": Enrolment}})
def message(request: Request, admin: Admin, study_id: str, user_id: str, given: WordsIn) -> Response:
    """Write to a rater, who sees it until they have read it; the same words again change nothing."""
    return _json(_PLACE, enrolment.message(context(request).parts, admin, study_id, user_id, given.words))


@router.get("/pay.json", responses={200: {"model": tuple[PayLine, ...]}})
def pay_json(request: Request, admin: Admin, first: First = None, last: Last = None, zone: Zone = None) -> Response:
    """Return what each rater has worked in a period: ratings, skips, samples, and hours of visible, active work."""
    parts = context(request).parts
    return _json(_PAY, pay(parts, admin, period(parts, admin, first, last, zone)))


@router.get("/pay.csv", response_class=StreamingResponse, responses={200: content("text/csv")})
def pay_csv(
    request: Request, admin: Admin, first: First = None, last: Last = None, zone: Zone = None
) -> StreamingResponse:
    """Return the same as CSV, for a spreadsheet."""
    parts = context(request).parts
    wanted = period(parts, admin, first, last, zone)
    return csv_download(f"palate-pay-{wanted}.csv", COLUMNS, map(attrgetter(*COLUMNS), pay(parts, admin, wanted)))


def _json(adapter: TypeAdapter[Any], value: object) -> Response:
    return Response(adapter.dump_json(value), media_type="application/json")
