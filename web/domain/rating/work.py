"""One rater's work: what they gave, how they did where the answer is known, and how it looks beside that of others."""

from dataclasses import dataclass
from datetime import datetime

from web.domain.rating.gold import Gold
from web.domain.studies.experiment import ExperimentKind


@dataclass(frozen=True)
class Given:
    """A standing score as the statistics take it; `counts` is False where its rater is excluded from then on."""

    rater: str
    item: str
    kind: ExperimentKind
    score: float
    at: datetime
    seen_ms: int
    counts: bool = True
    gold: Gold | None = None
