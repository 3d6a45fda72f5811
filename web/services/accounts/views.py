"""What the pages of accounts show, each of one moment."""

from dataclasses import dataclass

from ml_service.errors import NotFound
from web.domain.access import Actor
from web.domain.accounts import Session, User
from web.domain.studies.study import Project
from web.ports.parts import Parts
from web.services.accounts.links import OpenLink, open_links
from web.services.accounts.members import Member, members
from web.services.accounts.passwords import PasswordState, password_state
from web.services.accounts.projects import own_projects
from web.services.accounts.sessions import own_sessions


@dataclass(frozen=True)
class Account:
    """One's own account: where one is signed in, how the password stands, in which projects one is,
    and by which zone one's day begins.
    """

    sessions: tuple[Session, ...]
    password: PasswordState
    projects: tuple[Project, ...]


@dataclass(frozen=True)
class People:
    """Everybody of a project, and the links that still let somebody in."""

    members: tuple[Member, ...]
    waiting: tuple[OpenLink, ...]


def account(parts: Parts, actor: Actor) -> Account:
    """Return the account of whoever asks."""
    with parts.store.snapshot() as tx:
        seen = parts.at(tx)
        sessions = own_sessions(seen, actor)
        return Account(sessions, password_state(seen, actor), own_projects(seen, actor))


def people(parts: Parts, admin: Actor) -> People:
    """Return who is in the admin's project, and who was asked to come."""
    with parts.store.snapshot() as tx:
        seen = parts.at(tx)
        return People(members(seen, admin), open_links(seen, admin))


def user_of(parts: Parts, address: str, user_id: str = "") -> User:
    """Return whoever has an address, or else an id."""
    with parts.store.read() as tx:
        found = tx.users.find(email=address.strip().lower()) or (tx.users.find(id=user_id) if user_id else None)
    if found is None:
        raise NotFound(f"Nobody here has the address {'or the id ' if user_id else ''}{address}.")
    return found
