"""Every kind of later work has a maker and a task, under one name."""

import inspect
from datetime import datetime

from tests.clock import FixedClock
from web.domain import jobs
from web.domain.job import Job
from web.jobs.tasks import TASKS

NOW = FixedClock().now()


def made(now: datetime) -> list[Job]:
    """Return a job of every kind, made from ids that say what they are."""
    found = []
    for name, maker in inspect.getmembers(jobs, inspect.isfunction):
        if name.endswith("_job"):
            ids = [word for word, of in inspect.signature(maker).parameters.items() if of.annotation is str]
            found.append(maker(*ids, now))
    return found


def test_a_maker_makes_what_a_task_does() -> None:
    assert {job.task for job in made(NOW)} == set(TASKS)


def test_work_of_different_kinds_or_things_never_shares_a_key() -> None:
    keys = [job.key for job in made(NOW)]
    assert sorted(set(keys)) == sorted(keys)
    assert jobs.plan_job("one", NOW).key != jobs.plan_job("two", NOW).key
