"""In which order a rater is given things: rare kinds by their shares, sources apart, an order of everybody's own."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from web.domain.studies.experiment import ExperimentKind
from web.domain.studies.study import Shares

Lot = ExperimentKind | Literal["overlap"]
RARE: tuple[Lot, ...] = ("gold", "repeat", "overlap")
APART = 5  # experiments between two of one source: a rating leans towards the one before it
WINDOW = 32  # the oldest experiments that one is chosen from
SPREAD = 8  # how many places chance may move one back: the oldest is always among the likely ones
FURTHEST = 200  # experiments that are looked back over
REPEAT_AFTER = 20  # ratings: what was rated longer ago is not remembered as such
MOST_RATINGS = 6  # of one explore experiment
TYPICAL = 0.8  # stars by which ratings of one output differ, before any are in
WORTH = 3.0  # ratings that this counts for


@dataclass(frozen=True)
class Dealt:
    """An experiment that a rater was given, and as what: `overlap` is one more rating of an explore experiment."""

    experiment_id: str
    lot: Lot
    input_id: str


@dataclass(frozen=True)
class Unsure:
    """What raters said of one option of an experiment that may be asked for one more rating."""

    experiment_id: str
    input_id: str
    count: int
    total: float
    squares: float

    @property
    def doubt(self) -> float:
        """The variance of the option's mean: large where few have rated it, and where they disagree."""
        spread = max(self.squares - self.total * self.total / self.count, 0.0)
        return (spread + WORTH * TYPICAL**2) / (self.count - 1 + WORTH) / self.count


def chance(*words: str) -> float:
    """Return a number from 0 to 1 that nobody foresees and that the same words give again."""
    return int.from_bytes(hashlib.sha256(" ".join(words).encode()).digest()[:7]) / 2**56


def every(lot: Lot, shares: Shares) -> float:
    """Return how many experiments there are to one of a kind; infinity where there is to be none."""
    total = shares.ab + shares.explore + shares.gold + shares.repeat
    share = int(getattr(shares, lot))
    return max(total / share, 1.0) if share > 0 else math.inf


def reach(shares: Shares) -> int:
    """Return how many of a rater's last experiments tell what is due."""
    wanted = [1.5 * between for lot in RARE if (between := every(lot, shares)) < math.inf]
    return min(math.ceil(max(wanted, default=0.0)), FURTHEST) + APART


def is_due(lot: Lot, shares: Shares, given: Sequence[Dealt], rater_id: str) -> bool:
    """Tell whether a rater's next experiment should be of a rare kind; `given` is newest first.

    Each is so many experiments after the last of its kind, half as many to half as many again, by chance. What could
    not be had in time stays due, and is never made up for by several at once.
    """
    between = every(lot, shares)
    if between == math.inf:
        return False
    gap = next((place for place, one in enumerate(given) if one.lot == lot), None)
    if gap is None and len(given) >= reach(shares):
        return True
    last = given[gap].experiment_id if gap is not None else ""
    passed = gap if gap is not None else len(given)
    return passed >= (between - 1) * (0.5 + chance(rater_id, lot, last))


def ordered(open_now: Sequence[Dealt], given: Sequence[Dealt], rater_id: str) -> tuple[Dealt, ...]:
    """Return what is open, oldest first, in an order of this rater's own: chance moves each back by some places."""
    last = given[0].experiment_id if given else ""
    keys = {
        one.experiment_id: place + SPREAD * chance(rater_id, one.experiment_id, last)
        for place, one in enumerate(open_now)
    }
    return tuple(sorted(open_now, key=lambda one: keys[one.experiment_id]))


def apart(open_now: Sequence[Dealt], given: Sequence[Dealt], sources: int) -> Dealt | None:
    """Return the first whose source was not among the last, else the one whose source is longest ago.

    That is a preference and keeps nothing back: with too few sources the same one returns.
    """
    recent = [one.input_id for one in given[: max(min(APART, sources - 1), 0)]]
    fresh = next((one for one in open_now if one.input_id not in recent), None)
    return fresh or max(open_now, default=None, key=lambda one: recent.index(one.input_id))


def most_doubtful(options: Sequence[Unsure]) -> tuple[Dealt, ...]:
    """Return the experiments of some options, that one first of which raters know least what to think."""
    doubts: dict[str, float] = {}
    for option in options:
        doubts[option.experiment_id] = max(option.doubt, doubts.get(option.experiment_id, 0.0))
    sources = {option.experiment_id: option.input_id for option in options}
    return tuple(Dealt(one, "overlap", sources[one]) for one in sorted(doubts, key=lambda one: (-doubts[one], one)))
