"""Rights: the one place that asks whether an actor may do something, and the words of the answer."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from ml_service.errors import Forbidden, NotFound
from web.domain.access import Action, Actor, allowed
from web.rows.accounts import AccountRows
from web.rows.collection import Collection

REFUSALS: Mapping[Action, str] = {
    "rate": "Only a person of the project can rate in it.",
    "upload": "Only a person of the project can upload to it.",
    "see_own": "Only a person of the project can see what they did there.",
    "see_all": "Only an admin of the project can see all of it.",
    "steer": "Only an admin of the project can steer its studies and tests.",
    "publish": "Only an admin of the project can publish its prompts.",
    "manage_people": "Only an admin of the project can manage its people.",
    "manage_keys": "Only an admin of the project can manage its keys.",
    "see_audit": "Only an admin of the project can see its audit.",
    "pull_prompts": "This needs a key with the scope prompts:read, or an admin.",
    "send_feedback": "This needs a key with the scope feedback:write, or an admin.",
    "export": "This needs a key with the scope exports:read, or an admin.",
}


# Whoever names one of these may have given its secret instead of its id, so the answer does not repeat it.
SECRETIVE = ("key", "link")


class Owned(Protocol):
    """A row that belongs to a project."""

    @property
    def project_id(self) -> str:
        """The project's id."""
        ...


T = TypeVar("T", bound=Owned)


def demand(actor: Actor, action: Action, project_id: str | None = None) -> None:
    """Refuse, as Forbidden, who may not do something in a project: their own, unless another is named."""
    if not allowed(actor, action, actor.project_id if project_id is None else project_id):
        raise Forbidden(REFUSALS[action])


def belongs(tx: AccountRows, actor: Actor, project_id: str) -> bool:
    """Tell whether a person is in a project: the one of their session, or another one that they have not left."""
    if project_id == actor.project_id:
        return True
    return tx.memberships.find(user_id=actor.user_id, project_id=project_id) is not None


def found(rows: Collection[T], actor: Actor, action: Action, kind: str, key: str) -> T:
    """Return the row of the actor's project on which they may do something; another project's is not found.

    `kind` is what the row is called in words, `key` is its primary key.
    """
    try:
        row = rows.get(key)
    except NotFound:
        row = None
    if row is None or row.project_id != actor.project_id:
        raise NotFound(
            f"There is no such {kind} in this project." if kind in SECRETIVE else f"There is no {kind} {key}."
        )
    demand(actor, action)
    return row
