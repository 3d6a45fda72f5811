"""What whoever operates a place looks at, each of one moment: jobs, counts, health, and who may be erased."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ml_service.errors import NotFound
from web.domain.access import Actor
from web.domain.accounts import User
from web.domain.job import Job, JobState
from web.domain.prompts.prompt import DEFAULT_KEY, PromptVersion
from web.ports.parts import Books, Parts
from web.services.accounts import members
from web.services.operations import erasure
from web.services.prompts import pointers


@dataclass(frozen=True)
class Jobs:
    """The jobs of a project by state, and the names of its studies by id."""

    by_state: Mapping[JobState, tuple[Job, ...]]
    studies: Mapping[str, str]


@dataclass(frozen=True)
class Counts:
    """How many jobs are in each state, and how many ratings stand."""

    jobs: Mapping[str, int]
    ratings: int


@dataclass(frozen=True)
class Health:
    """What is live of the shipped prompt, the jobs that wait or are being done, and those that failed too often.

    `latest` is when the newest event of the audit says that it was.
    """

    live: PromptVersion | None
    jobs: tuple[Job, ...]
    parked: tuple[Job, ...]
    latest: datetime | None


@dataclass(frozen=True)
class Person:
    """Somebody of a project, and how many photos they brought."""

    user: User
    photos: int


def jobs(parts: Parts, admin: Actor, states: Iterable[JobState], limit: int) -> Jobs:
    """Return the jobs of a project in some states, so many of each."""
    with parts.store.snapshot() as tx:
        found = {state: tx.of_reports.jobs(admin.project_id, state, limit) for state in states}
        return Jobs(found, {study.id: study.name for study in tx.studies.all(project_id=admin.project_id)})


def counts(parts: Books) -> Counts:
    """Count what is in the database."""
    with parts.store.snapshot() as tx:
        ratings = sum(tx.of_ratings.count(study.id) for study in tx.studies.all())
        return Counts(tx.of_jobs.count_by_state(), ratings)


def answers(parts: Books) -> None:
    """Ask the database for something that is always there, and whether it takes changes; an error says why not."""
    with parts.store.read() as tx:
        tx.of_people.default_project()
    with parts.store.begin() as tx:
        tx.of_jobs.probe()


def health(parts: Parts) -> Health:
    """Return how the shipped prompt and the jobs stand."""
    with parts.store.snapshot() as tx:
        pointer = pointers.find(tx, DEFAULT_KEY)
        live = tx.versions.find(id=pointer.version_id) if pointer else None
        project = tx.of_people.default_project()
        event = tx.of_audit.last(project) if project else None
        jobs = tx.jobs.all(state=("waiting", "claimed"))
        return Health(live, jobs, tx.of_jobs.parked(), event.at if event else None)


def person(parts: Parts, admin: Actor, user_id: str) -> Person:
    """Return somebody of the admin's project, and what they brought."""
    with parts.store.snapshot() as tx:
        seen = parts.at(tx)
        found = next((each for each in members.members(seen, admin) if each.user.id == user_id), None)
        if found is None:
            raise NotFound("There is no such person in this project.")
        return Person(found.user, erasure.photos_of(seen, admin, user_id))
