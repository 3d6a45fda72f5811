"""Routes of people and their ways in."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Discriminator, Field, SecretStr, Tag

from ml_service.errors import NotFound
from web.domain.access import Actor, Role
from web.domain.accounts import Session, SignedInBy
from web.http.edge.csrf import csrf_token
from web.http.edge.door import throttle, through_the_door
from web.http.edge.session import Admin, Rater, Visitor, clear_session, context, leave, set_session
from web.http.serving.browsers import browser_name
from web.http.wire.links import link_address
from web.services.accounts import accounts, links, members, passwords, sessions
from web.services.accounts.links import OpenLink
from web.services.accounts.members import Member

router = APIRouter(prefix="/api/v1", tags=["people"])
Email = Annotated[str, Field(max_length=254)]
GivenPassword = Annotated[SecretStr, Field(max_length=passwords.MOST_GIVEN)]


class Strict(BaseModel):
    """A body in which no unknown field is passed over."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class ByLink(Strict):
    """The secret of a link, and a password where one is chosen with it."""

    secret: Annotated[SecretStr, Field(min_length=1, max_length=200)]
    new_password: GivenPassword = SecretStr("")


class ByPassword(Strict):
    """An address and its password."""

    email: Email
    password: GivenPassword


def _way(given: Any) -> str:
    return "password" if isinstance(given, dict) and "email" in given else "link"


SignIn = Annotated[
    Annotated[ByLink, Tag("link")] | Annotated[ByPassword, Tag("password")],
    Discriminator(_way),
]


class NewPassword(Strict):
    """The password to have, and the one there is, where it is asked for."""

    new: GivenPassword
    current: GivenPassword = SecretStr("")


class Invite(Strict):
    """Who may come in as what; a member's address makes a new way in for them."""

    email: Email
    role: Role = "rater"


class Change(Strict):
    """What is to change about a member; what is left out stays."""

    role: Role | None = None
    active: bool | None = None


class Me(BaseModel):
    """Who is signed in, and the token that changes need in `X-CSRF-Token`."""

    user_id: str
    email: str
    role: Role
    csrf_token: str


class User(BaseModel):
    """A member of the project."""

    id: str
    email: str
    role: Role
    active: bool
    created_at: datetime

    @classmethod
    def of(cls, member: Member) -> "User":
        """Show a member."""
        user = member.user
        return cls(id=user.id, email=user.email, role=member.role, active=user.active, created_at=user.created_at)


class LinkOut(BaseModel):
    """A one-time link; it is shown once."""

    link: str


class OpenLinkOut(BaseModel):
    """A link that nobody used yet, without what opens it; `inviter` is empty where it was made in the terminal."""

    id: str
    email: str
    role: Role
    inviter: str
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, found: OpenLink) -> "OpenLinkOut":
        """Show a link to an admin."""
        names = OpenLinkOut.model_fields.keys() - {"inviter"}
        return cls(inviter=found.inviter, **{name: getattr(found.link, name) for name in names})


class SessionOut(BaseModel):
    """A signed-in browser by its rough name, how it came in, and whether it is the one that asks."""

    id: str
    client: str
    via: SignedInBy
    created_at: datetime
    expires_at: datetime
    current: bool

    @classmethod
    def of(cls, session: Session, asking: str) -> "SessionOut":
        """Show a session to its owner."""
        return cls(
            id=session.id,
            client=session.client,
            via=session.via,
            created_at=session.created_at,
            expires_at=session.expires_at,
            current=session.id == asking,
        )


@router.post("/session", status_code=204)
async def sign_in(request: Request, response: Response, visitor: Visitor, given: SignIn) -> None:
    """Sign in by address and password, or by a one-time link, and receive a session cookie."""
    set_session(request, response, await through_the_door(_come_in, request, visitor, given))


@router.get("/session")
def who_am_i(request: Request, rater: Rater) -> Me:
    """Say who is signed in."""
    return Me(user_id=rater.user_id, email=rater.email, role=rater.role, csrf_token=csrf_token(request))


