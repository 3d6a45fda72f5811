"""Where experiments that nobody has seen belong once more inputs have come: each input has its share of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


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


def moves(waiting: Sequence[Waiting], turns: Sequence[str]) -> tuple[Move, ...]:
    """Return what goes from inputs that have more than their share to those that came after it was planned.

    Both are named by ids that sort by time. `turns` are inputs in the order of their turns were nothing waiting: as
    many as wait, or all inputs there are. Of an input's experiments those planned last go.
    """
    shares = Counter(turns[place % len(turns)] for place in range(len(waiting))) if turns else Counter[str]()
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
