"""The one error handler: problem+json for programs, a page for people, the sign-in page for who is not signed in."""

import logging
from math import ceil
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from ml_service.errors import ServiceError, Throttled, Unavailable
from web.domain.access import Actor
from web.http.answers.problems import Problem
from web.http.edge.logs import REQUEST_ID
from web.http.edge.session import actor_of
from web.http.serving.templates import page

RETRY_AFTER = 5  # seconds, where what is away does not say itself when it will be back
log = logging.getLogger("palate.errors")


def handle_errors(app: FastAPI) -> None:
    """Have every exception of an app rendered here."""
    for kind in (ServiceError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, render)


def render(request: Request, error: Exception) -> Response:
    """Answer with what went wrong, in the form that the one who asks can read."""
    problem = Problem.of(error)
    if problem.slug == "internal-error":
        log.error("an exception nobody foresaw", exc_info=error)
    if problem.status == 401 and request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    if not wants_page(request):
        return problem.response(REQUEST_ID.get(), headers_of(error))
    if problem.status == 401:
        return RedirectResponse(f"/sign-in{_way_back(request)}", 303)
    shown = page(
        request,
        "error.html",
        actor=_who(request, problem),
        code=problem.status,
        title=problem.title.rstrip("."),
        detail=problem.detail,
        status=problem.status,
    )
    shown.headers.update(headers_of(error))
    return shown


def headers_of(error: Exception) -> dict[str, str]:
    """Return the headers that belong to an error: when to try again, how to say who one is, which methods there are."""
    cause = error.__cause__ if isinstance(error, HTTPException) else error
    if isinstance(cause, (Throttled, Unavailable)):
        return {"Retry-After": str(ceil(cause.retry_after or RETRY_AFTER))}
    told = {"WWW-Authenticate": "Bearer"} if Problem.of(error).status == 401 else getattr(error, "headers", None)
    return dict(told or {})


def wants_page(request: Request) -> bool:
    """Tell whether a person's browser asks for a page, rather than a program for data."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


def _way_back(request: Request) -> str:
    if request.method != "GET":
        return ""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"?next={quote(request.url.path + query, safe='/')}"


def _who(request: Request, problem: Problem) -> Actor | None:
    if problem.status >= 500:
        return getattr(request.state, "actor", None)
    return actor_of(request)
