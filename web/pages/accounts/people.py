"""The page of people: who is in the project, and links for who shall be."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from web.domain.access import Actor, Role
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.http.wire.links import link_address
from web.services.accounts import accounts, links, members, views

router = APIRouter(prefix="/admin/people", tags=["people page"])


@router.get("")
def people(request: Request, admin: Admin) -> Response:
    """Show the members of the project."""
    return _page(request, admin)


@router.post("/invite")
def invite(
    request: Request, admin: Admin, role: Annotated[Role, Form()], email: Annotated[str, Form(max_length=254)]
) -> Response:
    """Make an invite link and show it, once."""
    here = context(request).parts
    secret = accounts.invite(here, admin, role, email)
    return _page(request, admin, link=link_address(request, secret), link_for=email.strip().lower())


@router.post("/links/{link_id}/void")
def void_link(request: Request, admin: Admin, link_id: str) -> Response:
    """Make a link worth nothing before anybody uses it."""
    here = context(request).parts
    links.void_link(here, admin, link_id)
    return _back()


@router.post("/{user_id}/link")
def renew_link(request: Request, admin: Admin, user_id: str) -> Response:
    """Make a new sign-in link for a member and show it, once."""
    here = context(request).parts
    secret = accounts.renew_link(here, admin, user_id)
    whose = next(each.user.email for each in members.members(here, admin) if each.user.id == user_id)
    return _page(request, admin, link=link_address(request, secret), link_for=whose)


@router.post("/{user_id}/sign-out")
def sign_out_everywhere(request: Request, admin: Admin, user_id: str) -> Response:
    """End all sessions of a member."""
    here = context(request).parts
    members.sign_out_everywhere(here, admin, user_id)
    return _back()


@router.post("/{user_id}/role")
def set_role(request: Request, admin: Admin, user_id: str, role: Annotated[Role, Form()]) -> Response:
    """Change what a member may do."""
    here = context(request).parts
    members.set_role(here, admin, user_id, role)
    return _back()


@router.post("/{user_id}/deactivate")
def deactivate(request: Request, admin: Admin, user_id: str) -> Response:
    """Shut a member out."""
    here = context(request).parts
    members.deactivate(here, admin, user_id)
    return _back()


@router.post("/{user_id}/reactivate")
def reactivate(request: Request, admin: Admin, user_id: str) -> Response:
    """Let a member in again."""
    here = context(request).parts
    members.reactivate(here, admin, user_id)
    return _back()


def _page(request: Request, admin: Actor, link: str = "", link_for: str = "") -> Response:
    found = views.people(context(request).parts, admin)
    named = request.query_params.get("named", "").strip()
    return page(
        request,
        "accounts/people.html",
        actor=admin,
        active="people",
        members=[one for one in found.members if named.lower() in one.user.email],
        named=named,
        waiting=found.waiting,
        link=link,
        link_for=link_for,
    )


def _back() -> Response:
    return RedirectResponse("/admin/people", 303)
