"""Which versions are worth building on: those that lead somewhere, for a kind of photo or against a complaint.

A cell is a kind of photo treated by a generator, or a complaint that is not made. Few outputs say little, so a
version's mean in a cell is drawn towards that of all versions there. Versions that lead nowhere are no parents (GEPA's
front, over cells instead of photos, since versions rarely share photos).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random

PRIOR = 2.0  # outputs' worth of belief in what all versions get in a cell
MOST = 12  # versions on the front
_EQUAL = 1e-9


@dataclass(frozen=True)
class Outcome:
    """One rated output: its version, the kind of photo and the generator, its opinion score and its tags."""

    version: str
    kind: str
    score: float
    tags: frozenset[str] = frozenset()


def front(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return how many cells each version leads, those that lead none left out; at most so many, by cells led."""
    led: Counter[str] = Counter()
    for values in _cells(tuple(outcomes)).values():
        means = _shrunken(values)
        best = max(means.values())
        led.update(version for version, mean in means.items() if mean >= best - _EQUAL)
    return dict(sorted(led.items(), key=lambda item: (-item[1], item[0]))[:MOST])


def drawn(led: Mapping[str, int], seed: int) -> str:
    """Return a version of the front, by chance in proportion to the cells that it leads; the same for a seed."""
    names = sorted(led)
    return Random(seed).choices(names, [led[name] for name in names])[0]


def _cells(outcomes: tuple[Outcome, ...]) -> dict[tuple[str, str], dict[str, list[float]]]:
    cells: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    complaints = {tag for one in outcomes for tag in one.tags}
    for one in outcomes:
        cells["kind", one.kind][one.version].append(one.score)
        for tag in complaints:
            cells["tag", tag][one.version].append(float(tag not in one.tags))
    return cells


def _shrunken(values: Mapping[str, list[float]]) -> dict[str, float]:
    every = [value for many in values.values() for value in many]
    mean = sum(every) / len(every)
    return {version: (sum(many) + PRIOR * mean) / (len(many) + PRIOR) for version, many in values.items()}
