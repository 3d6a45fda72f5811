"""Items whose right answer is known, by which raters are calibrated and looked after."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

GoldSource = Literal["agreement", "degraded"]
TOLERANCE = 1
DEGRADED = "degraded"  # the generator of copies that are plainly worse than their source
FAULTS = ("fog", "noise", "dark", "bright")
SPOILT = (1, 2)  # what is right for such a copy
CALIBRATION = 10  # items that a rater is calibrated with
EXPOSURES = 30  # raters who have seen a gold item before it is retired: word gets around
DOUBTED_AFTER = 5  # scores, of which most are misses: then it is the item that is wrong


@dataclass(frozen=True)
class Gold:
    """The answers that are right for the one option of a gold or calibration experiment: `low` to `high`, both too.

    `source` says how they are known: raters agreed on it, or it was spoilt on purpose. A retired one is shown no more.
    """

    id: str
    experiment_id: str
    study_id: str
    low: int
    high: int
    source: GoldSource
    created_at: datetime
    retired_at: datetime | None = None
    revision: int = 0

    def misses(self, score: float) -> bool:
        """Tell whether a score is so far outside that taste does not explain it."""
        return not self.low - TOLERANCE <= score <= self.high + TOLERANCE


@dataclass(frozen=True)
class Agreed:
    """An option on whose output raters agree, with the lowest and the highest score that it got."""

    option_id: str
    low: int
    high: int