@router.delete("/session", status_code=204)
def sign_out(request: Request, response: Response, rater: Rater) -> None:
    """End this session."""
    here = context(request).parts
    sessions.sign_out(here, rater)
    clear_session(request, response)


@router.get("/sessions")
def own_sessions(request: Request, rater: Rater) -> list[SessionOut]:
    """List the browsers that you are signed in with, the newest first."""
    here = context(request).parts
    return [SessionOut.of(each, rater.session_id) for each in sessions.own_sessions(here, rater)]


@router.delete("/sessions", status_code=204)
def end_other_sessions(request: Request, rater: Rater) -> None:
    """End every session of yours but this one."""
    here = context(request).parts
    sessions.end_other_sessions(here, rater)


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(request: Request, rater: Rater, session_id: str) -> None:
    """End one of your sessions."""
    here = context(request).parts
    sessions.end_session(here, rater, session_id)


@router.post("/password", status_code=204)
async def choose_password(request: Request, rater: Rater, given: NewPassword) -> None:
    """Choose a password, which ends your other sessions; the current one is needed unless you just came by a link."""
    new, current = given.new.get_secret_value(), given.current.get_secret_value()
    await through_the_door(passwords.choose_password, context(request).parts, throttle(request), rater, new, current)


@router.get("/users")
def users(request: Request, admin: Admin) -> list[User]:
    """List the members of the project."""
    return [User.of(member) for member in members.members(context(request).parts, admin)]


@router.post("/users/invites", status_code=201)
def invite(request: Request, admin: Admin, given: Invite) -> LinkOut:
    """Make a one-time link for a newcomer, or for a member by their address."""
    here = context(request).parts
    return LinkOut(link=link_address(request, accounts.invite(here, admin, given.role, given.email)))


@router.get("/users/links")
def open_links(request: Request, admin: Admin) -> list[OpenLinkOut]:
    """List the links that still let somebody in, the newest first."""
    here = context(request).parts
    return [OpenLinkOut.of(found) for found in links.open_links(here, admin)]


@router.delete("/users/links/{link_id}", status_code=204)
def void_link(request: Request, admin: Admin, link_id: str) -> None:
    """Make a link worth nothing before anybody uses it."""
    here = context(request).parts
    links.void_link(here, admin, link_id)


@router.post("/users/{user_id}/links", status_code=201)
def renew_link(request: Request, admin: Admin, user_id: str) -> LinkOut:
    """Make a new sign-in link for a member."""
    here = context(request).parts
    return LinkOut(link=link_address(request, accounts.renew_link(here, admin, user_id)))


@router.delete("/users/{user_id}/sessions", status_code=204)
def sign_out_everywhere(request: Request, admin: Admin, user_id: str) -> None:
    """End all sessions of a member, and void their open links."""
    here = context(request).parts
    members.sign_out_everywhere(here, admin, user_id)


@router.patch("/users/{user_id}")
def change(request: Request, admin: Admin, user_id: str, given: Change) -> User:
    """Change a member's role, or shut them out or let them in again."""
    here = context(request).parts
    if given.role is not None:
        members.set_role(here, admin, user_id, given.role)
    if given.active is not None:
        (members.reactivate if given.active else members.deactivate)(here, admin, user_id)
    found = next((each for each in members.members(here, admin) if each.user.id == user_id), None)
    if found is None:
        raise NotFound("There is no such person in this project.")
    return User.of(found)


def _come_in(request: Request, visitor: Actor | None, given: SignIn) -> str:
    here, guard, client = context(request).parts, throttle(request), browser_name(request)
    if isinstance(given, ByPassword):
        word = given.password.get_secret_value()
        secret = passwords.sign_in(here, guard, given.email, word, client)
    else:
        link, word = given.secret.get_secret_value(), given.new_password.get_secret_value()
        secret = accounts.come_in(here, guard, link, word, client)
    leave(request, visitor)
    return secret
