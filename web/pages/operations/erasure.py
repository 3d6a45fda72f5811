"""The pages that ask before a person or a photo is erased: what goes, what stays, and a word to be typed."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from ml_service.errors import InvalidRequest
from web.domain.access import Actor
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.services.operations import erasure, views
from web.services.studies.views import photo

router = APIRouter(prefix="/admin", tags=["erasure pages"])

Typed = Annotated[str, Form(max_length=254)]


@router.get("/people/{user_id}/erase")
def ask_person(request: Request, admin: Admin, user_id: str) -> Response:
    """Show what is erased of a person, and ask."""
    return _ask_person(request, admin, user_id)


@router.post("/people/{user_id}/erase")
def erase_person(
    request: Request, admin: Admin, user_id: str, confirm: Typed = "", photos: Annotated[bool, Form()] = False
) -> Response:
    """Erase a person, or ask again with what is wrong."""
    try:
        erasure.erase_person(context(request).parts, admin, user_id, confirm, photos=photos)
    except InvalidRequest as error:
        return _ask_person(request, admin, user_id, error)
    return RedirectResponse("/admin/people", 303)


@router.get("/studies/{study_id}/inputs/{input_id}/erase")
def ask_input(request: Request, admin: Admin, study_id: str, input_id: str) -> Response:
    """Show what is erased of a photo, and ask."""
    return _ask_input(request, admin, study_id, input_id)


@router.post("/studies/{study_id}/inputs/{input_id}/erase")
def erase_input(request: Request, admin: Admin, study_id: str, input_id: str, confirm: Typed = "") -> Response:
    """Erase a photo, or ask again with what is wrong."""
    try:
        erasure.erase_input(context(request).parts, admin, input_id, confirm)
    except InvalidRequest as error:
        return _ask_input(request, admin, study_id, input_id, error)
    return RedirectResponse(f"/admin/studies/{study_id}/photos", 303)


def _ask_person(request: Request, admin: Actor, user_id: str, error: InvalidRequest | None = None) -> Response:
    found = views.person(context(request).parts, admin, user_id)
    if found.user.erased_at is not None:
        return RedirectResponse("/admin/people", 303)
    return page(
        request,
        "operations/erase_person.html",
        actor=admin,
        active="people",
        code=error.status if error else 200,
        user=found.user,
        photos=found.photos,
        error=str(error or ""),
    )


def _ask_input(
    request: Request, admin: Actor, study_id: str, input_id: str, error: InvalidRequest | None = None
) -> Response:
    found = photo(context(request).parts, admin, study_id, input_id)
    return page(
        request,
        "operations/erase_input.html",
        actor=admin,
        active="studies",
        code=error.status if error else 200,
        study=found.study,
        source=found.source,
        word=erasure.WORD,
        error=str(error or ""),
    )
