"""The worker: claims jobs, keeps their claims alive while they run, retries what fails and parks what keeps failing."""

import contextlib
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta

from ml_service.errors import ServiceError, StorageFull, Unavailable
from web.domain.ids import new_id
from web.domain.job import CLAIM_TIME, MAX_ATTEMPTS, Job, retry_delay
from web.domain.jobs import FETCHES, FETCHING, making_with
from web.jobs.jumps import Jumps
from web.jobs.schedule import tick
from web.jobs.standing import PAUSE_SECONDS, Standing
from web.jobs.tasks import TASKS, Task
from web.ports.parts import Parts
from web.services.prompts.watch import Watch

IDLE_SECONDS = 0.1
TICK_SECONDS = 5.0
AWAY_TIME = timedelta(seconds=15)  # until a job looks again for what was away at the first look, too
GRACE_SECONDS = 3.0  # for jobs in hand, once told to stop
LAST_SECONDS = 1.0  # to put those back that take longer
log = logging.getLogger("palate.worker")


class Worker:
    """One thread of work; several may run beside each other, in one process or in many."""

    def __init__(self, parts: Parts, tasks: Mapping[str, Task] = TASKS) -> None:
        self.parts, self.tasks = parts, tasks
        self.name = new_id()
        self.in_hand: Job | None = None
        self._standing = Standing()
        makers = parts.generators.values()
        made = {making_with(one.name): one.at_once for one in makers if one.at_once is not None}
        self.limits = {FETCHING: FETCHES, **made}  # other people's hosts may be slow, and must not keep every worker

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a job in hand is finished first."""
        while not stop.is_set():
            try:
                busy = self.step(stop)
            except (Unavailable, StorageFull) as error:
                self._standing.because(error)
                self._standing.until_written(self.parts, stop)
                continue
            except ServiceError as error:  # what was claimed is taken over once its claim has run out
                log.warning("the worker could not write down what it did", extra={"error": repr(error)})
                busy = False
            if not busy:
                stop.wait(IDLE_SECONDS)

    def step(self, stop: threading.Event | None = None) -> bool:
        """Do one job that is due, and write down how it ended, however long that takes; False where there is none."""
        job = self._claim()
        if job is None:
            return False
        self.in_hand, stop = job, stop or threading.Event()
        with _Heartbeat(self.parts, job):
            error = self._attempt(job)
            self._conclude_in_time(job, error, stop)
        self.in_hand = None
        self._standing.over(stop)
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

    def _conclude_in_time(self, job: Job, error: Exception | None, stop: threading.Event) -> None:
        """Write down how a job ended, as soon as that can be written: what was done must not be done again."""
        while True:
            try:
                self._conclude(job, error)
            except (Unavailable, StorageFull) as trouble:
                self._standing.because(trouble)
                if stop.wait(PAUSE_SECONDS):
                    return
            else:
                return

    def _conclude(self, job: Job, error: Exception | None) -> None:
        now = self.parts.clock.now()
        with self.parts.store.begin() as tx:
            if error is None:
                tx.of_jobs.finish(job, now)
            elif isinstance(error, Unavailable):  # nothing is wrong with the job: it waits until the part is back
                again = AWAY_TIME if job.away else retry_delay(1)
                tx.of_jobs.put_back(job, now, again, _said(error))
            elif job.attempts >= MAX_ATTEMPTS:
                tx.of_jobs.park(job, now, _said(error))
            else:
                tx.of_jobs.retry(job, now, retry_delay(job.attempts), _said(error))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:1000]


class _Heartbeat:
    """Extends a job's claim while it runs, and at once when that was not possible for a while."""

    def __init__(self, parts: Parts, job: Job) -> None:
        self.parts, self.job, self.over = parts, job, threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _beat(self) -> None:
        usual = pause = CLAIM_TIME.total_seconds() / 4
        while not self.over.wait(pause):
            try:
                with self.parts.store.begin() as tx:
                    if not tx.of_jobs.extend(self.job, self.parts.clock.now()):
                        return
            except ServiceError:
                pause = PAUSE_SECONDS
            else:
                pause = usual


def run_workers(parts: Parts, stop: threading.Event, threads: int = 2) -> bool:
    """Run workers and the regular tick in this process until told to stop; False where one is still at work then.

    Jobs in hand have a few seconds to end. What takes longer is put back for the next worker, and counts no attempt.
    """
    workers = [Worker(parts) for _ in range(threads)]
    # A thread cannot be ended from outside: whoever takes too long goes with the process.
    ticking = threading.Thread(target=_tick, args=(parts, stop), name="tick", daemon=True)
    working = [
        threading.Thread(target=each.run, args=(stop,), name=f"worker-{number}", daemon=True)
        for number, each in enumerate(workers)
    ]
    at_work = [ticking, *working]
    for thread in at_work:
        thread.start()
    stop.wait()
    if _ended(at_work, GRACE_SECONDS):
        return True
    last = threading.Thread(target=_put_back, args=(parts, workers), daemon=True)
    last.start()
    last.join(LAST_SECONDS)
    return False


def _tick(parts: Parts, stop: threading.Event) -> None:
    watch, standing, jumps = Watch(), Standing(), Jumps()
    while not stop.is_set():
        jumps.look(parts.clock)
        try:
            tick(parts, watch)
        except (Unavailable, StorageFull) as error:
            standing.because(error)
        except ServiceError as error:
            log.warning("the tick failed", extra={"error": repr(error)})
        else:
            standing.over(stop)
        stop.wait(TICK_SECONDS)


def _ended(threads: Iterable[threading.Thread], seconds: float) -> bool:
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def _put_back(parts: Parts, workers: Iterable[Worker]) -> None:
    now = parts.clock.now()
    with contextlib.suppress(ServiceError), parts.store.begin() as tx:
        for job in (worker.in_hand for worker in workers):
            if job is not None:
                tx.of_jobs.put_back(job, now, timedelta(0), job.error)
