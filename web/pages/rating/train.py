"""The rating page, and the choice of the study that is rated."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from ml_service.errors import NotFound
from web.http.edge.session import Rater, context
from web.http.serving.templates import page
from web.services.rating import mixing
from web.services.rating.uploads import may_upload

router = APIRouter(tags=["rating page"])


@router.get("/train")
def train(request: Request, rater: Rater, study: str | None = None) -> Response:
    """Show the page on which raters work; its images come through /api/train/next."""
    try:
        choices = mixing.choices(context(request).parts, rater, study or None)
    except NotFound:  # an address that was kept from when it was theirs
        return RedirectResponse("/train", 303)
    known = choices.known
    uploads = known is not None and may_upload(known, rater)
    return page(request, "rating/train.html", actor=rater, active="train", choices=choices, uploads=uploads)


@router.post("/train/study")
def choose(request: Request, rater: Rater, study: Annotated[str, Form(max_length=36)] = "") -> Response:
    """Remember which study is rated, or that all are, and go on with it."""
    mixing.choose(context(request).parts, rater, study or None)
    return RedirectResponse(f"/train?study={study}" if study else "/train", 303)
