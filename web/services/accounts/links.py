"""Open links: the ways in that were made and wait to be used, and how one is taken back."""

from dataclasses import dataclass, replace

from web.domain.access import Actor
from web.domain.accounts import Link
from web.ports.parts import Books
from web.services.accounts import rights
from web.services.accounts.sessions import record_shut


@dataclass(frozen=True)
class OpenLink:
    """A link that nobody used yet, and who made it; nobody for the terminal."""

    link: Link
    inviter: str


def open_links(parts: Books, actor: Actor) -> tuple[OpenLink, ...]:
    """Return the links into the project that still let somebody in, the newest first."""
    rights.demand(actor, "manage_people")
    now = parts.clock.now()
    with parts.store.read() as tx:
        unused = tx.links.all(project_id=actor.project_id, used_at=None)
        found = [link for link in reversed(unused) if link.expires_at > now]
        makers = {user.id: user.email for user in tx.users.all(id=tuple({link.created_by or "" for link in found}))}
    return tuple(OpenLink(link, makers.get(link.created_by or "", "")) for link in found)


def void_link(parts: Books, actor: Actor, link_id: str) -> None:
    """Make a link worth nothing before anybody uses it; one that was used or is void already stays so."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        link = rights.found(tx.links, actor, "manage_people", "link", link_id)
        if link.used_at is None:
            record_shut(tx, now, actor, [(link, tx.links.replace(replace(link, used_at=now)))])
