"""Passwords: what makes a good one, signing in by one, and changing it."""

import secrets
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from ml_service.errors import Conflict, InvalidRequest, Unauthorized
from web.domain.access import Actor
from web.domain.accounts import Membership, Password, User
from web.ports.parts import Parts
from web.ports.people import Passwords
from web.rows.accounts import AccountRows
from web.rows.audit import AuditRows
from web.services.accounts.sessions import begin_session, hold_chains, record_begun, record_shut, shut
from web.services.accounts.strength import why_easy
from web.services.accounts.throttle import ADDRESS, ADDRESS_EVERYWHERE, CURRENT_PASSWORD, NETWORK, Throttle
from web.services.audit.record import record

LEAST, MOST = 10, 128
MOST_GIVEN = 4 * MOST  # in other normal forms a password has more characters
RESET_TIME = timedelta(minutes=15)
WRONG = "The address or the password is not right. Who has no password, or forgot it, asks an admin for a link."
ELSEWHERE = (
    "You are in another project too, where a password would let you in: change the one you have under Account, "
    "or ask for a link from the terminal of the server."
)


@dataclass(frozen=True)
class PasswordState:
    """Since when somebody has a password, whether it must be given to choose another, and why none can be chosen."""

    set_at: datetime | None
    needs_current: bool
    why_not: str = ""


def checked(password: str, address: str) -> str:
    """Return a new password in the form that is hashed, or raise InvalidRequest that says why it will not do."""
    if len(password) > MOST_GIVEN or len(chosen := _normal(password)) > MOST:
        raise InvalidRequest(f"A password has at most {MOST} characters.")
    if len(chosen) < LEAST:
        raise InvalidRequest(f"A password needs {LEAST} characters or more; a few uncommon words are good.")
    name, _, host = address.partition("@")
    if why := why_easy(chosen, (address, name, host.partition(".")[0], "palate")):
        raise InvalidRequest(f"This password is too easy to guess. {why}")
    return chosen


def sign_in(parts: Parts, throttle: Throttle, email: str, password: str, client: str = "") -> str:
    """Sign in by address and password and return the session's secret.

    Whatever is wrong, the answer is the same after the same work: counted first, then one hash is compared.
    """
    address = email.strip().lower()
    nearby = f"{throttle.network}\n{address}"
    throttle.count((ADDRESS, nearby), (ADDRESS_EVERYWHERE, address), (NETWORK, throttle.network))
    decoy = _decoy(parts.passwords)  # type: ignore[arg-type]  # a protocol says nothing of hashes
    user, kept = _account(parts, address)
    given = _normal(password) if len(password) <= MOST_GIVEN else ""
    right = parts.passwords.verify(kept.hash if kept else decoy, given)
    if not right or user is None or kept is None or not user.active:
        raise Unauthorized(WRONG)
    renewed = parts.passwords.hash(given) if parts.passwords.is_outdated(kept.hash) else kept.hash
    now = parts.clock.now()
    with parts.store.begin() as tx:
        member = _still_welcome(tx, user, kept)
        actor = Actor(user.id, user.email, member.project_id, member.role)
        if renewed != kept.hash:
            tx.passwords.replace(replace(tx.passwords.get(user.id), hash=renewed))
        throttle.forget(tx, ADDRESS, nearby)
        throttle.take_back(tx, ADDRESS_EVERYWHERE, address)
        throttle.take_back(tx, NETWORK, throttle.network)
        session, secret = begin_session(tx, member, now, "password", client)
        record_begun(tx, now, actor, session)
    return secret


def password_state(parts: Parts, actor: Actor) -> PasswordState:
    """Return whether whoever asks has a password, and what they need to change it."""
    with parts.store.read() as tx:
        return _state(tx, actor, parts.clock.now())


