"""Jumps of the clock, as a process sees them that looks again and again."""

import logging
import time
from datetime import datetime, timedelta

from web.domain.clocks import JUMP
from web.ports.time import Clock

log = logging.getLogger("palate.worker")


class Jumps:
    """Says where the clock went on by much more or less than the time that has passed."""

    def __init__(self) -> None:
        self._last: tuple[datetime, float] | None = None

    def look(self, clock: Clock) -> None:
        """Look at the clock, and say so where it jumped since the last look; a machine that slept looks the same."""
        now, passed = clock.now(), time.monotonic()
        if self._last is not None:
            jump = now - self._last[0] - timedelta(seconds=passed - self._last[1])
            if abs(jump) > JUMP:
                log.warning("the clock jumped", extra={"by_s": round(jump.total_seconds())})
        self._last = now, passed
