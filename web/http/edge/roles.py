"""Who a route is for, read from its own dependencies; the gate, the OpenAPI document and the reference ask here."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from web.domain.access import Actor, Role, Scope
from web.http.edge.session import admin, current_actor, feedback_sender, prompt_reader, rater, table_reader


@dataclass(frozen=True)
class Demand:
    """What a route demands of who asks: one of these roles in the project, or a machine's key with this scope."""

    roles: tuple[Role, ...]
    scope: Scope | None
    check: Callable[[Actor | None], Awaitable[Actor]]

    def __str__(self) -> str:
        least = self.roles[0]
        return least if self.scope is None else f"{least}, key with {self.scope}"


async def _admin(actor: Actor | None) -> Actor:
    return await admin(await rater(actor))


# The strictest first: a route's demand is the first of these among its dependencies.
DEMANDS: dict[Callable[..., Any], Demand] = {
    admin: Demand(("admin",), None, _admin),
    prompt_reader: Demand(("admin",), "prompts:read", prompt_reader),
    feedback_sender: Demand(("admin",), "feedback:write", feedback_sender),
    table_reader: Demand(("admin",), "exports:read", table_reader),
    rater: Demand(("rater", "admin"), None, rater),
}


def demand_of(dependant: Dependant) -> Demand | None:
    """Return what a route demands of who asks, or None where anyone may."""
    calls = set(calls_of(dependant))
    return next((demand for call, demand in DEMANDS.items() if call in calls), None)


def looks_at_visitor(dependant: Dependant) -> bool:
    """Tell whether a route's answer depends on who asks."""
    return current_actor in set(calls_of(dependant))


def calls_of(dependant: Dependant) -> Iterator[Any]:
    """Yield every function that a route depends on, also through others."""
    for inner in dependant.dependencies:
        yield inner.call
        yield from calls_of(inner)


def routes_of(app: FastAPI) -> Iterator[RouteContext]:
    """Yield every route of an app, as it is reached."""
    return (context for context in iter_route_contexts(app.routes) if isinstance(context.original_route, APIRoute))
