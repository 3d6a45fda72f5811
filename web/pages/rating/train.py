"""The rating page."""

from fastapi import APIRouter, Request, Response

from web.http.edge.session import Rater, context
from web.http.serving.templates import page
from web.services.studies.views import rated

router = APIRouter(tags=["rating page"])


@router.get("/train")
def train(request: Request, rater: Rater, study: str | None = None) -> Response:
    """Show the page on which raters work; its images come through /api/train/next."""
    chosen = rated(context(request).parts, rater, study)
    name = chosen.name if chosen else None
    return page(request, "rating/train.html", actor=rater, active="train", study=name)
