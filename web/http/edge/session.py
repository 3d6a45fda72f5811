"""Who is asking: the session cookie or a machine's key, the role a route demands, and what a request has at hand."""

from dataclasses import dataclass, field
from threading import Event
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from ml_service.errors import Forbidden, Unauthorized
from web.domain.access import Action, Actor
from web.http.answers.images import ImageUrls
from web.ports.parts import Parts
from web.services.accounts import rights, sessions
from web.services.accounts.keys import machine
from web.services.accounts.sessions import SESSION_TIME, digest, end_session
from web.settings import Settings

COOKIE = "palate"
SECURE_COOKIE = "__Host-palate"
SECURE_COOKIE_BELOW = "__Secure-palate"  # below a path: browsers take __Host- for the whole host only


@dataclass(frozen=True)
class Context:
    """What every request has at hand; `ending` is set once the server is to stop, and nothing should wait any more."""

    parts: Parts
    settings: Settings
    key: bytes
    urls: ImageUrls
    ending: Event = field(default_factory=Event)


def context(request: Request) -> Context:
    """Return what the app was built from."""
    found: Context = request.app.state.context
    return found


def bearer(request: Request) -> str | None:
    """Return the key or token that a machine sends, or None; where it is given, a cookie counts for nothing."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def session_hash(request: Request) -> str | None:
    """Return the hash of the session's secret, or None without a cookie; the session may be over."""
    if bearer(request) is not None:
        return None
    secret = request.cookies.get(_cookie(request))
    return digest(secret) if secret else None


def leave(request: Request, visitor: Actor | None) -> None:
    """End the session of a browser that has signed in anew; it would be nobody's."""
    if visitor is not None and visitor.session_id:
        parts = context(request).parts
        end_session(parts, visitor, visitor.session_id)


def set_session(request: Request, response: Response, secret: str) -> None:
    """Keep a session's secret in the browser, out of reach for scripts and other sites."""
    response.set_cookie(
        _cookie(request),
        secret,
        max_age=int(SESSION_TIME.total_seconds()),
        path=_path(request),
        secure=_secure(request),
        httponly=True,
        samesite="lax",
    )


def clear_session(request: Request, response: Response) -> None:
    """Take the session's secret out of the browser."""
    response.delete_cookie(
        _cookie(request), path=_path(request), secure=_secure(request), httponly=True, samesite="lax"
    )


async def current_actor(request: Request) -> Actor | None:
    """Return who is asking, by one read of the database in each request, or None."""
    if hasattr(request.state, "actor"):  # a thread costs more than this
        known: Actor | None = request.state.actor
        return known
    return await run_in_threadpool(actor_of, request)


def actor_of(request: Request) -> Actor | None:
    """Return what `current_actor` does; it waits for the database, so a thread must call it."""
    if not hasattr(request.state, "actor"):
        request.state.actor = _actor(context(request), bearer(request), session_hash(request))
    known: Actor | None = request.state.actor
    return known


def _actor(here: Context, proof: str | None, secret_hash: str | None) -> Actor | None:
    if proof is not None:
        return machine(here.parts, here.key, proof)
    return None if secret_hash is None else sessions.actor_of(here.parts, secret_hash)


Visitor = Annotated[Actor | None, Depends(current_actor)]


async def rater(actor: Visitor) -> Actor:
    """Demand somebody who is signed in."""
    if actor is None:
        raise Unauthorized("Your session is over, or you have not signed in yet. Sign in, or open a sign-in link.")
    if actor.role == "service":
        raise Forbidden("A key cannot do this; sign in as a person.")
    return actor


Rater = Annotated[Actor, Depends(rater)]


async def admin(actor: Rater) -> Actor:
    """Demand an admin."""
    if actor.role != "admin":
        raise Forbidden("Only an admin of the project may do this.")
    return actor


Admin = Annotated[Actor, Depends(admin)]


async def prompt_reader(actor: Visitor) -> Actor:
    """Demand a key with the scope prompts:read, or an admin."""
    return _able(actor, "pull_prompts")


PromptReader = Annotated[Actor, Depends(prompt_reader)]


async def feedback_sender(actor: Visitor) -> Actor:
    """Demand a key with the scope feedback:write, or an admin."""
    return _able(actor, "send_feedback")


FeedbackSender = Annotated[Actor, Depends(feedback_sender)]


async def table_reader(actor: Visitor) -> Actor:
    """Demand a key with the scope exports:read, or an admin."""
    return _able(actor, "export")


TableReader = Annotated[Actor, Depends(table_reader)]


def _able(actor: Actor | None, action: Action) -> Actor:
    if actor is None:
        raise Unauthorized("Send a key of this project as `Authorization: Bearer …`; admins make keys under Keys.")
    rights.demand(actor, action)
    return actor


def _cookie(request: Request) -> str:
    if not _secure(request):
        return COOKIE
    return SECURE_COOKIE_BELOW if context(request).settings.base else SECURE_COOKIE


def _path(request: Request) -> str:
    return context(request).settings.base or "/"


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"
