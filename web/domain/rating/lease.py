"""Who holds which experiment until when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from web.domain.ids import new_id
from web.domain.rating.enrolment import Enrolment
from web.domain.studies.experiment import Experiment, Option
from web.domain.studies.guide import Guide

LeaseState = Literal["held", "done", "released", "expired"]
LEASE_TIME = timedelta(minutes=10)
RENEW_AFTER = timedelta(minutes=1)
ADOPT_AFTER = timedelta(minutes=5)  # longer than an open page leaves its leases alone: it renews them every two


@dataclass(frozen=True)
class Lease:
    """One rater holding one experiment; the row lasts for ever and is unique for the two."""

    id: str
    study_id: str
    experiment_id: str
    rater_id: str
    state: LeaseState
    token: str
    until: datetime
    created_at: datetime
    revision: int = 0

    @classmethod
    def start(cls, experiment: Experiment, rater_id: str, token: str, now: datetime) -> "Lease":
        """Return a lease of an experiment held from now by a rater's tab."""
        until = now + LEASE_TIME
        return cls(new_id(), experiment.study_id, experiment.id, rater_id, "held", token, until, now)

    def idle(self, now: datetime) -> timedelta:
        """Return how long ago the lease was taken or renewed."""
        return now - (self.until - LEASE_TIME)

    def is_running(self, now: datetime) -> bool:
        """Tell whether the rater still holds the experiment."""
        return self.state == "held" and now < self.until


@dataclass(frozen=True)
class Seat:
    """A rater's place in a study, None where they have not taken it, and the time zone of their day."""

    zone: str = "UTC"
    enrolment: Enrolment | None = None

    @property
    def is_paused(self) -> bool:
        """Tell whether an admin lets this rater rest."""
        return self.enrolment is not None and self.enrolment.paused_at is not None

    def consents_to(self, guide: Guide) -> bool:
        """Tell whether the rater agreed to what a guide asks for, if it asks for anything."""
        return not guide.consent or (self.enrolment is not None and self.enrolment.consents_to(guide))

    def may_rate(self, guide: Guide) -> bool:
        """Tell whether the rater is given anything: neither who is paused is, nor who does not consent."""
        return not self.is_paused and self.consents_to(guide)

    @property
    def unsafe_ok(self) -> bool:
        """Tell whether the rater takes what somebody called unsafe."""
        return self.enrolment is None or self.enrolment.unsafe_ok

    @property
    def calibration_since(self) -> datetime | None:
        """From when on answers count to the calibration that is due now, or None where none is."""
        if self.enrolment is None or self.enrolment.read_at is None:
            return None
        return self.enrolment.calibration_since


@dataclass(frozen=True)
class Asker:
    """A rater who asks for something to rate: in which study, and how many ratings it wants of each experiment."""

    study_id: str
    rater_id: str
    wanted: int
    now: datetime
    unsafe_ok: bool = True


@dataclass(frozen=True)
class HeldOption:
    """An option of a locked experiment with the rater's lease of it; `state` is None where they never held it.

    `raters_wanted` and `daily_target` are what their study asks for, of the project `project_id`.
    """

    option: Option
    experiment: Experiment
    state: LeaseState | None
    until: datetime | None
    raters_wanted: int
    daily_target: int
    project_id: str

    def is_late(self, now: datetime) -> bool:
        """Tell whether an answer now comes after the lease's time."""
        return self.state == "expired" or (self.until is not None and self.until < now and self.state == "held")


@dataclass(frozen=True)
class Shown:
    """All a rater's page learns of an option and its source: names to fetch by, sizes in pixels, if it is practice."""

    experiment_id: str
    option_id: str
    width: int
    height: int
    input_id: str
    source_width: int
    source_height: int
    is_practice: bool
