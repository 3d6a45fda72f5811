"""People, their ways in, and what they typed."""

from datetime import datetime
from typing import Protocol

from web.domain.access import Actor
from web.domain.accounts import ApiKey, Attempts, Link, Membership, Password, Session, User
from web.domain.rating.lease import Seat
from web.domain.studies.study import Project
from web.rows.collection import Collection


class PeopleQueries(Protocol):
    """Named queries of people."""

    def actor(self, secret_hash: str, now: datetime) -> Actor | None:
        """Return who a running session belongs to, in the project it is of; None where they have left that."""
        ...

    def machine(self, now: datetime, *, secret_hash: str | None = None, key_id: str | None = None) -> Actor | None:
        """Return the machine whose key is valid now, by the hash of the key's secret or by its id."""
        ...

    def attempt(self, key: str, now: datetime, since: datetime) -> Attempts:
        """Count one more try, forgetting those that began by a time, and return how many there are now."""
        ...

    def take_back(self, key: str) -> None:
        """Count one try less."""
        ...

    def forget_attempts(self, before: datetime) -> None:
        """Delete the counts of tries that began before a time."""
        ...

    def use_key(self, key_id: str, now: datetime, before: datetime) -> None:
        """Write down that a key is in use, unless that was done after a time; its revision stays."""
        ...

    def lock(self, user_id: str) -> str:
        """Let one transaction at a time write for this user; return the time zone of their day."""
        ...

    def active_raters(self, study_id: str, since: datetime) -> tuple[str, ...]:
        """Return who has held a lease of a study since a time."""
        ...

    def seat(self, study_id: str, rater_id: str) -> Seat:
        """Return a rater's place in a study, and the time zone of their day."""
        ...

    def choose(self, user_id: str, project_id: str, study_id: str | None) -> None:
        """Write down which study of a project a person rates; the revision of their membership stays."""
        ...

    def default_project(self) -> str | None:
        """Return the id of the first project, or None before the first start."""
        ...


class ErasureQueries(Protocol):
    """Named queries of what a person typed."""

    def forget_words(self, user_id: str, now: datetime, name: str) -> None:
        """Blank all words that a person typed and all that were typed of them; what they named is called `name`.

        With a comment goes its fingerprint: who guesses a comment could try the guess against it. So does what models
        made of the comments of a study that this person rated.
        """
        ...

    def forget_invited(self, before: datetime) -> None:
        """Delete links that ran out before a time and are for nobody's address: who was invited never came in."""
        ...


class AccountRows(Protocol):
    """People, their ways in, and what they typed."""

    projects: Collection[Project]
    users: Collection[User]
    memberships: Collection[Membership]
    passwords: Collection[Password]
    sessions: Collection[Session]
    links: Collection[Link]
    keys: Collection[ApiKey]
    attempts: Collection[Attempts]
    of_people: PeopleQueries
    of_erasure: ErasureQueries
