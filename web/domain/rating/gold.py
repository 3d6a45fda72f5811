"""Items whose right answer is known, by which raters are calibrated and looked after.

Three things are known of people. What three of them rated alike, within a star and clear of the middle, others see
alike (`agreement`): the good end of the scale and the bad one. A copy spoilt on purpose looks bad to everybody
(`degraded`). And whoever sees both prefers the source to its spoilt copy (`untouched`): a source may be poor itself, so
nothing says that it is good, but as 1 or 2 is right for the copy, 2 to 5 is for the source. That teaches newcomers that
the scale goes up, beside copies that all lie at its bottom; within a star of it lies every answer, so it could miss
nobody and is no hidden check. Hidden checks are of the good end once raters agree on something good.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

GoldSource = Literal["agreement", "degraded", "untouched"]
TOLERANCE = 1
DEGRADED = "degraded"  # the generator of copies that are plainly worse than their source
FAULTS = ("fog", "noise", "dark", "bright")
SPOILT = (1, 2)  # what is right for such a copy
UNTOUCHED = "none"  # the fault of a copy that has none
BETTER = (2, 5)  # what is right for a source whose spoilt copy is worse
LIKED = 4  # stars that the best liked of what raters agree on got
EXPOSURES = 30  # raters who have seen a gold item before it is retired: word gets around
DOUBTED_AFTER = 5  # scores, of which most are misses: then it is the item that is wrong


@dataclass(frozen=True)
class Gold:
    """The answers that are right for the one option of a gold or calibration experiment: `low` to `high`, both too.

    `source` says how they are known: raters agreed on it, it was spoilt on purpose, or it is a source as it came. A
    retired one is shown no more.
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
