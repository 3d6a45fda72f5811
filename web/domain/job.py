"""Later work: durable, claimed under a lease, retried, and parked when it keeps failing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

JobState = Literal["waiting", "claimed", "done", "parked"]
CLAIM_TIME = timedelta(seconds=60)
MAX_ATTEMPTS = 5
_AWAY = "Unavailable: "


@dataclass(frozen=True)
class Job:
    """Work to be done by a worker; `key` makes twice once among jobs not yet claimed.

    `dated_at` is what time it was when `due_at` was chosen, None for `created_at`.
    """

    id: str
    key: str
    task: str
    arguments: dict[str, str]
    created_at: datetime
    due_at: datetime
    state: JobState = "waiting"
    resource: str = ""
    priority: int = 0
    attempts: int = 0
    worker: str | None = None
    claimed_until: datetime | None = None
    error: str | None = None
    finished_at: datetime | None = None
    study_id: str | None = None
    dated_at: datetime | None = None
    revision: int = 0

    @property
    def dated(self) -> datetime:
        """What time it was when it was decided when the job is due."""
        return self.dated_at or self.created_at

    @property
    def away(self) -> str:
        """What is away, in words, where that is why the job waits; "" where it does not."""
        waits = self.state in ("waiting", "claimed") and self.error is not None and self.error.startswith(_AWAY)
        return (self.error or "").removeprefix(_AWAY) if waits else ""


def retry_delay(attempts: int) -> timedelta:
    """Return how long to wait after a failed attempt: 1, 4, 16, and then 64 seconds, however many there were."""
    return timedelta(seconds=4 ** min(attempts - 1, 3))
