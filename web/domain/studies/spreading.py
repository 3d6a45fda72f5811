"""Fair shares of experiments: of strata by their sizes, and of inputs that come after experiments were planned."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Stratum:
    """A kind of input: how many inputs there are, and how many experiments they have had."""

    name: str
    size: int
    had: float = 0.0


def turns(strata: Sequence[Stratum], count: int) -> tuple[str, ...]:
    """Name the strata whose turn it is, so many times in all, and each at most as often as it has inputs.

    Experiments go to strata as seats go to parties by the method of Sainte-Laguë: next is the one that has had the
    least of its share at the middle of its next experiment, the first of equals.
    """
    given = Counter[str]()
    order = []
    for _ in range(min(count, sum(stratum.size for stratum in strata))):
        open_now = [stratum for stratum in strata if given[stratum.name] < stratum.size]
        chosen = min(open_now, key=lambda one: (one.had + given[one.name] + 0.5) / one.size)
        given[chosen.name] += 1
        order.append(chosen.name)
    return tuple(order)


@dataclass(frozen=True)
class Waiting:
    """An experiment that may be moved, and the input that it is of."""

    experiment_id: str
    input_id: str


@dataclass(frozen=True)
class Move:
    """An experiment whose points are to be tried on another input."""

    experiment_id: str
    input_id: str


def moves(waiting: Sequence[Waiting], sources: Sequence[str]) -> tuple[Move, ...]:
    """Return what goes from inputs that have more than their share to those that came after it was planned.

    Both are named by ids that sort by time. `sources` are inputs in the order of their turns, were nothing waiting:
    as many as wait, or all there are. Of an input's experiments those planned last go.
    """
    shares = Counter(sources[place % len(sources)] for place in range(len(waiting))) if sources else Counter[str]()
    left, surplus = shares.copy(), list[str]()
    for one in sorted(waiting, key=lambda one: one.experiment_id):
        if left[one.input_id] > 0:
            left[one.input_id] -= 1
        else:
            surplus.append(one.experiment_id)
    found = []
    for source in left.elements():
        moved = next((one for one in surplus if one < source), None)
        if moved is not None:
            surplus.remove(moved)
            found.append(Move(moved, source))
    return tuple(found)
