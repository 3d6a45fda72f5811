"""The gate: a request's body is read only for who may use its route, so that strangers cannot fill the disk."""

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ml_service.errors import ServiceError
from web.http.edge.csrf import SAFE
from web.http.edge.roles import demand_of
from web.http.edge.session import current_actor


class Gate:
    """Wraps the app: the first byte of a body is handed on once the route's demand is met.

    The framework reads a body, and spools a form's files to disk, before it asks the route's dependencies.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self.app(scope, receive, send)
            return
        passed = False

        async def guarded() -> Message:
            nonlocal passed
            if not passed:
                passed = True
                await _demand(scope)
            return await receive()

        await self.app(scope, guarded, send)


async def _demand(scope: Scope) -> None:
    route = scope.get("route")
    demand = demand_of(route.dependant) if isinstance(route, APIRoute) else None
    if demand is None:
        return
    try:
        await demand.check(await current_actor(Request(scope)))
    except ServiceError as error:  # what reads the body lets nothing else through
        raise HTTPException(int(error.status)) from error
