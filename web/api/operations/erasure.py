"""Routes that erase a person, or a photo with all that was made of it; both for good."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from web.api.fields import Strict
from web.http.edge.session import Admin, context
from web.services.operations import erasure

router = APIRouter(prefix="/api/v1", tags=["erasure"])


class PersonErased(Strict):
    """The address of the person, typed again, and whether the photos that they brought are erased too."""

    confirm: Annotated[str, Field(max_length=254)]
    photos: bool = False


class InputErased(Strict):
    """The word `erase`, typed to confirm."""

    confirm: Annotated[str, Field(max_length=254)]


@router.post("/users/{user_id}/erase", status_code=204)
def erase_person(request: Request, admin: Admin, user_id: str, given: PersonErased) -> Response:
    """Forget who a member was and all they typed; their ratings stay under an id that leads nowhere."""
    erasure.erase_person(context(request).parts, admin, user_id, given.confirm, photos=given.photos)
    return Response(status_code=204)


@router.post("/inputs/{input_id}/erase", status_code=204)
def erase_input(request: Request, admin: Admin, input_id: str, given: InputErased) -> Response:
    """Erase a photo wherever the project has it, with all that was made of it and every word about it."""
    erasure.erase_input(context(request).parts, admin, input_id, given.confirm)
    return Response(status_code=204)
