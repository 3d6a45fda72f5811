"""The members of a project: who they are, what they may do there, and how that ends."""

from dataclasses import dataclass, replace

from ml_service.errors import Conflict, Gone, NotFound
from web.domain.access import Actor, Role
from web.domain.accounts import Membership, User
from web.ports.parts import Books
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.accounts.sessions import record_shut, shut, void_made_by
from web.services.audit.record import record


@dataclass(frozen=True)
class Member:
    """A person of a project and what they may do there."""

    user: User
    role: Role


def members(parts: Books, actor: Actor) -> tuple[Member, ...]:
    """Return everybody of the project, by address."""
    rights.demand(actor, "manage_people")
    with parts.store.read() as tx:
        found = tx.memberships.all(project_id=actor.project_id)
        users = {user.id: user for user in tx.users.all(id=tuple(each.user_id for each in found))}
    return tuple(sorted((Member(users[each.user_id], each.role) for each in found), key=lambda each: each.user.email))


def deactivate(parts: Books, actor: Actor, user_id: str) -> None:
    """Shut a member out at once: sessions end, open links to and from them are void; what they rated stays.

    Who is in another project too leaves this one, and keeps the account.
    """
    rights.demand(actor, "manage_people")
    now = parts.clock.now()
    with parts.store.begin() as tx:
        keep_an_admin(tx, actor, user_id)
        user, here = _member(tx, actor, user_id).user, actor.project_id
        changes = shut(tx, user_id, user.email, now, project_id=here) + void_made_by(tx, user_id, now, here)
        if len(tx.memberships.all(user_id=user_id)) > 1:
            held = membership_of(tx, actor, user_id)
            tx.memberships.remove(id=held.id)
            record(tx, now, actor, "role.ended", ("user", user_id), before=held)
        else:
            shut_out = tx.users.replace(replace(user, active=False))
            record(tx, now, actor, "user.deactivated", ("user", user_id), before=user, after=shut_out)
        record_shut(tx, now, actor, changes)


def sign_out_everywhere(parts: Books, actor: Actor, user_id: str) -> None:
    """End all sessions of a member in the project and void their open links to it; a password of theirs stays."""
    rights.demand(actor, "manage_people")
    now = parts.clock.now()
    with parts.store.begin() as tx:
        user = _member(tx, actor, user_id).user
        record_shut(tx, now, actor, shut(tx, user_id, user.email, now, project_id=actor.project_id))


def reactivate(parts: Books, actor: Actor, user_id: str) -> None:
    """Let a member in again, by the password they had or by a new link."""
    rights.demand(actor, "manage_people")
    with parts.store.begin() as tx:
        user = _member(tx, actor, user_id).user
        back = tx.users.replace(replace(user, active=True))
        record(tx, parts.clock.now(), actor, "user.reactivated", ("user", user_id), before=user, after=back)


def set_role(parts: Books, actor: Actor, user_id: str, role: Role) -> None:
    """Change what a member may do, from their next request on; the open links of who was an admin are void."""
    rights.demand(actor, "manage_people")
    now = parts.clock.now()
    with parts.store.begin() as tx:
        if role != "admin":
            keep_an_admin(tx, actor, user_id)
        held = membership_of(tx, actor, user_id)
        given = tx.memberships.replace(replace(held, role=role))
        voided = void_made_by(tx, user_id, now, actor.project_id) if role != "admin" else ()
        change = {"from": held.role, "to": role}
        record(tx, now, actor, "role.changed", ("user", user_id), before=held, after=given, details=change)
        record_shut(tx, now, actor, voided)


def _member(tx: Transaction, actor: Actor, user_id: str) -> Member:
    role, user = membership_of(tx, actor, user_id).role, tx.users.get(user_id)
    if user.erased_at is not None:
        raise Gone("This person was erased; invite them anew by their address.")
    return Member(user, role)


def membership_of(tx: Transaction, actor: Actor, user_id: str) -> Membership:
    """Return what a person is in the actor's project, or raise NotFound."""
    found = tx.memberships.find(project_id=actor.project_id, user_id=user_id)
    if found is None:
        raise NotFound("There is no such person in this project.")
    return found


def _admins(tx: Transaction, project_id: str) -> tuple[Membership, ...]:
    return tx.memberships.all(project_id=project_id, role="admin")


def keep_an_admin(tx: Transaction, actor: Actor, leaving: str) -> None:
    """Refuse to let the last admin of a project go."""
    for user_id in sorted(each.user_id for each in _admins(tx, actor.project_id)):
        tx.of_people.lock(user_id)  # two admins who remove each other must not both succeed
    admins = tuple(each.user_id for each in _admins(tx, actor.project_id))
    if {user.id for user in tx.users.all(id=admins, active=True)} == {leaving}:
        raise Conflict("This is the last admin; make somebody else an admin first.")
