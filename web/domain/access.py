"""Who may do what: users, their roles in a project, and the only question asked about rights."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ml_service.errors import InvalidRequest

Role = Literal["rater", "admin"]
Action = Literal["rate", "upload", "see_own", "see_all", "steer", "manage_people"]

_MAY: dict[Role, frozenset[Action]] = {
    "rater": frozenset({"rate", "upload", "see_own"}),
    "admin": frozenset({"rate", "upload", "see_own", "see_all", "steer", "manage_people"}),
}


@dataclass(frozen=True)
class User:
    """A person who signs in."""

    id: str
    email: str
    created_at: datetime
    active: bool = True
    revision: int = 0


@dataclass(frozen=True)
class Membership:
    """The role of a user in a project."""

    id: str
    project_id: str
    user_id: str
    role: Role
    created_at: datetime
    revision: int = 0


@dataclass(frozen=True)
class Actor:
    """Who is asking: a user with a role in a project, through a session."""

    user_id: str
    email: str
    project_id: str
    role: Role
    session_id: str = ""


@dataclass(frozen=True)
class Session:
    """A signed-in browser; only the hash of its secret is kept."""

    id: str
    secret_hash: str
    user_id: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True)
class Link:
    """A one-time way in: it makes its user a member and signs them in; only the hash of its secret is kept."""

    id: str
    secret_hash: str
    project_id: str
    role: Role
    email: str
    created_at: datetime
    expires_at: datetime
    created_by: str | None = None
    used_at: datetime | None = None
    revision: int = 0


def allowed(actor: Actor, action: Action, project_id: str) -> bool:
    """Tell whether an actor may do something in a project."""
    return actor.project_id == project_id and action in _MAY[actor.role]


def email_address(text: str) -> str:
    """Return an address in the one form it is kept in, or raise InvalidRequest; `name@localhost` is fine."""
    cleaned = text.strip().lower()
    if len(cleaned) > 254 or not re.fullmatch(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+", cleaned):
        raise InvalidRequest(f"“{text.strip()[:80]}” is not an e-mail address; it needs the form name@example.org.")
    return cleaned
