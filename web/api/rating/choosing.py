"""Which of their studies a rater works on: what there is to choose, and the choice that is kept."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from web.api.rating.train_schemas import Out
from web.http.edge.session import Rater, context
from web.services.rating import mixing
from web.services.rating.mixing import Choices

router = APIRouter(prefix="/api/train", tags=["rating"])


class ChoiceOut(Out):
    """A study that the rater may choose, and whether it has photos for them now."""

    id: str
    name: str
    waits: bool


class ChoicesOut(Out):
    """The rater's studies in their order, and the one chosen: null is all of them, mixed by their shares."""

    studies: list[ChoiceOut]
    chosen: str | None


class ChosenIn(BaseModel):
    """The study to rate from now on; null is all of the rater's, mixed."""

    model_config = ConfigDict(extra="forbid")

    study: Annotated[str, Field(max_length=36)] | None


@router.get("/studies", responses={200: {"model": ChoicesOut}})
def studies(request: Request, rater: Rater, study: str | None = None) -> Response:
    """Return the studies that are the rater's to choose among; `study` is one that is asked for besides."""
    return _json(_out(mixing.choices(context(request).parts, rater, study)))


@router.post("/studies", responses={200: {"model": ChoicesOut}})
def choose(request: Request, rater: Rater, wanted: ChosenIn) -> Response:
    """Remember which study the rater works on, on all their devices; done twice, it is no error."""
    parts = context(request).parts
    mixing.choose(parts, rater, wanted.study)
    return _json(_out(mixing.choices(parts, rater, None)))


def _out(choices: Choices) -> ChoicesOut:
    told = [ChoiceOut(id=one.study.id, name=one.study.name, waits=one.waits) for one in choices.studies]
    return ChoicesOut(studies=told, chosen=choices.chosen.id if choices.chosen else None)


def _json(out: ChoicesOut) -> Response:
    return Response(out.model_dump_json(), media_type=JSONResponse.media_type)
