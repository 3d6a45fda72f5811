"""Sessions of signed-in browsers: how they begin, which there are, and how they end."""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from ml_service.errors import NotFound
from web.domain.access import Actor
from web.domain.accounts import Link, Membership, Session, SignedInBy
from web.domain.ids import new_id
from web.ports.parts import Books
from web.rows.accounts import AccountRows
from web.rows.audit import AuditRows
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


def begin_session(
    tx: AccountRows, member: Membership, now: datetime, via: SignedInBy, client: str
) -> tuple[Session, str]:
    """Add a session and return it with its secret, which is kept nowhere; `client` is the browser's rough name."""
    secret, until, name = new_secret(), now + SESSION_TIME, client[:CLIENT_LENGTH]
    session = Session(new_id(), digest(secret), member.user_id, member.project_id, now, until, via, name)
    return tx.sessions.add(session), secret


def record_begun(tx: AuditRows, now: datetime, actor: Actor, session: Session) -> None:
    """Write down that somebody came in, and how."""
    record(tx, now, actor, "session.begun", ("session", session.id), after=session, details={"via": session.via})


def shut(
    tx: AccountRows, user_id: str, email: str, now: datetime, *, but: str = "", project_id: str | None = None
) -> tuple[Change, ...]:
    """End a user's sessions, all but one, and void the open links to their address; return what changed.

    Those of one project, where one is named.
    """
    tx.of_people.lock(user_id)
    one = {} if project_id is None else {"project_id": project_id}
    running = [each for each in _running(tx, user_id, now) if each.id != but and project_id in (None, each.project_id)]
    ended = tuple((each, end(tx, each, now)) for each in running)
    return ended + tuple(_voided(tx, tx.links.all(email=email, used_at=None, **one), now))


def void_made_by(tx: AccountRows, user_id: str, now: datetime, project_id: str | None = None) -> tuple[Change, ...]:
    """Void the open links that somebody made who may let nobody in any more, to one project or to all."""
    one = {} if project_id is None else {"project_id": project_id}
    return tuple(_voided(tx, tx.links.all(created_by=user_id, used_at=None, **one), now))


def _voided(tx: AccountRows, links: Iterable[Link], now: datetime) -> Iterator[tuple[Link, Link]]:
    for link in links:
        yield link, tx.links.replace(replace(link, used_at=now))


def record_shut(tx: AuditRows, now: datetime, actor: Actor, changes: Iterable[Change]) -> None:
    """Write down which sessions were ended and which links voided, each in the chain of its project."""
    for before, after in sorted(changes, key=lambda change: change[0].project_id):
        kind, action = ("session", "session.ended") if isinstance(before, Session) else ("link", "link.voided")
        there = replace(actor, project_id=before.project_id)
        record(tx, now, there, action, (kind, before.id), before=before, after=after)


def hold_chains(tx: AuditRows, actor: Actor, changes: Iterable[Change]) -> None:
    """Take the locks of all chains that some changes go into, in one order: else two might wait for each other."""
    for project_id in sorted({actor.project_id, *(before.project_id for before, _ in changes)}):
        tx.of_audit.lock(project_id)


def actor_of(parts: Books, secret_hash: str) -> Actor | None:
    """Return whose running session has a secret of this hash, or None."""
    with parts.store.read() as tx:
        return tx.of_people.actor(secret_hash, parts.clock.now())


def own_sessions(parts: Books, actor: Actor) -> tuple[Session, ...]:
    """Return the running sessions of whoever asks, the newest first."""
    with parts.store.read() as tx:
        return _running(tx, actor.user_id, parts.clock.now())


def sign_out(parts: Books, actor: Actor) -> None:
    """End the session that asks."""
    end_session(parts, actor, actor.session_id)


def end_session(parts: Books, actor: Actor, session_id: str) -> None:
    """End a session of whoever asks; one that is over already stays so."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        tx.of_people.lock(actor.user_id)
        session = tx.sessions.find(id=session_id, user_id=actor.user_id)
        if session is None:
            raise NotFound("You have no such session; it may be somebody else's.")
        if session.revoked_at is None:
            record_shut(tx, now, actor, [(session, end(tx, session, now))])


def end_other_sessions(parts: Books, actor: Actor) -> int:
    """End every session of whoever asks but the one that asks; return how many there were."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        tx.of_people.lock(actor.user_id)
        running = _running(tx, actor.user_id, now)
        ended = [(each, end(tx, each, now)) for each in running if each.id != actor.session_id]
        hold_chains(tx, actor, ended)
        record_shut(tx, now, actor, ended)
    return len(ended)


def _running(tx: AccountRows, user_id: str, now: datetime) -> tuple[Session, ...]:
    found = tx.sessions.all(user_id=user_id, revoked_at=None)
    return tuple(session for session in reversed(found) if session.expires_at > now)


def end(tx: AccountRows, session: Session, now: datetime) -> Session:
    """End a session and return it as it is then."""
    return tx.sessions.replace(replace(session, revoked_at=now))
