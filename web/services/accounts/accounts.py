"""Who may come in: the first admin, and others by links that work once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ml_service.errors import Conflict, Forbidden, Gone, InvalidRequest, NotFound
from web.domain.access import Actor, Role
from web.domain.accounts import Link, Membership, User, email_address
from web.domain.clocks import is_ahead
from web.domain.ids import new_id
from web.domain.studies.study import Project
from web.ports.parts import Books, Parts
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.accounts.members import _admins, _member
from web.services.accounts.passwords import ELSEWHERE, checked, keep_password, may_replace, record_password
from web.services.accounts.sessions import (
    begin_session,
    digest,
    hold_chains,
    new_secret,
    record_begun,
    record_shut,
    shut,
)
from web.services.accounts.throttle import LINK, Throttle
from web.services.audit.record import record

LINK_TIME = timedelta(days=7)
FIRST_ADMIN = "admin@localhost"


@dataclass(frozen=True)
class Invitation:
    """What the page of an open link says before it is used; only who holds the link learns if it is a member's.

    With a link that `may_choose`, a password can be chosen.
    """

    link: Link
    project: str
    inviter: str
    member: bool
    may_choose: bool


def bootstrap(parts: Books, admin_emails: tuple[str, ...]) -> str | None:
    """Make the project and its admins on an empty database; return a sign-in link's secret until somebody came in."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        joined: list[Membership] = []
        if tx.of_people.default_project() is None:
            project = tx.projects.add(Project(new_id(), "Palate", now))
            joined = [_add_member(tx, project.id, email, "admin", now) for email in admin_emails or (FIRST_ADMIN,)]
        actor = _operator(tx)
        secret = None if tx.sessions.find() is not None else _first_link(tx, actor, now)
        for membership in joined:
            _record_joined(tx, now, actor, membership, "role.given")
        return secret


def _first_link(tx: Transaction, actor: Actor, now: datetime) -> str:
    admin = _admins(tx, actor.project_id)[0]
    return _issue(tx, actor, "admin", tx.users.get(admin.user_id).email, now)


def operator(parts: Books) -> Actor:
    """Return who works from the terminal of the server: no user, and everything an admin may do."""
    with parts.store.read() as tx:
        return _operator(tx)


def invite(parts: Books, actor: Actor, role: Role, email: str) -> str:
    """Make a one-time link for an address and return its secret.

    A member's address makes a new way in for them, in the role they have. There are no links without an address: who
    may type one while signed out could try out which addresses have an account.
    """
    rights.demand(actor, "manage_people")
    with parts.store.begin() as tx:
        return _issue(tx, actor, role, email_address(email), parts.clock.now())


def renew_link(parts: Books, actor: Actor, user_id: str) -> str:
    """Make a new sign-in link for a member and return its secret."""
    rights.demand(actor, "manage_people")
    with parts.store.begin() as tx:
        member = _member(tx, actor, user_id)
        return _issue(tx, actor, member.role, member.user.email, parts.clock.now())


def open_link(parts: Books, secret: str) -> Invitation:
    """Return what a link leads to without using it; NotFound or Gone says why it leads nowhere."""
    with parts.store.snapshot() as tx:
        link = _usable(tx, secret, parts.clock.now())
        inviter, user = tx.users.find(id=link.created_by), tx.users.find(email=link.email)
        member = user is not None and tx.memberships.find(user_id=user.id, project_id=link.project_id) is not None
        project = tx.projects.get(link.project_id).name
        return Invitation(link, project, inviter.email if inviter else "", member, _may_choose(tx, link, user))


def come_in(parts: Parts, throttle: Throttle, secret: str, password: str = "", client: str = "") -> str:
    """Sign in by a link, once, choose a password where one is given, and return the session's secret."""
    with throttle.guessing(LINK, throttle.network, NotFound):
        address = open_link(parts, secret).link.email
    hashed = parts.passwords.hash(checked(password, address)) if password else ""
    return use_link(parts, secret, client=client, hashed=hashed)


