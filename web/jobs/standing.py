"""How a worker stands while it can write nothing down: it says why, waits, and lets those go first who hold a job."""

import logging
import threading
import time

from ml_service.errors import ServiceError
from web.ports.parts import Parts

PAUSE_SECONDS = 1.0  # between looks whether the database takes changes again
BREATH_SECONDS = 3.0  # longer than whoever holds a job takes to say that it still does
REMIND_SECONDS = 60.0
log = logging.getLogger("palate.worker")


class Standing:
    """What one thread of work has said of why it stands: when it begins, when the reason changes, and each minute."""

    def __init__(self) -> None:
        self._why = ""
        self._since = self._said = 0.0

    def because(self, error: ServiceError) -> None:
        """Stand, for a reason."""
        now = time.monotonic()
        if not self._why:
            self._since = now
        if str(error) != self._why or now - self._said > REMIND_SECONDS:
            cause = repr(error.__cause__) if error.__cause__ else ""
            log.warning("the worker stands still", extra={"why": str(error), "error": cause})
            self._why, self._said = str(error), now

    def over(self, stop: threading.Event) -> None:
        """Stand no more, once whoever holds a job has had the time to say so.

        Its claim may have run out meanwhile, though the job is still being done.
        """
        if self._why:
            stop.wait(BREATH_SECONDS)
            log.info("the worker goes on", extra={"stood_s": round(time.monotonic() - self._since, 1)})
            self._why = ""

    def until_written(self, parts: Parts, stop: threading.Event) -> None:
        """Wait until the database takes changes again, or until told to stop."""
        while not stop.wait(PAUSE_SECONDS):
            try:
                with parts.store.begin() as tx:
                    tx.of_jobs.probe()
            except ServiceError as error:
                self.because(error)
            else:
                self.over(stop)
                return
