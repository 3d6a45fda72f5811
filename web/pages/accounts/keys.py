"""The page of keys: how machines come in."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from ml_service.errors import InvalidRequest
from web.domain.access import Actor, Scope
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.http.wire.links import public_address
from web.services.accounts import keys
from web.services.accounts.keys import KeyDraft

router = APIRouter(prefix="/admin/keys", tags=["keys page"])


@router.get("")
def show_keys(request: Request, admin: Admin) -> Response:
    """Show the keys of the project and a form for another."""
    return _page(request, admin)


@router.post("")
def make_key(
    request: Request,
    admin: Admin,
    name: Annotated[str, Form(max_length=keys.NAME_LENGTH)],
    scopes: Annotated[tuple[Scope, ...], Form()] = (),
    environment: Annotated[str, Form(max_length=64)] = "production",
    days: Annotated[int, Form(ge=0, le=keys.LONGEST.days)] = 0,
) -> Response:
    """Make a key and show it, once; without days, it does not run out."""
    here = context(request).parts
    until = keys.in_days(here, days)
    draft = KeyDraft(name, scopes, environment.strip(), until)
    try:
        made, secret = keys.make_key(here, admin, draft)
    except InvalidRequest as error:
        return _page(request, admin, code=error.status, error=str(error), draft=draft, days=days)
    return _page(request, admin, made=made, secret=secret)


@router.post("/{key_id}/revoke")
def revoke_key(request: Request, admin: Admin, key_id: str) -> Response:
    """End a key."""
    here = context(request).parts
    keys.revoke_key(here, admin, key_id)
    return RedirectResponse("/admin/keys", 303)


def _page(request: Request, admin: Actor, code: int = 200, **values: Any) -> Response:
    here = context(request).parts
    shown = {"made": None, "draft": KeyDraft("", ("prompts:read",)), "days": 0, "server": public_address(request)}
    lines = keys.list_keys(here, admin)
    return page(
        request,
        "accounts/keys.html",
        actor=admin,
        active="keys",
        code=code,
        lines=lines,
        now=here.clock.now(),
        **{**shown, **values},
    )
