"""The clock of a place is its database's: all who work on one database tell one time, whatever their own clocks say."""

import threading
import time
from datetime import UTC, datetime, timedelta

ASK_SECONDS = 30.0
ALIKE = timedelta(seconds=1)  # clocks that differ by less are taken for one: so much is the way of the answer


class DatabaseClock:
    """This machine's clock, put right by the database's, which connections ask for now and then.

    On SQLite the two are one, and nobody asks. While the database is away, what was last heard counts.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: float | None = None
        self._drift = 0.0
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        """Return the time of the database in UTC."""
        return datetime.now(UTC) + self.ahead

    def is_due(self) -> bool:
        """Tell whether the database should be asked: seldom, and as soon as this machine's own clock was put."""
        asked = self._asked
        moved = abs(_drift() - self._drift) > ALIKE.total_seconds()
        return asked is None or moved or time.monotonic() - asked > ASK_SECONDS

    def hear(self, told: datetime, began: datetime) -> None:
        """Take in what the database told to who had asked at a time of this machine."""
        ended = datetime.now(UTC)
        ahead = told - (began + (ended - began) / 2)
        with self._lock:
            self.ahead = ahead if abs(ahead) > ALIKE else timedelta(0)
            self._asked, self._drift = time.monotonic(), _drift()


def _drift() -> float:
    """Return by how much this machine's clock leads the one that nobody can put."""
    return time.time() - time.monotonic()
