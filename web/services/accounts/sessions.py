"""Sessions of signed-in browsers: how they begin, which there are, and how they end."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from ml_service.errors import NotFound
from web.domain.access import Actor
from web.domain.accounts import Link, Session, SignedInBy
from web.domain.ids import new_id
from web.ports.time import Clock
from web.rows.transaction import Store, Transaction
from web.services.audit.record import record

SESSION_TIME = timedelta(days=30)
SECRET_BYTES = 32
CLIENT_LENGTH = 80

Change = tuple[Session, Session] | tuple[Link, Link]


def new_secret() -> str:
    """Return a secret of 256 random bits, as text that fits into an address."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def begin_session(tx: Transaction, user_id: str, now: datetime, via: SignedInBy, client: str) -> tuple[Session, str]:
    """Add a session and return it with its secret, which is kept nowhere; `client` is the browser's rough name."""
    secret = new_secret()
    session = Session(new_id(), digest(secret), user_id, now, now + SESSION_TIME, via, client[:CLIENT_LENGTH])
    return tx.sessions.add(session), secret


def record_begun(tx: Transaction, now: datetime, actor: Actor, session: Session) -> None:
    """Write down that somebody came in, and how."""
    record(tx, now, actor, "session.begun", ("session", session.id), after=session, details={"via": session.via})


def shut(tx: Transaction, user_id: str, email: str, now: datetime, *, but: str = "") -> tuple[Change, ...]:
    """End a user's sessions, all but one, and void the open links to their address; return what changed."""
    tx.of_people.lock(user_id)
    ended = tuple((each, _end(tx, each, now)) for each in _running(tx, user_id, now) if each.id != but)
    voided = tuple(
        (each, tx.links.replace(replace(each, used_at=now))) for each in tx.links.all(email=email, used_at=None)
    )
    return ended + voided


def void_made_by(tx: Transaction, user_id: str, now: datetime) -> tuple[Change, ...]:
    """Void the open links that somebody made who may let nobody in any more; return what changed."""
    made = tx.links.all(created_by=user_id, used_at=None)
    return tuple((each, tx.links.replace(replace(each, used_at=now))) for each in made)


def record_shut(tx: Transaction, now: datetime, actor: Actor, changes: Iterable[Change]) -> None:
    """Write down which sessions were ended and which links voided."""
    for before, after in changes:
        kind, action = ("session", "session.ended") if isinstance(before, Session) else ("link", "link.voided")
        record(tx, now, actor, action, (kind, before.id), before=before, after=after)


def actor_of(store: Store, clock: Clock, secret_hash: str) -> Actor | None:
    """Return whose running session has a secret of this hash, or None."""
    with store.read() as tx:
        return tx.of_people.actor(secret_hash, clock.now())


def own_sessions(store: Store, clock: Clock, actor: Actor) -> tuple[Session, ...]:
    """Return the running sessions of whoever asks, the newest first."""
    with store.read() as tx:
        return _running(tx, actor.user_id, clock.now())


def sign_out(store: Store, clock: Clock, actor: Actor) -> None:
    """End the session that asks."""
    end_session(store, clock, actor, actor.session_id)


def end_session(store: Store, clock: Clock, actor: Actor, session_id: str) -> None:
    """End a session of whoever asks; one that is over already stays so."""
    now = clock.now()
    with store.begin() as tx:
        tx.of_people.lock(actor.user_id)
        session = tx.sessions.find(id=session_id, user_id=actor.user_id)
        if session is None:
            raise NotFound("You have no such session; it may be somebody else's.")
        if session.revoked_at is None:
            record_shut(tx, now, actor, [(session, _end(tx, session, now))])


def end_other_sessions(store: Store, clock: Clock, actor: Actor) -> int:
    """End every session of whoever asks but the one that asks; return how many there were."""
    now = clock.now()
    with store.begin() as tx:
        tx.of_people.lock(actor.user_id)
        running = _running(tx, actor.user_id, now)
        ended = [(each, _end(tx, each, now)) for each in running if each.id != actor.session_id]
        record_shut(tx, now, actor, ended)
    return len(ended)


def _running(tx: Transaction, user_id: str, now: datetime) -> tuple[Session, ...]:
    found = tx.sessions.all(user_id=user_id, revoked_at=None)
    return tuple(session for session in reversed(found) if session.expires_at > now)


def _end(tx: Transaction, session: Session, now: datetime) -> Session:
    return tx.sessions.replace(replace(session, revoked_at=now))
