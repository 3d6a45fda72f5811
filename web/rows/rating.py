"""Leases, ratings, and the raters who give them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from web.domain.rating.attention import Dealt, Unsure
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.figures import OrdinalCheck
from web.domain.rating.gold import Agreed, Gold
from web.domain.rating.lease import Asker, HeldOption, Lease, LeaseState, Shown
from web.domain.rating.pay import PayLine
from web.domain.rating.rating import Exclusion, Exclusions, Rating, Tally
from web.domain.studies.experiment import Experiment, ExperimentKind, Option
from web.rows.collection import Collection
from web.rows.studies import StudyRows


class LeaseQueries(Protocol):
    """Named queries of leases."""

    def held(self, study_id: str, rater_id: str, tab: str, now: datetime, limit: int) -> tuple[Lease, ...]:
        """Return the rater's running leases of ready experiments from the queue that serve a tab, oldest first.

        A lease serves the tab that holds it, and any tab once its own seems to be gone.
        """
        ...

    def lately(self, rater_id: str, study_ids: Iterable[str], since: datetime, limit: int) -> tuple[str, ...]:
        """Return of which of some studies a rater was leased what, newest first, since a time and up to a limit."""
        ...

    def take(self, wanted: Iterable[Lease]) -> tuple[Lease, ...]:
        """Insert leases, or hold again those that this rater once had, which keep their ids; return what is held."""
        ...

    def renew(self, ids: Iterable[str], token: str, until: datetime) -> None:
        """Extend running leases in the hands of a tab."""
        ...

    def of_options(self, rater_id: str, option_ids: Iterable[str]) -> dict[str, HeldOption]:
        """Return options by id, each with this rater's lease of its experiment.

        Their experiments are locked in a fixed order until the transaction ends.
        """
        ...

    def shown(self, rater_id: str, experiment_ids: Iterable[str]) -> tuple[Shown, ...]:
        """Return the ready options this rater has not answered, with what a page may know of them."""
        ...

    def move(self, rater_id: str, states: dict[str, LeaseState]) -> None:
        """Put the rater's leases of these experiments into these states."""
        ...

    def expire(self, now: datetime) -> int:
        """End the leases whose time is over and give uploads that their uploader left to everyone; return how many.

        Those that a clock far ahead gave a later end than any has end in time.
        """
        ...


class TurnQueries(Protocol):
    """Named queries of whose turn it is."""

    def given(self, study_id: str, rater_id: str, limit: int) -> tuple[Dealt, ...]:
        """Return what a rater was given last, newest first."""
        ...

    def count_sources(self, study_id: str, limit: int) -> int:
        """Count the present inputs of a study, as far as a limit."""
        ...

    def open_to(self, asker: Asker, kinds: Iterable[ExperimentKind] = ...) -> tuple[Dealt, ...]:
        """Return ready experiments of some kinds that a rater may take now, oldest first."""
        ...

    def count_open(self, asker: Asker) -> int:
        """Count the experiments to learn from, ready or in the making, that a rater may take."""
        ...

    def unsure(self, asker: Asker) -> tuple[Unsure, ...]:
        """Return the options of experiments that are closed and may have one more rating, of this rater."""
        ...

    def repeatable(self, asker: Asker, apart: int) -> tuple[Option, ...]:
        """Return options that a rater rated so many ratings ago and that were not repeated to them, newest first."""
        ...

    def claim(self, asker: Asker, ids: Iterable[str]) -> dict[str, Experiment]:
        """Return those of some experiments that a rater may still take, locked until the transaction ends.

        What others hold locked is passed over. Whoever takes one holds its lock until their lease can be seen, so what
        is asked after the lock was got sees every lease.
        """
        ...


class QualityQueries(Protocol):
    """Named queries of quality control."""

    def agreed(self, study_id: str, limit: int) -> tuple[Agreed, ...]:
        """Return options on whose output raters agree and that are no gold items yet, the best liked first."""
        ...

    def doubtful(self, study_id: str, after: int) -> tuple[str, ...]:
        """Return the gold items in use that have so many scores or more, most of them misses."""
        ...

    def spoilt(self, study_id: str) -> Iterable[tuple[str, str]]:
        """Go through the degraded copies of a study that may be shown or were: the input and the fault of each."""
        ...

    def untouched(self, study_id: str) -> frozenset[str]:
        """Return the inputs of a study that are shown as they are, or were."""
        ...


class RatingQueries(Protocol):
    """Named queries of ratings."""

    def add_once(self, new: Sequence[Rating]) -> frozenset[str]:
        """Insert ratings whose id is fresh and on options this judge has not answered; return the ids that went in."""
        ...

    def by_id(self, ids: Iterable[str]) -> dict[str, Rating]:
        """Return ratings by id."""
        ...

    def standing(self, study_id: str) -> tuple[Rating, ...]:
        """Return people's ratings of a study that nobody has undone, by time."""
        ...

    def buried(self, rater_id: str, ids: Iterable[str]) -> dict[str, datetime]:
        """Return when this rater undid these ids, for those that were."""
        ...

    def bury(self, rating_id: str, rater_id: str, now: datetime) -> bool:
        """Remember for good that a rater undid this id, whether or not it has arrived; tell whether it is news."""
        ...

    def undo(self, rating_id: str, rater_id: str, now: datetime) -> Rating | None:
        """Undo a standing rating of this rater and return it as it was, or None where there is none."""
        ...

    def forget_comments(self, now: datetime, *, input_id: str) -> None:
        """Blank what raters said of an input in words; their scores stay."""
        ...

    def tally(self, experiment_ids: Iterable[str]) -> tuple[Tally, ...]:
        """Return who has answered each ready option of these experiments."""
        ...

    def count_by(self, rater_id: str, study_id: str, since: datetime) -> tuple[int, int]:
        """Count a rater's standing scores of a study: since a time, and ever."""
        ...

    def count(self, study_id: str) -> int:
        """Count the standing scores that people gave in a study."""
        ...

    def count_since(self, study_id: str, since: datetime) -> int:
        """Count the standing scores that a study got of people since a time."""
        ...

    def excluded(self, study_id: str) -> Exclusions:
        """Return whose ratings of a study do not count, and from when."""
        ...


class EnrolmentQueries(Protocol):
    """Named queries of raters in studies."""

    def calibrated(self, study_id: str, rater_id: str, since: datetime) -> int:
        """Count the calibration items that a rater has answered since a time."""
        ...

    def calibrating(self, study_id: str, rater_id: str, now: datetime) -> int:
        """Count the calibration items that are in a rater's hands."""
        ...

    def pay(self, project_id: str, since: datetime, until: datetime) -> tuple[PayLine, ...]:
        """Return what people have worked in a project from a time to before another, by address."""
        ...


class RatingRows(StudyRows, Protocol):
    """Leases, ratings, and the raters who give them, with what is rated."""

    leases: Collection[Lease]
    ratings: Collection[Rating]
    exclusions: Collection[Exclusion]
    enrolments: Collection[Enrolment]
    golds: Collection[Gold]
    ordinal_checks: Collection[OrdinalCheck]
    of_leases: LeaseQueries
    of_turns: TurnQueries
    of_quality: QualityQueries
    of_ratings: RatingQueries
    of_enrolments: EnrolmentQueries
