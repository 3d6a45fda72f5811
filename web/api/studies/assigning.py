"""REST of who rates what, for admins: the raters of a study, and panels of raters."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from web.domain.studies.assigning import Audience, AudienceKind, Panel
from web.http.edge.session import Admin, context
from web.services.studies import assigning, panels
from web.services.studies.assigning import WhoRates
from web.services.studies.panels import PanelLine

router = APIRouter(prefix="/api/v1", tags=["studies"])

_PANEL = TypeAdapter(Panel)


class AssignmentIn(BaseModel):
    """Who rates a study: everyone, or the panel or the person with an id; with which share, in which place."""

    model_config = ConfigDict(extra="forbid")

    kind: AudienceKind
    id: Annotated[str, Field(max_length=36)] = ""
    share: int = 1
    place: int = 1


class AssignmentOut(BaseModel):
    """Who rates a study; `id` is empty for everyone, `people` counts the active ones it is about."""

    kind: AudienceKind
    id: str
    name: str
    share: int
    place: int
    people: int


class RatersOut(BaseModel):
    """Who rates a study, and how many people that is."""

    assigned: list[AssignmentOut]
    people: int


class MemberOut(BaseModel):
    """A person in a panel."""

    id: str
    email: str


class PanelOut(BaseModel):
    """A panel, its active members, and the ids of the studies that it rates."""

    id: str
    name: str
    revision: int
    members: list[MemberOut]
    studies: list[str]


class PanelIn(BaseModel):
    """The name of a panel."""

    model_config = ConfigDict(extra="forbid")

    name: str


class PanelChange(PanelIn):
    """Another name of a panel; `revision` is the one that was read."""

    revision: int


@router.get("/studies/{study_id}/assignments", responses={200: {"model": RatersOut}})
def assignments(request: Request, admin: Admin, study_id: str) -> Response:
    """Return who rates a study."""
    return _raters(assigning.raters_of(context(request).parts, admin, study_id))


@router.put("/studies/{study_id}/assignments", responses={200: {"model": RatersOut}})
def assign(request: Request, admin: Admin, study_id: str, given: AssignmentIn) -> Response:
    """Let everyone, a panel or a person rate a study, with a share and a place; the same twice changes nothing."""
    parts = context(request).parts
    assigning.assign(parts, admin, study_id, Audience(given.kind, given.id), given.share, given.place)
    return _raters(assigning.raters_of(parts, admin, study_id))


@router.delete("/studies/{study_id}/assignments", status_code=204)
def unassign(
    request: Request,
    admin: Admin,
    study_id: str,
    kind: AudienceKind,
    id: Annotated[str, Query(max_length=36)] = "",
) -> Response:
    """Let everyone, a panel or a person rate a study no more; done twice, no error."""
    assigning.unassign(context(request).parts, admin, study_id, Audience(kind, id))
    return Response(status_code=204)


@router.get("/panels", responses={200: {"model": list[PanelOut]}})
def list_panels(request: Request, admin: Admin) -> Response:
    """Return the panels of the project."""
    found = panels.panels(context(request).parts, admin)
    return _json(TypeAdapter(list[PanelOut]).dump_json([_panel_out(line) for line in found]))


@router.post("/panels", status_code=201, responses={201: {"model": Panel}})
def make(request: Request, admin: Admin, given: PanelIn) -> Response:
    """Make a panel; 409 where one has this name."""
    return _json(_PANEL.dump_json(panels.make_panel(context(request).parts, admin, given.name)), 201)


@router.patch("/panels/{panel_id}", responses={200: {"model": Panel}})
def rename(request: Request, admin: Admin, panel_id: str, given: PanelChange) -> Response:
    """Rename a panel; 409 where its revision has moved on or another one has this name."""
    renamed = panels.rename_panel(context(request).parts, admin, panel_id, given.revision, given.name)
    return _json(_PANEL.dump_json(renamed))


@router.delete("/panels/{panel_id}", status_code=204)
def delete(request: Request, admin: Admin, panel_id: str) -> Response:
    """Delete a panel; what its members rated stays."""
    panels.delete_panel(context(request).parts, admin, panel_id)
    return Response(status_code=204)


@router.put("/panels/{panel_id}/members/{user_id}", status_code=204)
def join(request: Request, admin: Admin, panel_id: str, user_id: str) -> Response:
    """Put a person of the project into a panel; done twice, no error."""
    panels.join_panel(context(request).parts, admin, panel_id, user_id)
    return Response(status_code=204)


@router.delete("/panels/{panel_id}/members/{user_id}", status_code=204)
def leave(request: Request, admin: Admin, panel_id: str, user_id: str) -> Response:
    """Take a person out of a panel; done twice, no error."""
    panels.leave_panel(context(request).parts, admin, panel_id, user_id)
    return Response(status_code=204)


def _panel_out(line: PanelLine) -> PanelOut:
    return PanelOut(
        id=line.panel.id,
        name=line.panel.name,
        revision=line.panel.revision,
        members=[MemberOut(id=one.id, email=one.email) for one in line.members],
        studies=[one.id for one in line.studies],
    )


def _raters(found: WhoRates) -> Response:
    assigned = [
        AssignmentOut(
            kind=one.assignment.kind,
            id=one.assignment.audience.id,
            name=one.name,
            share=one.assignment.share,
            place=one.assignment.place,
            people=one.people,
        )
        for one in found.assigned
    ]
    return _json(RatersOut(assigned=assigned, people=found.people).model_dump_json())


def _json(body: bytes | str, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")
