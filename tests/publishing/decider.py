"""A process that follows an A/B test to its verdict and kills itself on the way."""

import os
import signal
from datetime import datetime
from pathlib import Path

from tests.clock import FixedClock
from tests.publishing.press import make_parts
from tests.publishing.writer import Interrupted
from web.adapters.database.store import SqlStore
from web.services.abtests import verdicts


class Suicidal(FixedClock):
    """A clock in whose process nobody lives to see a time asked for the n-th time."""

    def __init__(self, time: datetime, asked: int) -> None:
        super().__init__()
        self.time, self.left = time, asked

    def now(self) -> datetime:
        self.left -= 1
        if self.left == 0:
            kill_myself()
        return super().now()


def kill_myself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def decide(url: str, folder: Path, test_id: str, time: datetime, change: int, asked: int) -> None:
    """Follow a test to its end in a process that kills itself at a change of a file, or at a look at the clock."""
    files = Interrupted(folder, change, kill_myself)
    verdicts.follow(make_parts(SqlStore.open(url), files, Suicidal(time, asked)), test_id)
