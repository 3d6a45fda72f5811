"""What was done to what, and by whom."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Event:
    """One action on one row; the actor is a user's id, never a name or an address."""

    id: str
    project_id: str
    actor_id: str | None
    action: str
    object_type: str
    object_id: str
    at: datetime
    before_hash: str | None = None
    after_hash: str | None = None
    note: str = ""
