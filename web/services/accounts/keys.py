"""Keys of machines: made, listed, revoked, and what a machine proves with one."""

import contextlib
import re
from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import get_args

from ml_service.errors import InvalidRequest, ServiceError, Unauthorized
from web.domain.access import Actor, Scope
from web.domain.accounts import ApiKey, User
from web.domain.ids import new_id
from web.ports.parts import Books
from web.services.accounts import rights
from web.services.accounts.sessions import digest, new_secret
from web.services.accounts.throttle import CLIENT, CLIENTS, Throttle
from web.services.accounts.tokens import Claim, issue, read
from web.services.audit.record import record

PREFIX = "palate_"
NAME_LENGTH = 120
LONGEST_PROOF = 2000
USE_NOTED = timedelta(hours=1)
LONGEST = timedelta(days=3650)
SCOPES: tuple[Scope, ...] = get_args(Scope)
TERMINAL = "the terminal"


@dataclass(frozen=True)
class KeyDraft:
    """What a new key is called and may do, where it is used, and until when."""

    name: str
    scopes: tuple[Scope, ...]
    environment: str = "production"
    expires_at: datetime | None = None


@dataclass(frozen=True)
class KeyLine:
    """A key with whoever answers for it; who left the project answers for it no more, and the key still works."""

    key: ApiKey
    owner: str
    owner_left: bool


def make_key(parts: Books, actor: Actor, draft: KeyDraft) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret, which is kept nowhere.

    Doing this twice makes two keys: the secret of the first cannot be told again.
    """
    rights.demand(actor, "manage_keys")
    now = parts.clock.now()
    name, scopes = draft.name.strip(), _scopes(draft.scopes)
    if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
        raise InvalidRequest(f"A key needs a name of at most {NAME_LENGTH} characters, which says where it is used.")
    if not re.fullmatch("[a-z0-9][a-z0-9-]{0,63}", draft.environment):
        raise InvalidRequest("An environment is a short name like “production”: small letters, digits and hyphens.")
    if draft.expires_at is not None and not now < draft.expires_at <= now + LONGEST:
        raise InvalidRequest(f"A key runs out at a time to come, within {LONGEST.days} days, or never.")
    secret = PREFIX + new_secret()
    with parts.store.begin() as tx:
        key = tx.keys.add(
            ApiKey(
                id=new_id(),
                secret_hash=digest(secret),
                project_id=actor.project_id,
                owner_id=actor.user_id or None,
                name=name,
                environment=draft.environment,
                scopes=scopes,
                created_at=now,
                expires_at=draft.expires_at,
            )
        )
        record(tx, now, actor, "key.made", ("key", key.id), after=key, details={"scopes": " ".join(scopes)})
    return key, secret


def in_days(parts: Books, days: int) -> datetime | None:
    """Return when a key runs out that is good for so many days; with none it never does."""
    return parts.clock.now() + timedelta(days=min(days, LONGEST.days + 1)) if days else None


def list_keys(parts: Books, actor: Actor) -> tuple[KeyLine, ...]:
    """Return the keys of the project, the newest first, revoked ones too."""
    rights.demand(actor, "manage_keys")
    with parts.store.snapshot() as tx:
        keys = tx.keys.all(project_id=actor.project_id)
        owners = {user.id: user for user in tx.users.all(id=tuple({key.owner_id for key in keys if key.owner_id}))}
        members = {one.user_id for one in tx.memberships.all(project_id=actor.project_id, user_id=tuple(owners))}
    return tuple(_line(key, owners.get(key.owner_id or ""), members) for key in reversed(keys))


def revoke_key(parts: Books, actor: Actor, key_id: str) -> ApiKey:
    """End a key and every token made from it, from the next request on; one that was revoked stays so."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        key = rights.found(tx.keys, actor, "manage_keys", "key", key_id)
        if key.revoked_at is not None:
            return key
        revoked = tx.keys.replace(replace(key, revoked_at=now))
        record(tx, now, actor, "key.revoked", ("key", key.id), before=key, after=revoked)
        return revoked


def machine(parts: Books, signing: bytes, proof: str) -> Actor | None:
    """Return the machine that a key, or a token made from one, belongs to; None where it is worth nothing."""
    if len(proof) > LONGEST_PROOF:
        return None
    now = parts.clock.now()
    claim = read(signing, proof, now)
    with parts.store.read() as tx:
        if claim is None:
            found = tx.of_people.machine(now, secret_hash=digest(proof))
        else:
            found = tx.of_people.machine(now, key_id=claim.key_id)
        used_at = tx.keys.get(found.user_id).used_at if found else None
    if found is None:
        return None
    if used_at is None or now - used_at >= USE_NOTED:
        _note_use(parts, found.user_id, now)
    return found if claim is None else replace(found, scopes=tuple(one for one in claim.scopes if one in found.scopes))


def exchange(
    parts: Books, throttle: Throttle, key_id: str, secret: str, wanted: Iterable[str]
) -> tuple[str, tuple[Scope, ...]]:
    """Return a token for a key, and what it is for: all that the key may do, or less where less is wanted."""
    now = parts.clock.now()
    # Counted for the key and the network together: who knows a key's id must not shut out the one who has the key.
    by_key = throttle.guessing(CLIENT, f"{throttle.network}\n{key_id}", Unauthorized)
    with throttle.guessing(CLIENTS, throttle.network, Unauthorized), by_key, parts.store.read() as tx:
        found = tx.of_people.machine(now, secret_hash=digest(secret))
        if found is None or found.user_id != key_id:
            raise Unauthorized("This is not the id and the secret of a key of this server that is in force.")
    names = tuple(wanted)
    if any(name not in found.scopes for name in names):
        raise InvalidRequest(f"This key is for {' '.join(found.scopes)} only.")
    scopes = tuple(scope for scope in found.scopes if not names or scope in names)
    _note_use(parts, found.user_id, now)
    return issue(throttle.key, Claim(key_id, scopes), now), scopes


def _note_use(parts: Books, key_id: str, now: datetime) -> None:
    # Production must get its prompts also while nothing can be written.
    with contextlib.suppress(ServiceError), parts.store.begin() as tx:
        tx.of_people.use_key(key_id, now, now - USE_NOTED)


def _line(key: ApiKey, owner: User | None, members: Set[str]) -> KeyLine:
    if key.owner_id is None or owner is None:
        return KeyLine(key, TERMINAL, owner_left=False)
    return KeyLine(key, owner.email, owner_left=not owner.active or owner.id not in members)


def _scopes(wanted: tuple[Scope, ...]) -> tuple[Scope, ...]:
    found = tuple(scope for scope in SCOPES if scope in wanted)
    if not found or len(found) < len(set(wanted)):
        raise InvalidRequest(f"A key needs one scope or more of: {', '.join(SCOPES)}.")
    return found
