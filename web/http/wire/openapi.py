"""The OpenAPI document: what the framework knows of each route, completed with what holds for all of them.

Success models stand at the routes. Problems, pages, redirects and security follow from a route's method, parameters
and demand, so that a new route is described whole without saying anything of them.
"""

import re
import warnings
from collections.abc import Iterator
from dataclasses import fields
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext

from ml_service.errors import ServiceError
from web.http.edge.csrf import SAFE
from web.http.edge.roles import Demand, demand_of, looks_at_visitor, routes_of
from web.http.edge.session import COOKIE, SECURE_COOKIE, SECURE_COOKIE_BELOW

Part = dict[str, Any]

INTRO = (
    "Palate learns what people like from their ratings. People sign in and send the session's cookie, and with each "
    "change the token of `GET /api/v1/session` in `X-CSRF-Token`. Machines send a key, or a token made from one at "
    "`POST /token`, as `Authorization: Bearer …`. Every error is application/problem+json (RFC 9457)."
)
PROBLEM: Part = {
    "title": "Problem",
    "description": "What went wrong, and what to do now (RFC 9457).",
    "type": "object",
    "additionalProperties": False,
    "required": ["type", "title", "detail", "status", "request_id"],
    "properties": {
        "type": {"type": "string", "pattern": "^/problems/[a-z-]+$", "description": "A stable name of the error."},
        "title": {"type": "string", "description": "What it means in general."},
        "detail": {"type": "string", "description": "What is wrong here, and what to do."},
        "status": {"type": "integer"},
        "request_id": {"type": "string", "description": "What the logs call this request."},
    },
}
SECURITY: dict[str, Part] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": f"A signed-in browser; over https the cookie is called `{SECURE_COOKIE}`, or "
        f"`{SECURE_COOKIE_BELOW}` where Palate is below a path.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "The session's own token, which `GET /api/v1/session` tells.",
    },
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "A machine's key, or a token made from it at `POST /token`.",
    },
}
TEXT: Part = {"schema": {"type": "string"}}
REDIRECT: Part = {
    "description": "Go on at the address in `Location`.",
    "headers": {"Location": {"required": True, "schema": {"type": "string"}}},
}
FORM: Part = {
    "description": "The fields of the page's form, with its `csrf_token` where no header carries it.",
    "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}},
}
FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")


def document(app: FastAPI, server: str) -> Part:
    """Return the OpenAPI document of an app that is reached at an address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of routes with two methods, whose operations get their own ids below
        made: Part = get_openapi(title=app.title, version=app.version, description=INTRO, routes=list(app.routes))
    made["servers"] = [{"url": server}]
    parts = made.setdefault("components", {})
    parts["securitySchemes"] = SECURITY
    parts["schemas"] = {name: each for name, each in parts.get("schemas", {}).items() if name not in FRAMEWORKS_OWN}
    parts["schemas"]["Problem"] = PROBLEM
    for context in routes_of(app):
        for method in sorted(context.methods or ()):
            found = made["paths"].get(context.path_format, {}).get(method.lower())
            if found is not None:
                _complete(found, context, method)
    return made


def query_of(kind: Any) -> Part:
    """Return, as `openapi_extra`, the query parameters of a route that reads a dataclass from its query by name."""
    asked = [{"name": item.name, "in": "query", "required": False, **TEXT} for item in fields(kind)]
    return {"parameters": asked}


def content(*media_types: str) -> Part:
    """Return, as one of `responses`, an answer that is text or bytes of one of these types."""
    return {"content": {name: dict(TEXT) for name in media_types}}


def is_page(context: RouteContext) -> bool:
    """Tell whether a route answers people with pages rather than programs with data."""
    return getattr(context.endpoint, "__module__", "").startswith("web.pages.")


def _complete(operation: Part, context: RouteContext, method: str) -> None:
    demand = demand_of(context.dependant)
    operation["operationId"] = re.sub(r"\W+", "_", f"{method.lower()} {context.path_format}").strip("_")
    operation["summary"] = (operation.get("description") or operation["summary"]).split(". ")[0].rstrip(".")
    if demand is not None:
        operation["security"] = list(_security(demand, method))
    if is_page(context):
        _as_page(operation, method)
    operation["responses"].pop("422", None)
    for status in _refusals(operation, context, method, demand):
        operation["responses"].setdefault(str(status), _problem(status, pages=_may_be_page(context)))
    if demand is not None and method in SAFE and _may_be_page(context):
        operation["responses"].setdefault("303", REDIRECT)


def _security(demand: Demand, method: str) -> Iterator[Part]:
    """Yield the ways in; the names beside a scheme are the roles or scopes that it needs (OpenAPI 3.1)."""
    token: Part = {} if method in SAFE else {"csrf": []}
    yield {"session": list(demand.roles), **token}
    if demand.scope is not None:
        yield {"key": [demand.scope]}


def _as_page(operation: Part, method: str) -> None:
    shown = operation["responses"].setdefault("200", {"description": "The page."}).setdefault("content", {})
    if not shown.get("application/json", {}).get("schema"):
        shown.pop("application/json", None)  # what the framework takes every route for
    if not shown:
        shown["text/html"] = TEXT
        operation["responses"].setdefault("303", REDIRECT)
    if method not in SAFE:
        operation.setdefault("requestBody", FORM)


def _refusals(operation: Part, context: RouteContext, method: str, demand: Demand | None) -> list[int]:
    """Return the statuses that a route may refuse with; what changes something may be refused in every way."""
    if method not in SAFE:
        return [401, 403, 404, 409, 410, 413, 422, 429, 503, 507]
    found = [422, 503]
    if demand is not None or looks_at_visitor(context.dependant):
        found += [401, 403]
    if demand is not None or operation.get("parameters"):
        found += [404]
    if "{" in str(context.path_format):
        found += [410]
    if "{secret}" in str(context.path_format):  # guessing is throttled, also where it changes nothing
        found += [429]
    return sorted(found)


def _problem(status: int, *, pages: bool) -> Part:
    titles = {int(kind.status): kind.title() for kind in ServiceError.__subclasses__()}
    shown: Part = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if pages:
        shown["text/html"] = TEXT
    return {"description": titles.get(status, HTTPStatus(status).phrase), "content": shown}


def _may_be_page(context: RouteContext) -> bool:
    return not str(context.path_format).startswith("/api/")
