"""Pages for coming in and leaving, and the addresses at the root that browsers ask for."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from web.http.openapi import content
from web.http.session import Visitor, clear_session, context, set_session
from web.http.static import HashedFiles
from web.http.templates import page
from web.services import accounts

router = APIRouter(tags=["sign-in pages"])


@router.get("/")
def home(request: Request) -> Response:
    """Lead to the first page of use."""
    return RedirectResponse(_first_page(request), 303)


@router.get("/sign-in")
def sign_in(request: Request, visitor: Visitor, next: str = "") -> Response:
    """Say how to come in; who is in already goes on to where they wanted."""
    if visitor is not None:
        return RedirectResponse(next if _is_ours(next) else _first_page(request), 303)
    return page(request, "sign_in.html")


@router.get("/link/{secret}")
def open_link(request: Request, secret: str) -> Response:
    """Show what a link is for; looking at it does not use it up, as mail scanners look at links too."""
    here = context(request).parts
    found = accounts.open_link(here.store, here.clock, secret)
    return page(
        request,
        "link.html",
        secret=secret,
        project=found.project,
        inviter=found.inviter,
        role=found.link.role,
        email=found.link.email,
    )


@router.post("/link/{secret}")
def use_link(request: Request, secret: str, email: Annotated[str, Form(max_length=254)] = "") -> Response:
    """Sign in by a link."""
    here = context(request).parts
    response = RedirectResponse(_first_page(request), 303)
    set_session(request, response, accounts.use_link(here.store, here.clock, secret, email))
    return response


@router.post("/sign-out")
def sign_out(request: Request, visitor: Visitor) -> Response:
    """End this session."""
    here = context(request).parts
    if visitor is not None:
        accounts.sign_out(here.store, here.clock, visitor)
    response = RedirectResponse("/sign-in", 303)
    clear_session(request, response)
    return response


@router.get("/favicon.ico", responses={200: content("image/svg+xml")})
async def favicon(request: Request) -> Response:
    """Answer browsers that ask for an icon without reading the page."""
    return await _file(request, "favicon.svg")


@router.get("/sw.js", responses={200: content("text/javascript")})
async def service_worker(request: Request) -> Response:
    """Answer with the service worker, which may only serve paths below its own."""
    return await _file(request, "sw.js")


async def _file(request: Request, name: str) -> Response:
    static: HashedFiles = request.app.state.static
    return await static.get_response(name, request.scope)


def _first_page(request: Request) -> str:
    return "/train" if context(request).settings.enable_training_mode else "/status"


def _is_ours(address: str) -> bool:
    return address.startswith("/") and not address.startswith(("//", "/\\"))
