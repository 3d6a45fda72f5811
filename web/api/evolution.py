"""Routes of evolution: ask for a round, look at rounds, and write a version by hand."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, TypeAdapter

from ml_service.wire.contract import Point
from web.api.fields import Id, Strict
from web.domain.evolution.evolution import Round
from web.domain.prompts.prompt import Text, Variable, Word
from web.domain.text import plain
from web.http.edge.session import Admin, context
from web.services.evolution import evolution
from web.services.prompts import drafts
from web.services.prompts.drafts import Draft

router = APIRouter(tags=["evolution"])

_ROUND, _ROUNDS = TypeAdapter(Round), TypeAdapter(tuple[Round, ...])


class EvolveIn(Strict):
    """Whose prompt is to evolve; without a study the only one that runs. The same `id` again asks for nothing new."""

    study: Id | None = None
    id: Id | None = None


class VariableIn(Strict):
    """A blank of the texts, and what fills it."""

    default: Annotated[str, Field(max_length=1000)] = ""


class DraftIn(Strict):
    """A version written by hand; what is left out is as in the parent, and without one the live version is built on."""

    id: Id | None = None
    parent: Id | None = None
    changelog: Annotated[str, Field(min_length=1, max_length=2000, description="What is new; it is published.")]
    components: dict[Word, dict[Word, Text]] | None = None
    variables: dict[Word, VariableIn] | None = None
    parameter_defaults: dict[Word, Point] | None = None
    slots_locked: Annotated[list[str], Field(max_length=400)] | None = None


class DraftOut(BaseModel):
    """The candidate that was kept: its id, by which it is tested and promoted, and its number."""

    id: str
    number: int


@router.post("/api/train/evolve", status_code=202, responses={202: {"model": Round}})
def evolve(request: Request, admin: Admin, given: EvolveIn | None = None) -> Response:
    """Ask for a round of evolution now; 409 while a round or its A/B test is open."""
    asked = given or EvolveIn()
    made = evolution.evolve(context(request).parts, admin, asked.study, asked.id)
    return Response(_ROUND.dump_json(made), status_code=202, media_type="application/json")


@router.get("/api/v1/prompts/{key}/rounds", responses={200: {"model": tuple[Round, ...]}})
def rounds(request: Request, admin: Admin, key: str) -> Response:
    """Return the rounds of evolution of a prompt, newest first: why, what was proposed, and what became of it."""
    found = evolution.rounds(context(request).parts, admin, key)
    return Response(_ROUNDS.dump_json(found), media_type="application/json")


@router.post("/api/v1/prompts/{key}/versions", status_code=201)
def draft(request: Request, admin: Admin, key: str, given: DraftIn) -> DraftOut:
    """Keep a version written by hand as a candidate; 422 names the gate that it does not pass."""
    blanks = given.variables
    asked = Draft(
        changelog=plain(given.changelog),
        components=given.components,
        variables=None if blanks is None else {name: Variable(default=one.default) for name, one in blanks.items()},
        parameter_defaults=given.parameter_defaults,
        slots_locked=None if given.slots_locked is None else tuple(given.slots_locked),
        parent_id=given.parent,
        id=given.id,
    )
    made = drafts.draft(context(request).parts, admin, key, asked)
    return DraftOut(id=made.id, number=made.number)
