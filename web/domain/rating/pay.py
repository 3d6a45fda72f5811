"""What raters are paid by: their work in a period."""

from dataclasses import dataclass

LONGEST_LOOK = 60_000  # ms of one answer that count as work: whoever looks longer has gone away


@dataclass(frozen=True)
class PayLine:
    """The work of one rater in a period: answers that stand, and the time that photos were looked at.

    `samples` counts experiments that taught the optimizer something; time counts for answers taken back, too.
    """

    rater: str
    rater_id: str
    ratings: int
    skips: int
    samples: int
    visible_hours: float
