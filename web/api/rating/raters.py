"""REST of whose ratings count: exclude a rater from a study from a time on, and lift that again."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from web.domain.rating.rating import Exclusion
from web.http.edge.session import Admin, context
from web.services.rating import quality

router = APIRouter(prefix="/api/v1", tags=["raters"])

_ONE = TypeAdapter(Exclusion)
_ALL = TypeAdapter(tuple[Exclusion, ...])


class ExcludeIn(BaseModel):
    """Why a rater's ratings are not to count, and since when; without a time none do."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=2 * quality.REASON_LIMIT)]
    since: AwareDatetime | None = None


@router.get("/studies/{study_id}/exclusions", responses={200: {"model": tuple[Exclusion, ...]}})
def exclusions(request: Request, admin: Admin, study_id: str) -> Response:
    """Return whose ratings of a study did not count, and whose still do not."""
    return _json(_ALL, quality.exclusions(context(request).parts, admin, study_id))


@router.post("/studies/{study_id}/raters/{user_id}/exclude", responses={200: {"model": Exclusion}})
def exclude(request: Request, admin: Admin, study_id: str, user_id: str, given: ExcludeIn) -> Response:
    """Let a rater's ratings of a study count no more from a time on; the optimizer forgets them."""
    parts = context(request).parts
    return _json(_ONE, quality.exclude(parts, admin, study_id, user_id, given.reason, given.since))


@router.post("/exclusions/{exclusion_id}/lift", responses={200: {"model": Exclusion}})
def lift(request: Request, admin: Admin, exclusion_id: str) -> Response:
    """Let an excluded rater's ratings count again; the optimizer remembers them."""
    return _json(_ONE, quality.lift(context(request).parts, admin, exclusion_id))


def _json(adapter: TypeAdapter[Any], value: object) -> Response:
    return Response(adapter.dump_json(value), media_type="application/json")
