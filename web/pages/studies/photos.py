"""The page of a study's photos: a grid of those that are wanted, what is done with many, and filters that are kept."""

from collections.abc import Iterable
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from ml_service.errors import InvalidRequest
from web.domain.access import Actor
from web.domain.studies.photos import NO_STRATUM, PhotoFilter, PhotoLine, place
from web.domain.studies.sweeps import SWEEP_WORDS, action_of
from web.http.answers.forms import Fields, text
from web.http.edge.session import Admin, context
from web.http.serving.photos import photos_download
from web.http.serving.templates import page
from web.http.wire.openapi import query_of
from web.ports.parts import Parts
from web.services.operations import sweeps
from web.services.operations.erasure import WORD
from web.services.studies import batches, filters
from web.services.studies.photos import every_photo, photos_of, photos_view

router = APIRouter(prefix="/admin/studies/{study_id}/photos", tags=["photos pages"])

ROWS = 60
TYPED = ("do", "all", "stratum", "confirm", "name")  # what is typed and ticked, besides the photos that are chosen


@router.get("", openapi_extra=query_of(PhotoFilter))
def photos(request: Request, admin: Admin, study_id: str, after: str = "") -> Response:
    """Show photos of a study, newest first, with a form that filters them."""
    return _show(request, admin, study_id, PhotoFilter.read(request.query_params), after)


@router.post("", openapi_extra=query_of(PhotoFilter))
def act(request: Request, admin: Admin, study_id: str, fields: Fields, after: str = "") -> Response:
    """Change or export photos, or keep the filter; what is refused is said on the page, which stays at its address."""
    wanted, parts, do = PhotoFilter.read(request.query_params), context(request).parts, text(fields, "do")
    try:
        if do == "export":
            return photos_download(_chosen(parts, admin, study_id, wanted, fields))
        if do == "keep":
            filters.save_filter(parts, admin, study_id, text(fields, "name"), wanted)
        else:
            _sweep(parts, admin, study_id, wanted, fields)
    except InvalidRequest as error:
        return _show(request, admin, study_id, wanted, after, fields, error)
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


def _chosen(parts: Parts, admin: Actor, study_id: str, wanted: PhotoFilter, fields: FormData) -> Iterable[PhotoLine]:
    if text(fields, "all"):
        return every_photo(parts, admin, study_id, wanted)
    return photos_of(parts, admin, study_id, _ids(fields))


def _sweep(parts: Parts, admin: Actor, study_id: str, wanted: PhotoFilter, fields: FormData) -> None:
    action = action_of(text(fields, "do"))
    sweeps.sweep(
        parts,
        admin,
        study_id,
        action,
        ids=_ids(fields),
        wanted=wanted if text(fields, "all") else None,
        argument=text(fields, "stratum" if action == "stratum" else "confirm"),
    )


def _ids(fields: FormData) -> list[str]:
    return [str(one) for one in fields.getlist("id")]


def _show(
    request: Request,
    admin: Actor,
    study_id: str,
    wanted: PhotoFilter,
    after: str,
    sent: FormData | None = None,
    error: InvalidRequest | None = None,
) -> Response:
    """Show the page, and what was sent to it where that was refused."""
    fields = sent or FormData()
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
        at=_address(study_id, wanted, after),
        chosen=frozenset(_ids(fields)),
        typed={name: text(fields, name) for name in TYPED},
        queries={one.id: urlencode(one.wanted) for one in found.kept},
        first=not after,
        strata=[(NO_STRATUM, "(none)"), *((one, one) for one in _strata(found.choices.strata, wanted))],
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
    return RedirectResponse(_address(study_id, wanted), 303)


def _address(study_id: str, wanted: PhotoFilter, after: str = "") -> str:
    query = urlencode(wanted.query() | ({"after": after} if after else {}))
    return f"/admin/studies/{study_id}/photos{'?' if query else ''}{query}"
