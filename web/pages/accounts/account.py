"""The page of one's own account: role, password, and the browsers that are signed in."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import SecretStr

from ml_service.errors import Conflict, InvalidRequest, ServiceError, Throttled
from web.domain.access import Actor
from web.http.edge.door import throttle, through_the_door
from web.http.edge.session import Rater, clear_session, context, set_session
from web.http.serving.templates import page
from web.http.wire.errors import headers_of
from web.services.accounts import passwords, projects, sessions, views
from web.services.rating import enrolment

router = APIRouter(prefix="/account", tags=["account page"])
GivenPassword = Annotated[SecretStr, Form(max_length=passwords.MOST_GIVEN)]
NONE = SecretStr("")
# What a page says after it has sent the browser back to itself.
SAID = {
    "password": "Your password is set, and your other sessions are over.",
    "ended": "That session is over.",
    "others": "Your other sessions are over.",
    "project": "You are in another project now.",
    "zone": "Your day begins by that time zone now.",
}


@router.get("")
def account(request: Request, rater: Rater, said: str = "") -> Response:
    """Show who is signed in, and where."""
    return _page(request, rater, flash=SAID.get(said, ""))


@router.post("/password")
async def choose_password(
    request: Request, rater: Rater, password: GivenPassword, current: GivenPassword = NONE
) -> Response:
    """Choose a password."""
    new, given = password.get_secret_value(), current.get_secret_value()
    try:
        await through_the_door(passwords.choose_password, context(request).parts, throttle(request), rater, new, given)
    except (InvalidRequest, Throttled) as error:
        return await run_in_threadpool(_refused, request, rater, error)
    return _back("password")


@router.post("/time-zone")
def choose_time_zone(request: Request, rater: Rater, zone: Annotated[str, Form(max_length=64)]) -> Response:
    """Choose by which midnight one's day begins."""
    try:
        enrolment.choose_time_zone(context(request).parts, rater, zone)
    except InvalidRequest as error:
        return _page(request, rater, code=error.status, zone_error=str(error))
    return _back("zone")


@router.post("/project")
def switch_project(request: Request, rater: Rater, project: Annotated[str, Form(max_length=36)]) -> Response:
    """Go on in another project of one's own; who is there already stays as they are."""
    if project == rater.project_id:
        return RedirectResponse("/account", 303)
    try:
        secret = projects.switch(context(request).parts, rater, project)
    except Conflict as error:
        return _page(request, rater, code=error.status, project_error=str(error))
    response = _back("project")
    set_session(request, response, secret)
    return response


@router.post("/sessions/end-others")
def end_other_sessions(request: Request, rater: Rater) -> Response:
    """End every session but this one."""
    here = context(request).parts
    sessions.end_other_sessions(here, rater)
    return _back("others")


@router.post("/sessions/{session_id}/end")
def end_session(request: Request, rater: Rater, session_id: str) -> Response:
    """End one session; where it is this one, that is signing out."""
    here = context(request).parts
    sessions.end_session(here, rater, session_id)
    if session_id != rater.session_id:
        return _back("ended")
    response = RedirectResponse("/sign-in", 303)
    clear_session(request, response)
    return response


def _page(request: Request, rater: Actor, **values: Any) -> Response:
    found = views.account(context(request).parts, rater)
    return page(
        request,
        "accounts/account.html",
        actor=rater,
        active="account",
        sessions=found.sessions,
        password=found.password,
        projects=found.projects,
        zone=rater.time_zone,
        zones=enrolment.time_zones(),
        **values,
    )


def _refused(request: Request, rater: Actor, error: ServiceError) -> Response:
    shown = _page(request, rater, code=error.status, error=str(error))
    shown.headers.update(headers_of(error))
    return shown


def _back(said: str) -> Response:
    return RedirectResponse(f"/account?said={said}", 303)
