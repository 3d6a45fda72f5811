"""The worker: claims jobs, keeps their claims alive while they run, retries what fails and parks what keeps failing."""

import contextlib
import logging
import threading
from collections.abc import Mapping
from datetime import timedelta

from ml_service.errors import ServiceError, Unavailable
from web.domain.ids import new_id
from web.domain.job import CLAIM_TIME, MAX_ATTEMPTS, Job, retry_delay
from web.domain.jobs import making_with
from web.jobs.schedule import tick
from web.jobs.tasks import TASKS, Task
from web.ports.parts import Parts
from web.services.prompts.watch import Watch

IDLE_SECONDS = 0.1
TICK_SECONDS = 5.0
LONGEST_WAIT = timedelta(seconds=30)
log = logging.getLogger("palate.worker")


class Worker:
    """One thread of work; several may run beside each other, in one process or in many."""

    def __init__(self, parts: Parts, tasks: Mapping[str, Task] = TASKS) -> None:
        self.parts, self.tasks = parts, tasks
        self.name = new_id()
        made = parts.generators.values()
        self.limits = {making_with(one.name): one.at_once for one in made if one.at_once is not None}

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a job in hand is finished first."""
        while not stop.is_set():
            try:
                busy = self.step()
            except ServiceError as error:  # what was claimed is taken over once its claim has run out
                log.warning("the worker could not write down what it did", extra={"error": repr(error)})
                busy = False
            if not busy:
                stop.wait(IDLE_SECONDS)

    def step(self) -> bool:
        """Do one job that is due; False where there is none."""
        job = self._claim()
        if job is None:
            return False
        with _Heartbeat(self.parts, job):
            error = self._attempt(job)
        self._conclude(job, error)
        return True

    def _claim(self) -> Job | None:
        now = self.parts.clock.now()
        with self.parts.store.read() as tx:
            if not tx.of_jobs.any_due(now, self.limits):
                return None
        with self.parts.store.begin() as tx:
            return tx.of_jobs.claim(self.name, now, self.limits)

    def _attempt(self, job: Job) -> Exception | None:
        try:
            self.tasks[job.task](self.parts, job.arguments)
        except Exception as error:  # noqa: BLE001  the one boundary: whatever a job does, the worker goes on
            log.warning("job failed", extra={"job": job.key, "attempt": job.attempts, "error": repr(error)})
            return error
        return None

    def _conclude(self, job: Job, error: Exception | None) -> None:
        now = self.parts.clock.now()
        with self.parts.store.begin() as tx:
            if error is None:
                tx.of_jobs.finish(job, now)
            elif isinstance(error, Unavailable):  # nothing is wrong with the job: it waits until the part is back
                tx.of_jobs.retry(job, now + min(retry_delay(job.attempts), LONGEST_WAIT), _said(error))
            elif job.attempts >= MAX_ATTEMPTS and not job.away:  # to wait for a part is not to fail
                tx.of_jobs.park(job, now, _said(error))
            else:
                tx.of_jobs.retry(job, now + retry_delay(job.attempts), _said(error))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:1000]


class _Heartbeat:
    """Extends a job's claim while it runs."""

    def __init__(self, parts: Parts, job: Job) -> None:
        self.parts, self.job, self.over = parts, job, threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _beat(self) -> None:
        while not self.over.wait(CLAIM_TIME.total_seconds() / 4):
            with contextlib.suppress(ServiceError), self.parts.store.begin() as tx:
                if not tx.of_jobs.extend(self.job, self.parts.clock.now()):
                    return


def run_workers(parts: Parts, stop: threading.Event, threads: int = 2) -> None:
    """Run workers and the regular tick in this process until told to stop."""
    workers = [threading.Thread(target=Worker(parts).run, args=(stop,), name=f"worker-{n}") for n in range(threads)]
    for worker in workers:
        worker.start()
    watch = Watch()
    while not stop.is_set():
        try:
            tick(parts, watch)
        except ServiceError as error:
            log.warning("the tick failed", extra={"error": repr(error)})
        stop.wait(TICK_SECONDS)
    for worker in workers:
        worker.join()
