"""Fair shares of experiments: of strata by their sizes, and of inputs that come after experiments were planned."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace


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
    heap = [((stratum.had + 0.5) / stratum.size, place, 1) for place, stratum in enumerate(strata)]
    heapify(heap)
    order: list[str] = []
    while heap and len(order) < count:
        _, place, given = heap[0]
        chosen = strata[place]
        order.append(chosen.name)
        if given < chosen.size:
            heapreplace(heap, ((chosen.had + given + 0.5) / chosen.size, place, given + 1))
        else:
            heappop(heap)
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
