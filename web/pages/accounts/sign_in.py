"""Pages for coming in and leaving, and the addresses at the root that browsers ask for."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import SecretStr

from ml_service.errors import InvalidRequest, NotFound, ServiceError, Throttled, Unauthorized
from web.domain.access import Actor
from web.http.edge.door import throttle, through_the_door
from web.http.edge.session import Visitor, clear_session, context, leave, set_session
from web.http.serving.browsers import browser_name
from web.http.serving.static import HashedFiles
from web.http.serving.templates import page
from web.http.wire.errors import headers_of
from web.http.wire.openapi import content
from web.services.accounts import accounts, passwords
from web.services.accounts.throttle import LINK

router = APIRouter(tags=["sign-in pages"])
Email = Annotated[str, Form(max_length=254)]
GivenPassword = Annotated[SecretStr, Form(max_length=passwords.MOST_GIVEN)]
NONE = SecretStr("")


@router.get("/")
def home(request: Request) -> Response:
    """Lead to the first page of use."""
    return RedirectResponse(_first_page(request), 303)


@router.get("/sign-in")
def sign_in(request: Request, visitor: Visitor, next: str = "") -> Response:
    """Ask for address and password, and say how else to come in; who is in already goes on to where they wanted."""
    if visitor is not None:
        return _onward(request, next)
    return page(request, "accounts/sign_in.html", email="", next=next)


@router.post("/sign-in")
async def sign_in_by_password(
    request: Request, visitor: Visitor, email: Email, password: GivenPassword, next: Annotated[str, Form()] = ""
) -> Response:
    """Sign in by address and password."""
    here, client = context(request).parts, browser_name(request)
    word = password.get_secret_value()
    try:
        secret = await through_the_door(passwords.sign_in, here, throttle(request), email, word, client)
    except (Unauthorized, Throttled) as error:
        return _again(request, error, "accounts/sign_in.html", email=email, next=next)
    return await _let_in(request, visitor, secret, next)


@router.get("/link/{secret}")
def open_link(request: Request, secret: str) -> Response:
    """Show what a link is for; looking at it does not use it up, as mail scanners look at links too."""
    return page(request, "accounts/link.html", **_invitation(request, secret))


@router.post("/link/{secret}")
async def use_link(request: Request, visitor: Visitor, secret: str, password: GivenPassword = NONE) -> Response:
    """Sign in by a link, and choose a password or not."""
    here, client = context(request).parts, browser_name(request)
    word = password.get_secret_value()
    try:
        session = await through_the_door(accounts.come_in, here, throttle(request), secret, word, client)
    except InvalidRequest as error:
        return _again(request, error, "accounts/link.html", **await run_in_threadpool(_invitation, request, secret))
    return await _let_in(request, visitor, session)


@router.post("/sign-out")
def sign_out(request: Request, visitor: Visitor) -> Response:
    """End this session."""
    leave(request, visitor)
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


def _invitation(request: Request, secret: str) -> dict[str, Any]:
    here, guard = context(request).parts, throttle(request)
    with guard.guessing(LINK, guard.network, NotFound):
        found = accounts.open_link(here, secret)
    known = {"project": found.project, "inviter": found.inviter, "role": found.link.role, "email": found.link.email}
    return {"secret": secret, "member": found.member, "may_choose": found.may_choose, **known}


def _again(request: Request, error: ServiceError, template: str, **values: Any) -> Response:
    shown = page(request, template, code=error.status, error=str(error), **values)
    shown.headers.update(headers_of(error))
    return shown


async def _let_in(request: Request, visitor: Actor | None, secret: str, next: str = "") -> Response:
    await run_in_threadpool(leave, request, visitor)
    response = _onward(request, next)
    set_session(request, response, secret)
    return response


def _onward(request: Request, next: str) -> Response:
    return RedirectResponse(next if _is_ours(next) else _first_page(request), 303)


def _first_page(request: Request) -> str:
    return "/train" if context(request).settings.enable_training_mode else "/status"


def _is_ours(address: str) -> bool:
    return address.startswith("/") and address.isprintable() and not address.startswith(("//", "/\\"))
