"""Who holds which experiment until when."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

LeaseState = Literal["held", "done", "released", "expired"]
LEASE_TIME = timedelta(minutes=10)


@dataclass(frozen=True)
class Lease:
    """One rater holding one experiment; the row lasts for ever and is unique for the two."""

    id: str
    study_id: str
    experiment_id: str
    rater_id: str
    state: LeaseState
    token: str
    until: datetime
    created_at: datetime
    revision: int = 0

    def held(self, now: datetime, token: str) -> "Lease":
        """Return this lease held, from now, by the tab with this token."""
        return replace(self, state="held", token=token, until=now + LEASE_TIME)

    def is_stale(self, now: datetime) -> bool:
        """Tell whether less than half of the time is left, so that asking again should renew it."""
        return self.until - now < LEASE_TIME / 2
