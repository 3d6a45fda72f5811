"""Images for admins' pages, whole or as thumbnails; raters get theirs under a lease, by another address."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from web.http.answers.images import IMAGE, UNCHANGED, image_response, unchanged
from web.http.edge.session import Admin, context
from web.http.wire.etags import is_known
from web.ports.parts import Parts
from web.services.studies import views
from web.services.studies.views import StoredImage

router = APIRouter(prefix="/media", tags=["media"], responses={200: IMAGE, 304: UNCHANGED})

Side = Annotated[int | None, Query(ge=32, le=2048, description="The longer side of a thumbnail, in pixels.")]


@router.get("/input/{input_id}", response_class=Response)
def input_image(request: Request, admin: Admin, input_id: str, w: Side = None) -> Response:
    """Answer with the image of an input."""
    parts = context(request).parts
    return _answer(request, parts, views.input_image(parts, admin, input_id), w)


@router.get("/output/{output_id}", response_class=Response)
def output_image(request: Request, admin: Admin, output_id: str, w: Side = None) -> Response:
    """Answer with the image that an option gave."""
    parts = context(request).parts
    return _answer(request, parts, views.output_image(parts, admin, output_id), w)


def _answer(request: Request, parts: Parts, stored: StoredImage, side: int | None) -> Response:
    tag = f'"{stored.content_hash}-{side or "whole"}"'
    if is_known(request, tag):
        return unchanged(tag)
    body, media_type = parts.objects.read(stored.key), stored.media_type
    if side is not None:
        body, media_type = parts.cleaner.thumbnail(body, side), "image/jpeg"
    return image_response(body, media_type, etag=tag)
