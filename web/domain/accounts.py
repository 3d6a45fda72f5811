"""People and machines as they come in: users, passwords, sessions, links, keys."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from ml_service.errors import InvalidRequest
from web.domain.access import Role, Scope

SignedInBy = Literal["link", "password"]


@dataclass(frozen=True)
class User:
    """A person who signs in; of an erased one nothing is left that says who it was.

    `time_zone` is the name of the one whose midnight begins their day.
    """

    id: str
    email: str
    created_at: datetime
    active: bool = True
    erased_at: datetime | None = None
    time_zone: str = "UTC"
    revision: int = 0

    def erased(self, now: datetime) -> "User":
        """Return what is left of a person: an id, and a name made of it."""
        return replace(self, email=f"erased person {self.id[-12:]}", active=False, erased_at=now, time_zone="UTC")


@dataclass(frozen=True)
class Password:
    """What proves a user's password, kept under the user's id and never beside the user; `hash` is argon2id's."""

    id: str
    hash: str = field(repr=False)
    set_at: datetime
    revision: int = 0


@dataclass(frozen=True)
class Membership:
    """The role of a user in a project, and the study that they chose to rate there, None for all that are theirs."""

    id: str
    project_id: str
    user_id: str
    role: Role
    created_at: datetime
    rates: str | None = None
    revision: int = 0


@dataclass(frozen=True)
class Session:
    """A browser signed in to a project; only the hash of its secret is kept, and a rough name of the browser."""

    id: str
    secret_hash: str = field(repr=False)
    user_id: str
    project_id: str
    created_at: datetime
    expires_at: datetime
    via: SignedInBy = "link"
    client: str = ""
    revoked_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True)
class Link:
    """A one-time way in: it makes its user a member and signs them in; only the hash of its secret is kept."""

    id: str
    secret_hash: str = field(repr=False)
    project_id: str
    role: Role
    email: str
    created_at: datetime
    expires_at: datetime
    created_by: str | None = None
    used_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True)
class ApiKey:
    """A machine's way in, for what its scopes allow; its owner answers for it, and only the secret's hash is kept."""

    id: str
    secret_hash: str = field(repr=False)
    project_id: str
    owner_id: str | None
    name: str
    environment: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True)
class Attempts:
    """How often something was tried since a time, under the hash of what is tried."""

    id: str
    count: int
    since: datetime


def email_address(text: str) -> str:
    """Return an address in the one form it is kept in, or raise InvalidRequest; `name@localhost` is fine."""
    cleaned = text.strip().lower()
    if len(cleaned) > 254 or not re.fullmatch(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+", cleaned):
        raise InvalidRequest(f"“{text.strip()[:80]}” is not an e-mail address; it needs the form name@example.org.")
    return cleaned
