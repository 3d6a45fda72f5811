"""Routes of the rating page: lease, rate, undo, upload, and the images under a lease."""

import asyncio
import time
from functools import partial
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from ml_service.errors import InvalidRequest
from web.api.rating.train_schemas import (
    RateIn,
    RateOut,
    Tab,
    TurnOut,
    UndoneOut,
    UploadOut,
    parse_answer,
    rated_out,
    turn_out,
    upload_out,
)
from web.domain.ids import is_id
from web.domain.rating.rating import Answer
from web.http.answers.images import IMAGE, image_response
from web.http.edge.session import Rater, context
from web.services.rating import enrolment, training, uploads, views

router = APIRouter(tags=["rating"])
MOST_LEASES = 60
MOST_UPLOAD_BYTES = 32 * 1024 * 1024
PATIENCE_SECONDS = 4.0
POLL_SECONDS = 0.1


@router.get("/api/train/next", responses={200: {"model": TurnOut}})
def next_items(
    request: Request,
    rater: Rater,
    n: Annotated[int, Query(ge=1, le=MOST_LEASES)] = 4,
    study: str | None = None,
    tab: Tab = "",
) -> Response:
    """Lease the next experiments; asking again returns what is held and renews it."""
    here = context(request)
    turn = training.next_items(here.parts, rater, tab, n, study)
    free = turn.study is not None and uploads.may_upload(turn.study, rater)
    return _json(turn_out(turn, enrolment.onboarding(here.parts, turn), here.urls, uploads=free))


@router.post("/api/train/rate", responses={200: {"model": RateOut}})
def rate(request: Request, rater: Rater, batch: RateIn) -> Response:
    """Store a batch of answers; each gets its own verdict, in order, and may be sent again."""
    parsed = [parse_answer(raw) for raw in batch.answers]
    answers = [item for item in parsed if isinstance(item, Answer)]
    stored, progress = training.rate(context(request).parts, rater, answers)
    verdicts = iter(stored)
    return _json(rated_out([next(verdicts) if isinstance(item, Answer) else item for item in parsed], progress))


@router.delete("/api/train/rate/{rating_id}", responses={200: {"model": UndoneOut}})
def undo(request: Request, rater: Rater, rating_id: str) -> Response:
    """Take an answer back for good, also one that has not arrived yet."""
    if not is_id(rating_id):
        raise InvalidRequest("The id of a rating is a UUID.")
    progress = training.undo(context(request).parts, rater, rating_id)
    return _json(UndoneOut.model_validate({"id": rating_id, "progress": progress.__dict__}))


@router.post(
    "/api/enhance/train",
    max_body_size=MOST_UPLOAD_BYTES,
    responses={200: {"model": UploadOut}, 202: {"model": UploadOut}},
)
async def upload(
    request: Request,
    rater: Rater,
    file: Annotated[UploadFile | None, File()] = None,
    input_id: Annotated[str | None, Form()] = None,
    study_id: Annotated[str | None, Form()] = None,
    tab: Tab = "",
) -> Response:
    """Make options of an image for the one who brings it; 202 and a place to watch where that takes longer."""
    here = context(request)
    body = None if file is None else await file.read()
    name = (file.filename or "") if file else ""
    take = partial(uploads.upload_to_rate, name=name, body=body, input_id=input_id, study_id=study_id)
    made = await run_in_threadpool(take, here.parts, rater, tab)
    until = time.monotonic() + PATIENCE_SECONDS
    while made.state in ("planned", "generating") and time.monotonic() < until and not here.ending.is_set():
        await asyncio.sleep(POLL_SECONDS)
        made = await run_in_threadpool(uploads.watch_upload, here.parts, rater, made.experiment_id)
    out = upload_out(made, here.urls)
    return _json(out, status=202 if out.state == "generating" else 200)


@router.get("/api/enhance/train/{experiment_id}", responses={200: {"model": UploadOut}})
def watch(request: Request, rater: Rater, experiment_id: str) -> Response:
    """Tell how far an upload has come; watching keeps its lease."""
    here = context(request)
    return _json(upload_out(uploads.watch_upload(here.parts, rater, experiment_id), here.urls))


@router.get("/i/{token}", response_class=Response, responses={200: IMAGE})
def image(request: Request, rater: Rater, token: str) -> Response:
    """Answer with an image under a running lease of the rater who asks; 410 once the lease is over."""
    here = context(request)
    stored = views.leased_image(here.parts, rater, *here.urls.read(token))
    return image_response(here.parts.objects.read(stored.key), stored.media_type)


def _json(out: TurnOut | RateOut | UndoneOut | UploadOut, status: int = 200) -> Response:
    return Response(out.model_dump_json(), status, media_type=JSONResponse.media_type)
