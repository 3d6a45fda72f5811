"""What a comparison of two studies says, in sentences that claim no more than the intervals carry."""

from dataclasses import dataclass
from math import sqrt

from ml_service.wire.contract import Best, Interval
from web.domain.studies.study import Study
from web.pages.drawing.svg import number
from web.pages.learning.words import BOUND


@dataclass(frozen=True)
class Side:
    """One of two studies: its best settings where there are any, how many ratings it has, what its images cost."""

    study: Study
    best: Best | None
    ratings: int
    spent_micros: int

    @property
    def cost(self) -> str:
        """What its images cost, in dollars, and for each rating."""
        each = self.spent_micros / self.ratings / 1e6 if self.ratings else 0.0
        return f"${self.spent_micros / 1e6:.2f}" + (f", ${each:.4f} a rating" if each else "")


def sentences(first: Side, second: Side) -> tuple[str, ...]:
    """Say how the best settings of two studies compare: in rating, in gain over each one's default, in cost."""
    names = first.study.name, second.study.name
    if first.best is None or second.best is None:
        waiting = " and ".join(side.study.name for side in (first, second) if side.best is None)
        return (f"{waiting} cannot be compared yet: a few more ratings are needed before there are best settings.",)
    rating = difference(first.best.rating, second.best.rating, _sd(first.best), _sd(second.best))
    gain = difference(first.best.gain, second.best.gain)
    return (
        _said(*names, ("are rated", "higher"), rating),
        _said(*names, ("gain over their own default", "more"), gain),
        "Ratings also depend on the photos and the raters of a study; the gain over its own default does so less. "
        "Which settings are better on the same photos is told by an A/B test.",
    )


def difference(one: Interval, other: Interval, sd: float | None = None, other_sd: float | None = None) -> Interval:
    """Return by how much one quantity exceeds another that was learnt apart from it, with its 95 % interval."""
    mean = one.mean - other.mean
    spread = BOUND * sqrt((sd or _spread(one)) ** 2 + (other_sd or _spread(other)) ** 2)
    return Interval(mean=mean, low=mean - spread, high=mean + spread)


def _said(first: str, second: str, what: tuple[str, str], by: Interval) -> str:
    does, more = what
    if by.low <= 0 <= by.high:
        return (
            f"It is open which of the best settings {does} {more}: those of {first} may be up to {number(-by.low)} "
            f"stars behind those of {second}, or up to {number(by.high)} ahead."
        )
    better, worse = (first, second) if by.low > 0 else (second, first)
    low, high = sorted((abs(by.low), abs(by.high)))
    return (
        f"The best settings of {better} {does} {more} than those of {worse}, by {number(low)} to {number(high)} stars."
    )


def _sd(best: Best) -> float:
    return best.sd or _spread(best.rating)


def _spread(one: Interval) -> float:
    return (one.high - one.low) / 2 / BOUND
