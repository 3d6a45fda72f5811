"""Routes of promotions: which version is live, since when, and how another one becomes it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, TypeAdapter

from web.api.fields import Id, Note, PromptKey, Revision, Strict, VersionName
from web.domain.prompts.prompt import DEFAULT_KEY
from web.http.edge.session import Admin, context
from web.services.prompts import promotion
from web.services.prompts.promotion import Move, Promotion

router = APIRouter(prefix="/api/v1/promotions", tags=["promotions"])

_HISTORY = TypeAdapter(tuple[Move, ...])


class PromotionIn(Strict):
    """Which released version is to be live."""

    prompt_key: PromptKey = DEFAULT_KEY
    version: VersionName
    revision: Revision
    note: Note = ""


class BestIn(Strict):
    """Whose best settings are to be live; `id` names the new version, and the same one again publishes nothing new."""

    study_id: Id
    id: Id | None = None
    revision: Revision | None = None
    note: Note = ""


class RollbackIn(Strict):
    """Which prompt goes back to the version that was live before."""

    prompt_key: PromptKey = DEFAULT_KEY
    revision: Revision
    note: Note = ""


class PromotionOut(BaseModel):
    """What is live now, and how often that was moved."""

    prompt_key: str
    version: str
    revision: int
    moved_at: datetime

    @classmethod
    def of(cls, done: Promotion) -> "PromotionOut":
        """Show a promotion."""
        pointer = done.pointer
        return cls(
            prompt_key=pointer.prompt_key,
            version=str(done.version.name),
            revision=pointer.revision,
            moved_at=pointer.moved_at,
        )


@router.get("", responses={200: {"model": tuple[Move, ...]}})
def history(request: Request, admin: Admin, prompt_key: Annotated[str, Query(max_length=64)] = DEFAULT_KEY) -> Response:
    """Return what was live when, newest first: who moved it, from where to where, and why."""
    moves = promotion.history(context(request).parts, admin, prompt_key)
    return Response(_HISTORY.dump_json(moves), media_type="application/json")


@router.post("")
def promote(request: Request, admin: Admin, given: PromotionIn) -> PromotionOut:
    """Make a released version live; going to an older one than the live one is recorded as a rollback."""
    parts = context(request).parts
    return PromotionOut.of(
        promotion.go_live(parts, admin, given.prompt_key, given.version, given.revision, note=given.note)
    )


@router.post("/best")
def publish_best(request: Request, admin: Admin, given: BestIn) -> PromotionOut:
    """Release a study's best settings as a new version and make it live."""
    done = promotion.publish_best(
        context(request).parts,
        admin,
        given.study_id,
        revision=given.revision,
        version_id=given.id,
        note=given.note,
    )
    return PromotionOut.of(done)


@router.post("/rollback")
def roll_back(request: Request, admin: Admin, given: RollbackIn) -> PromotionOut:
    """Go back to the version that was live before; this is a move of its own."""
    parts = context(request).parts
    return PromotionOut.of(promotion.roll_back(parts, admin, given.prompt_key, given.revision, note=given.note))
