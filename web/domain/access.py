"""Who may do what: people and machines, their roles in a project, and the only question asked about rights."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["rater", "admin"]
Scope = Literal["prompts:read", "feedback:write", "exports:read"]
Action = Literal[
    "rate",
    "upload",
    "see_own",
    "see_all",
    "steer",
    "publish",
    "manage_people",
    "manage_keys",
    "see_audit",
    "pull_prompts",
    "send_feedback",
    "export",
]

# What to call who acts without an id.
ITSELF, TERMINAL = "Palate", "the terminal"
_OWN: frozenset[Action] = frozenset({"rate", "upload", "see_own"})
_MAY: dict[str, frozenset[Action]] = {
    "rater": _OWN,
    "admin": _OWN
    | {
        "see_all",
        "steer",
        "publish",
        "manage_people",
        "manage_keys",
        "see_audit",
        "pull_prompts",
        "send_feedback",
        "export",
    },
    "prompts:read": frozenset({"pull_prompts"}),
    "feedback:write": frozenset({"send_feedback"}),
    "exports:read": frozenset({"export"}),
}


@dataclass(frozen=True)
class Actor:
    """Who is asking: a user with a role in a project, through a session, or a machine by the id of its key.

    A user of several projects is in one of them at a time: the one that the session is of. Without an id it is whoever
    is at the terminal of the server, or Palate, which follows rules that somebody set. `time_zone` is the one whose
    clock and days they are shown.
    """

    user_id: str
    email: str
    project_id: str
    role: Role | Literal["service"]
    session_id: str = ""
    scopes: tuple[Scope, ...] = ()
    time_zone: str = "UTC"

    @classmethod
    def itself(cls, project_id: str) -> "Actor":
        """Return Palate, where it does by itself what an admin may do."""
        return cls("", ITSELF, project_id, "admin")

    @property
    def is_itself(self) -> bool:
        """Tell whether Palate acts by itself."""
        return not self.user_id and self.email == ITSELF


def allowed(actor: Actor, action: Action, project_id: str) -> bool:
    """Tell whether an actor may do something in a project."""
    granted = actor.scopes if actor.role == "service" else (actor.role,)
    return actor.project_id == project_id and any(action in _MAY[name] for name in granted)
