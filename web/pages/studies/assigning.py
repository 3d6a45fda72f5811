"""The pages of who rates what: the section of a study, and panels of raters."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from ml_service.errors import ServiceError
from web.domain.access import Actor
from web.domain.studies.assigning import Audience, AudienceKind
from web.http.answers.forms import Fields, figure, revision, text
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.services.studies import assigning, panels

router = APIRouter(prefix="/admin", tags=["studies pages"])
KINDS: dict[str, AudienceKind] = {"everyone": "everyone", "panel": "panel", "person": "person"}


@router.post("/studies/{study_id}/raters")
def assign(request: Request, admin: Admin, study_id: str, fields: Fields) -> Response:
    """Let an audience rate a study, or change their share and place."""
    share, place = (
        int(figure(name.capitalize(), text(fields, name) or "1", whole=True)) for name in ("share", "place")
    )
    parts, address = context(request).parts, text(fields, "address")
    whom = assigning.addressed(parts, admin, address) if address else audience(text(fields, "who"))
    assigning.assign(parts, admin, study_id, whom, share, place)
    return _to_study(study_id)


@router.post("/studies/{study_id}/raters/remove")
def unassign(request: Request, admin: Admin, study_id: str, who: Annotated[str, Form(max_length=50)]) -> Response:
    """Let an audience rate a study no more."""
    assigning.unassign(context(request).parts, admin, study_id, audience(who))
    return _to_study(study_id)


@router.get("/panels")
def show(request: Request, admin: Admin) -> Response:
    """Show the panels of the project with their members."""
    return _panels(request, admin)


@router.post("/panels")
def make(request: Request, admin: Admin, name: Annotated[str, Form()] = "") -> Response:
    """Make a panel, or show the form again with what is wrong."""
    try:
        made = panels.make_panel(context(request).parts, admin, name)
    except ServiceError as error:
        return _panels(request, admin, error, name)
    return _to_panel(made.id)


@router.post("/panels/{panel_id}")
def rename(request: Request, admin: Admin, panel_id: str, fields: Fields) -> Response:
    """Rename a panel."""
    try:
        panels.rename_panel(context(request).parts, admin, panel_id, revision(fields), text(fields, "name"))
    except ServiceError as error:
        return _panels(request, admin, error)
    return _to_panel(panel_id)


@router.post("/panels/{panel_id}/delete")
def delete(request: Request, admin: Admin, panel_id: str) -> Response:
    """Delete a panel."""
    panels.delete_panel(context(request).parts, admin, panel_id)
    return RedirectResponse("/admin/panels", 303)


@router.post("/panels/{panel_id}/members")
def join(request: Request, admin: Admin, panel_id: str, fields: Fields) -> Response:
    """Put a person into a panel, by their id or their address."""
    parts, address = context(request).parts, text(fields, "address")
    try:
        person = assigning.addressed(parts, admin, address).id if address else text(fields, "person")
        panels.join_panel(parts, admin, panel_id, person)
    except ServiceError as error:
        return _panels(request, admin, error)
    return _to_panel(panel_id)


@router.post("/panels/{panel_id}/members/remove")
def leave(request: Request, admin: Admin, panel_id: str, person: Annotated[str, Form(max_length=36)]) -> Response:
    """Take a person out of a panel."""
    panels.leave_panel(context(request).parts, admin, panel_id, person)
    return _to_panel(panel_id)


def audience(typed: str) -> Audience:
    """Return whom a form names: `everyone`, or a kind and an id with a colon between."""
    kind, _, who = typed.partition(":")
    return Audience(KINDS.get(kind, "person"), who)


def _panels(request: Request, admin: Actor, error: ServiceError | None = None, typed: str = "") -> Response:
    found = panels.panels_view(context(request).parts, admin)
    return page(
        request,
        "studies/panels.html",
        actor=admin,
        active="raters",
        code=error.status if error else 200,
        lines=found.lines,
        people=found.people,
        typed=typed,
        error=str(error or ""),
    )


def _to_study(study_id: str) -> Response:
    return RedirectResponse(f"/admin/studies/{study_id}#raters", 303)


def _to_panel(panel_id: str) -> Response:
    return RedirectResponse(f"/admin/panels#panel-{panel_id}", 303)
