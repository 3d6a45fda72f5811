"""One rater in one study: what they agreed to, what they have learnt, and whether they get items."""

from dataclasses import dataclass
from datetime import datetime

from web.domain.studies.guide import Guide


@dataclass(frozen=True)
class Enrolment:
    """One rater in one study.

    `consented_to` is the hash of the text agreed to at `consented_at`; `read_at` is when the guidelines were read,
    `trained_at` when calibration was done, `recalibrate_from` since when another one is wanted. A pause takes no place
    away: a paused rater gets no items. `appeal` is what the rater says of how they are judged, `answered` the reply.
    `message` is what an admin wrote to them last.
    """

    id: str
    study_id: str
    rater_id: str
    created_at: datetime
    consented_at: datetime | None = None
    consented_to: str = ""
    read_at: datetime | None = None
    trained_at: datetime | None = None
    recalibrate_from: datetime | None = None
    paused_at: datetime | None = None
    pause_reason: str = ""
    paused_by: str | None = None
    unsafe_ok: bool = True
    appeal: str = ""
    appealed_at: datetime | None = None
    answered: str = ""
    answered_at: datetime | None = None
    message: str = ""
    message_at: datetime | None = None
    message_by: str | None = None
    message_read_at: datetime | None = None
    revision: int = 0

    def consents_to(self, guide: Guide) -> bool:
        """Tell whether the rater agreed to what a guide asks for now."""
        return not guide.consent or self.consented_to == guide.consent_hash

    @property
    def unread(self) -> str:
        """What an admin wrote that the rater has not read yet, or ""."""
        return self.message if self.message_read_at is None else ""

    @property
    def calibration_since(self) -> datetime | None:
        """From when on answers count to the calibration that is due, or None where none is."""
        if self.trained_at is None:
            return max(filter(None, (self.recalibrate_from, self.created_at)))
        wanted = self.recalibrate_from
        return wanted if wanted is not None and wanted > self.trained_at else None