def choose_password(parts: Parts, throttle: Throttle, actor: Actor, password: str, current: str = "") -> None:
    """Set the password of whoever asks, and end their other sessions and open links.

    The current one is needed, unless there is none or the session came by a link within the last 15 minutes: a link
    of an admin is how a forgotten password is replaced. It opens every project of its owner, so who is in several and
    cannot give the current one chooses it with a link from the server's terminal.
    """
    with parts.store.read() as tx:
        kept, state = tx.passwords.find(id=actor.user_id), _state(tx, actor, parts.clock.now())
    chosen = checked(password, actor.email)
    if kept is not None and state.needs_current:
        throttle.count((CURRENT_PASSWORD, actor.user_id))
        if not parts.passwords.verify(kept.hash, _normal(current[:MOST_GIVEN])):
            raise InvalidRequest("The current password is not right.")
    hashed, now = parts.passwords.hash(chosen), parts.clock.now()
    with parts.store.begin() as tx:
        tx.of_people.lock(actor.user_id)
        session = tx.sessions.find(id=actor.session_id, revoked_at=None)
        if session is None or not tx.users.get(actor.user_id).active:
            raise Unauthorized("Your session was ended meanwhile; sign in again.")
        if tx.passwords.find(id=actor.user_id) != kept:
            raise Conflict("The password was changed meanwhile; load the page again.")
        if not state.needs_current and not may_replace(tx, actor.user_id, actor.project_id):
            raise InvalidRequest(ELSEWHERE)
        keep_password(tx, actor.user_id, hashed, now)
        throttle.forget(tx, CURRENT_PASSWORD, actor.user_id)
        changes = shut(tx, actor.user_id, actor.email, now, but=actor.session_id)
        hold_chains(tx, actor, changes)
        record_password(tx, now, actor)
        record_shut(tx, now, actor, changes)


def keep_password(tx: AccountRows, user_id: str, hashed: str, now: datetime) -> None:
    """Put a user's password in the place of the one they had."""
    kept = tx.passwords.find(id=user_id)
    if kept is None:
        tx.passwords.add(Password(user_id, hashed, now))
    else:
        tx.passwords.replace(replace(kept, hash=hashed, set_at=now))


def record_password(tx: AuditRows, now: datetime, actor: Actor) -> None:
    """Write down that somebody chose a password, and nothing of it."""
    record(tx, now, actor, "password.set", ("user", actor.user_id))


def _account(parts: Parts, address: str) -> tuple[User | None, Password | None]:
    with parts.store.read() as tx:
        user = tx.users.find(email=address) if address.isprintable() else None
        return user, tx.passwords.find(id=user.id if user else "")


def _still_welcome(tx: AccountRows, user: User, kept: Password) -> Membership:
    """Return where somebody signs in, if since their password was read they were not shut out and it still holds."""
    tx.of_people.lock(user.id)
    now_kept, memberships = tx.passwords.find(id=user.id), tx.memberships.all(user_id=user.id)
    unchanged = now_kept is not None and now_kept.set_at == kept.set_at
    if not unchanged or not memberships or not tx.users.get(user.id).active:
        raise Unauthorized(WRONG)
    return _last_used(tx, memberships)


def _last_used(tx: AccountRows, memberships: tuple[Membership, ...]) -> Membership:
    """Return the membership of the project that a person was in last, or the first one they have."""
    by_project = {one.project_id: one for one in memberships}
    visited = [one.project_id for one in reversed(tx.sessions.all(user_id=memberships[0].user_id))]
    return next((by_project[one] for one in visited if one in by_project), memberships[0])


def may_replace(tx: AccountRows, user_id: str, project_id: str) -> bool:
    """Tell whether who comes by a link into a project may choose a password, which opens all projects they are in."""
    return all(one.project_id == project_id for one in tx.memberships.all(user_id=user_id))


def _state(tx: AccountRows, actor: Actor, now: datetime) -> PasswordState:
    kept, session = tx.passwords.find(id=actor.user_id), tx.sessions.find(id=actor.session_id)
    by_link = session is not None and session.via == "link" and now - session.created_at < RESET_TIME
    alone = may_replace(tx, actor.user_id, actor.project_id)
    if kept is None:
        return PasswordState(None, needs_current=False, why_not="" if alone else ELSEWHERE)
    return PasswordState(kept.set_at, needs_current=not (by_link and alone))


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)


@lru_cache(maxsize=4)
def _decoy(passwords: Passwords) -> str:
    """Return the hash of a password that nobody knows, for accounts that have none."""
    return passwords.hash(secrets.token_hex())