def use_link(parts: Books, secret: str, *, client: str = "", hashed: str = "") -> str:
    """Sign in by a link, once, and return the session's secret; a newcomer becomes a member.

    It signs in to its own project. The hash of a new password replaces the one there was, and ends all other ways in.
    """
    now = parts.clock.now()
    with parts.store.begin() as tx:
        link = _usable(tx, secret, now)
        if hashed and not _may_choose(tx, link, tx.users.find(email=link.email)):
            raise InvalidRequest(ELSEWHERE)
        used = tx.links.replace(replace(link, used_at=now))
        user, member, is_new = _member_by(tx, link, now)
        session, fresh = begin_session(tx, member, now, "link", client)
        actor = Actor(user.id, user.email, link.project_id, link.role, session.id)
        if hashed:
            keep_password(tx, user.id, hashed, now)
        changes = shut(tx, user.id, user.email, now, but=session.id) if hashed else ()
        hold_chains(tx, actor, changes)
        record(tx, now, actor, "link.used", ("link", link.id), before=link, after=used)
        if is_new:
            _record_joined(tx, now, actor, member, "role.taken")
        record_begun(tx, now, actor, session)
        if hashed:
            record_password(tx, now, actor)
        record_shut(tx, now, actor, changes)
        return fresh


def _operator(tx: Transaction) -> Actor:
    project_id = tx.of_people.default_project()
    if project_id is None:
        raise NotFound("This database has no project yet; start the server once, and it makes one.")
    return Actor("", "the terminal", project_id, "admin")


def _issue(tx: Transaction, actor: Actor, role: Role, email: str, now: datetime) -> str:
    if role not in ("rater", "admin"):
        raise InvalidRequest(f"A role is “rater” or “admin”, not “{role}”.")
    user = tx.users.find(email=email)
    held = tx.memberships.find(project_id=actor.project_id, user_id=user.id) if user else None
    if user is not None and held is not None:
        role = held.role
        if not user.active:
            raise Conflict("This account is deactivated; reactivate it before you make a link for it.")
    secret = new_secret()
    link = Link(new_id(), digest(secret), actor.project_id, role, email, now, now + LINK_TIME, actor.user_id or None)
    tx.links.add(link)
    record(tx, now, actor, "link.made", ("link", link.id), after=link, details={"role": role})
    return secret


def _usable(tx: Transaction, secret: str, now: datetime) -> Link:
    link = tx.links.find(secret_hash=digest(secret))
    if link is None:
        raise NotFound("This link is not known here; check that it was copied whole, or ask for a new one.")
    if link.used_at is not None:
        raise Gone("This link was used already or made void; ask for a new one.")
    if is_ahead(link.created_at, now):
        raise Gone("This link was made by a clock that was ahead of the one here; ask for a new one.")
    if link.expires_at <= now:
        raise Gone(f"This link ran out on {link.expires_at:%d %B %Y}; ask for a new one.")
    return link


def _member_by(tx: Transaction, link: Link, now: datetime) -> tuple[User, Membership, bool]:
    """Return whom a link lets in, and what they are in its project; whether that is new comes last."""
    user = tx.users.find(email=link.email)
    if user is None:
        joined = _add_member(tx, link.project_id, link.email, link.role, now)
        return tx.users.get(joined.user_id), joined, True
    tx.of_people.lock(user.id)
    if not tx.users.get(user.id).active:
        raise Forbidden("This account is deactivated; an admin can reactivate it.")
    held = tx.memberships.find(project_id=link.project_id, user_id=user.id)
    if held is not None:
        return user, held, False
    return user, tx.memberships.add(Membership(new_id(), link.project_id, user.id, link.role, now)), True


def _may_choose(tx: Transaction, link: Link, user: User | None) -> bool:
    """Tell whether a link lets its user choose a password: whoever made it could, and would be in all their projects.

    The terminal of the server is above all projects.
    """
    return user is None or link.created_by is None or may_replace(tx, user.id, link.project_id)


def _add_member(tx: Transaction, project_id: str, email: str, role: Role, now: datetime) -> Membership:
    user = tx.users.add(User(new_id(), email, now))
    return tx.memberships.add(Membership(new_id(), project_id, user.id, role, now))


def _record_joined(tx: Transaction, now: datetime, actor: Actor, joined: Membership, action: str) -> None:
    record(tx, now, actor, action, ("user", joined.user_id), after=joined, details={"role": joined.role})
