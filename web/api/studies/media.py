"""Images for admins' pages, whole or as thumbnails; raters get theirs under a lease, by another address."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from ml_service.errors import Gone, NotFound
from web.domain.access import Actor
from web.http.answers.images import IMAGE, UNCHANGED, image_response, unchanged
from web.http.edge.session import Admin, context
from web.http.wire.etags import is_known
from web.ports.parts import Parts
from web.rows.transaction import Transaction
from web.services.studies.intake import view_key

router = APIRouter(prefix="/media", tags=["media"], responses={200: IMAGE, 304: UNCHANGED})

Side = Annotated[int | None, Query(ge=32, le=2048, description="The longer side of a thumbnail, in pixels.")]


@dataclass(frozen=True)
class _Stored:
    key: str
    media_type: str
    content_hash: str


@router.get("/input/{input_id}", response_class=Response)
def input_image(request: Request, admin: Admin, input_id: str, w: Side = None) -> Response:
    """Answer with the image of an input."""
    parts = context(request).parts
    with parts.store.read() as tx:
        source = tx.inputs.find(id=input_id)
        if source is None or tx.studies.get(source.study_id).project_id != admin.project_id:
            raise NotFound(f"There is no input {input_id}.")
    if source.removed_at is not None:
        raise Gone("This image was taken down.")
    return _answer(request, parts, _Stored(view_key(source), "image/jpeg", source.content_hash), w)


@router.get("/output/{output_id}", response_class=Response)
def output_image(request: Request, admin: Admin, output_id: str, w: Side = None) -> Response:
    """Answer with the image that an option gave."""
    parts = context(request).parts
    with parts.store.read() as tx:
        stored = _output(tx, admin, output_id)
    return _answer(request, parts, stored, w)


def _output(tx: Transaction, admin: Actor, output_id: str) -> _Stored:
    options = tx.options.all(output_id=output_id)
    studies = tx.studies.all(id=tuple({option.study_id for option in options}), project_id=admin.project_id)
    mine = {study.id for study in studies}
    sources = tx.inputs.all(id=tuple({option.input_id for option in options if option.study_id in mine}))
    if not sources:
        raise NotFound(f"There is no output {output_id}.")
    if all(source.removed_at is not None for source in sources):
        raise Gone("This image was taken down.")
    output = tx.outputs.get(output_id)
    if output.removed_at is not None:
        raise Gone("This image was set aside unrated, and was deleted since.")
    return _Stored(output.object_key, output.media_type, output.content_hash)


def _answer(request: Request, parts: Parts, stored: _Stored, side: int | None) -> Response:
    tag = f'"{stored.content_hash}-{side or "whole"}"'
    if is_known(request, tag):
        return unchanged(tag)
    body, media_type = parts.objects.read(stored.key), stored.media_type
    if side is not None:
        body, media_type = parts.cleaner.thumbnail(body, side), "image/jpeg"
    return image_response(body, media_type, etag=tag)
