"""The page of a study's photos: a grid of those that are wanted, what is done with many, and filters that are kept."""

from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from ml_service.errors import InvalidRequest
from web.domain.access import Actor
from web.domain.studies.photos import NO_STRATUM, PhotoFilter, place
from web.domain.studies.sweeps import SWEEP_WORDS, action_of
from web.http.answers.forms import Fields, text
from web.http.edge.session import Admin, context
from web.http.serving.photos import photos_download
from web.http.serving.templates import page
from web.http.wire.openapi import query_of
from web.services.operations import sweeps
from web.services.operations.erasure import WORD
from web.services.studies import batches, filters
from web.services.studies.photos import every_photo, photos_of, photos_view

router = APIRouter(prefix="/admin/studies/{study_id}/photos", tags=["photos pages"])

ROWS = 60


@router.get("", openapi_extra=query_of(PhotoFilter))
def photos(request: Request, admin: Admin, study_id: str, after: str = "") -> Response:
    """Show photos of a study, newest first, with a form that filters them."""
    return _show(request, admin, study_id, PhotoFilter.read(request.query_params), after)


@router.post("/change")
def change(request: Request, admin: Admin, study_id: str, fields: Fields) -> Response:
    """Change or export the photos that are chosen, or all that match; or show the page again with what is wrong."""
    wanted, parts = PhotoFilter.read(dict(parse_qsl(text(fields, "query")))), context(request).parts
    ids = [str(one) for one in fields.getlist("id")]
    if text(fields, "do") == "export":
        everything = bool(text(fields, "all"))
        every = every_photo(parts, admin, study_id, wanted) if everything else photos_of(parts, admin, study_id, ids)
        return photos_download(every)
    try:
        sweeps.sweep(
            parts,
            admin,
            study_id,
            action_of(text(fields, "do")),
            ids=ids,
            wanted=wanted if text(fields, "all") else None,
            argument=text(fields, "stratum" if text(fields, "do") == "stratum" else "confirm"),
        )
    except InvalidRequest as error:
        return _show(request, admin, study_id, wanted, error=error)
    return _to(study_id, wanted)


@router.post("/filters")
def keep(request: Request, admin: Admin, study_id: str, fields: Fields) -> Response:
    """Keep the filter of the page under a name."""
    wanted = PhotoFilter.read(dict(parse_qsl(text(fields, "query"))))
    try:
        filters.save_filter(context(request).parts, admin, study_id, text(fields, "name"), wanted)
    except InvalidRequest as error:
        return _show(request, admin, study_id, wanted, error=error)
    return _to(study_id, wanted)


@router.post("/filters/{filter_id}/delete")
def forget(
    request: Request, admin: Admin, study_id: str, filter_id: str, query: Annotated[str, Form()] = ""
) -> Response:
    """Delete a filter that was kept."""
    filters.forget_filter(context(request).parts, admin, study_id, filter_id)
    return _to(study_id, PhotoFilter.read(dict(parse_qsl(query))))


@router.post("/batches/{batch_id}/close")
def close(request: Request, admin: Admin, study_id: str, batch_id: str) -> Response:
    """Tell no more of an upload; what has not come is not waited for."""
    batches.close(context(request).parts, admin, batch_id)
    return _to(study_id, PhotoFilter())


def _show(
    request: Request,
    admin: Actor,
    study_id: str,
    wanted: PhotoFilter,
    after: str = "",
    error: InvalidRequest | None = None,
) -> Response:
    found = photos_view(context(request).parts, admin, study_id, wanted, place(after), ROWS)
    return page(
        request,
        "studies/photos.html",
        actor=admin,
        active="studies",
        code=error.status if error else 200,
        found=found,
        study=found.study,
        wanted=wanted,
        query=urlencode(wanted.query()),
        queries={one.id: urlencode(one.wanted) for one in found.kept},
        first=not after,
        strata=[(one, one) for one in _strata(found.choices.strata, wanted)],
        words=SWEEP_WORDS,
        word=WORD,
        at_work=any(one.finished_at is None for one in found.sweeps)
        or any(one.count("fetching") for one in found.batches),
        error=str(error or ""),
    )


def _strata(known: tuple[str, ...], wanted: PhotoFilter) -> list[str]:
    """Return the strata to choose from: those there are, and the one that is wanted."""
    return sorted({*known, *([wanted.stratum] if wanted.stratum not in ("", NO_STRATUM) else [])})


def _to(study_id: str, wanted: PhotoFilter) -> Response:
    query = urlencode(wanted.query())
    return RedirectResponse(f"/admin/studies/{study_id}/photos{'?' if query else ''}{query}", 303)
