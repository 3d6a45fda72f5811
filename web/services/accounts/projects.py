"""The projects that a person is in, and how they go from one to another."""

from dataclasses import replace

from ml_service.errors import Conflict, NotFound, Unauthorized
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.studies.study import Project
from web.ports.parts import Books
from web.services.accounts.sessions import digest, end, hold_chains, new_secret, record_begun, record_shut


def own_projects(parts: Books, actor: Actor) -> tuple[Project, ...]:
    """Return the projects that whoever asks is in, the oldest first."""
    with parts.store.read() as tx:
        held = tx.memberships.all(user_id=actor.user_id)
        return tx.projects.all(id=tuple(one.project_id for one in held))


def switch(parts: Books, actor: Actor, project_id: str) -> str:
    """Go on in another project of one's own, and return the secret of the session there; the one that asks is over.

    It ends when that one would have ended. Who came by a link stays in its project: whoever made the link could have
    used it, and is perhaps in no other.
    """
    now = parts.clock.now()
    with parts.store.begin() as tx:
        tx.of_people.lock(actor.user_id)
        session = tx.sessions.find(id=actor.session_id, revoked_at=None)
        if session is None:
            raise Unauthorized("Your session was ended meanwhile; sign in again.")
        held = tx.memberships.find(user_id=actor.user_id, project_id=project_id)
        if held is None:
            raise NotFound("You are in no such project.")
        if session.via == "link":
            raise Conflict("You came by a link, which is good for one project; sign in by your password to change it.")
        secret = new_secret()
        begun = replace(session, id=new_id(), secret_hash=digest(secret), project_id=project_id, revision=0)
        change = session, end(tx, session, now)
        tx.sessions.add(begun)
        there = replace(actor, project_id=project_id, role=held.role, session_id=begun.id)
        hold_chains(tx, there, [change])
        record_shut(tx, now, actor, [change])
        record_begun(tx, now, there, begun)
    return secret
