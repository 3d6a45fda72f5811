"""Later work."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from web.domain.job import Job
from web.rows.collection import Collection


class JobQueries(Protocol):
    """Named queries of jobs."""

    def add_once(self, new: Iterable[Job]) -> None:
        """Enqueue jobs whose key no waiting job has."""
        ...

    def any_due(self, now: datetime, limits: Mapping[str, int]) -> bool:
        """Tell whether a claim would find something, without taking any lock."""
        ...

    def claim(self, worker: str, now: datetime, limits: Mapping[str, int]) -> Job | None:
        """Claim the most urgent job that is due, or that a lost worker left, and no job of whose key is being done.

        `limits` say of how many jobs that need a resource may be claimed at once, by whatever workers. None may come of
        a race for the last place, too; `any_due` tells whether to ask again.
        """
        ...

    def extend(self, job: Job, now: datetime) -> bool:
        """Keep a claim alive; False where it was lost to another worker."""
        ...

    def finish(self, job: Job, now: datetime) -> bool:
        """Mark a claimed job done; False where the claim was lost."""
        ...

    def retry(self, job: Job, now: datetime, delay: timedelta, error: str) -> bool:
        """Put a failed job back for later, or close it where the same work waits again already."""
        ...

    def put_back(self, job: Job, now: datetime, delay: timedelta, error: str | None) -> bool:
        """Put a claimed job back for later as `retry` does, with nothing wrong with it: the attempt does not count."""
        ...

    def park(self, job: Job, now: datetime, error: str) -> bool:
        """Set a job aside that keeps failing, for a person to look at."""
        ...

    def parked(self) -> tuple[Job, ...]:
        """Return the jobs that were set aside, newest first."""
        ...

    def count_by_state(self) -> dict[str, int]:
        """Return how many jobs there are in each state that has any."""
        ...

    def revive(self, job_id: str, now: datetime) -> bool:
        """Let a parked job try again from its first attempt; False where it is not parked or its work waits again."""
        ...

    def date_anew(self, now: datetime) -> int:
        """Let what a clock far ahead has dated wait for as long as was meant, from now on; return how many there were.

        Claims that would hold for longer than any is given run out in time, too.
        """
        ...

    def probe(self) -> None:
        """Change nothing, as whoever wants to write: it fails where nothing can be written."""
        ...

    def prune(self, before: datetime) -> None:
        """Forget the jobs that were done before a time."""
        ...


class JobRows(Protocol):
    """Later work."""

    jobs: Collection[Job]
    of_jobs: JobQueries
