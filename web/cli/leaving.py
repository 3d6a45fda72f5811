"""How a process that serves or works leaves: in time, with exit code 0, and without those that it cannot stop."""

import logging
import os
import signal
import sys
import threading
import time
from types import FrameType


def leave_when_told() -> None:
    """Let SIGTERM and Ctrl+C end this process as any exit does, wherever it is: all is closed, and the code is 0."""

    def on_signal(_: int, __: FrameType | None) -> None:
        raise SystemExit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)


def leave_within(seconds: float) -> None:
    """Leave at once after so many seconds, unless the process has ended by then; a daemon thread calls it."""
    time.sleep(seconds)
    leave()


def leave() -> None:
    """Leave at once with exit code 0: threads cannot be stopped, and what they have not committed never was."""
    logging.getLogger("palate.leaving").warning(
        "some work was left", extra={"threads": sorted(thread.name for thread in threading.enumerate())}
    )
    sys.stdout.flush()
    os._exit(0)
