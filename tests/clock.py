"""A clock that stands still until it is told to move."""

from datetime import UTC, datetime, timedelta


class FixedClock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time that it was last set to."""
        return self.time

    def advance(self, **by: float) -> None:
        """Move on by so many `seconds`, `minutes`, `hours` or `days`."""
        self.time += timedelta(**by)
