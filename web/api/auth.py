"""Routes of people and their sessions."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from web.domain.access import Role
from web.http.csrf import csrf_token
from web.http.links import link_address
from web.http.session import Admin, Rater, clear_session, context, set_session
from web.services import accounts
from web.services.accounts import Member

router = APIRouter(prefix="/api/v1", tags=["people"])
Secret = Annotated[str, Field(min_length=1, max_length=200)]
Email = Annotated[str, Field(max_length=254)]


class Strict(BaseModel):
    """A body in which no unknown field is passed over."""

    model_config = ConfigDict(extra="forbid")


class SignIn(Strict):
    """The secret of a link, and an address where the link has none."""

    secret: Secret
    email: Email = ""


class Invite(Strict):
    """Who may come in as what; without an address, whoever opens the link gives theirs."""

    role: Role = "rater"
    email: Email = ""


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


@router.post("/session", status_code=204)
def sign_in(request: Request, response: Response, given: SignIn) -> None:
    """Use a one-time link and receive a session cookie."""
    here = context(request).parts
    set_session(request, response, accounts.use_link(here.store, here.clock, given.secret, given.email))


@router.get("/session")
def who_am_i(request: Request, rater: Rater) -> Me:
    """Say who is signed in."""
    return Me(user_id=rater.user_id, email=rater.email, role=rater.role, csrf_token=csrf_token(request))


@router.delete("/session", status_code=204)
def sign_out(request: Request, response: Response, rater: Rater) -> None:
    """End this session."""
    here = context(request).parts
    accounts.sign_out(here.store, here.clock, rater)
    clear_session(request, response)


@router.get("/users")
def users(request: Request, admin: Admin) -> list[User]:
    """List the members of the project."""
    return [User.of(member) for member in accounts.members(context(request).parts.store, admin)]


@router.post("/users/invites", status_code=201)
def invite(request: Request, admin: Admin, given: Invite) -> LinkOut:
    """Make a one-time link for a newcomer, or for a member by their address."""
    here = context(request).parts
    return LinkOut(link=link_address(request, accounts.invite(here.store, here.clock, admin, given.role, given.email)))


@router.post("/users/{user_id}/links", status_code=201)
def renew_link(request: Request, admin: Admin, user_id: str) -> LinkOut:
    """Make a new sign-in link for a member."""
    here = context(request).parts
    return LinkOut(link=link_address(request, accounts.renew_link(here.store, here.clock, admin, user_id)))


@router.patch("/users/{user_id}")
def change(request: Request, admin: Admin, user_id: str, given: Change) -> User:
    """Change a member's role, or shut them out or let them in again."""
    here = context(request).parts
    if given.role is not None:
        accounts.set_role(here.store, here.clock, admin, user_id, given.role)
    if given.active is not None:
        (accounts.reactivate if given.active else accounts.deactivate)(here.store, here.clock, admin, user_id)
    return next(User.of(each) for each in accounts.members(here.store, admin) if each.user.id == user_id)
