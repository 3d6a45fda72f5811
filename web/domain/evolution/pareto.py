"""Which versions are worth building on: those that lead somewhere, for a kind of photo or against a complaint.

A cell is a kind of photo treated by a generator, or a complaint that is not made. Few outputs say little, so a
version's mean in a cell is drawn towards that of all versions there. Versions that lead nowhere are no parents (GEPA's
front, over cells instead of photos, since versions rarely share photos).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random

from web.domain.prompts.prompt import PromptVersion

PRIOR = 2.0  # outputs' worth of belief in what all versions get in a cell
MOST = 12  # versions on the front
_EQUAL = 1e-9


@dataclass(frozen=True)
class Outcome:
    """One rated output: its version, the kind of photo, its opinion score, its tags, and the generator."""

    version: str
    kind: str
    score: float
    tags: frozenset[str] = frozenset()
    generator: str = ""


@dataclass(frozen=True)
class Mate:
    """A second member of the front to merge with, and the generators for which it leads more than the parent."""

    version: PromptVersion
    leads: frozenset[str] = frozenset()


def front(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return how many cells each version leads, those that lead none left out; at most so many, by cells led."""
    counts = ((version, led.total()) for version, led in leads(outcomes).items())
    return dict(sorted(counts, key=lambda item: (-item[1], item[0]))[:MOST])


def leads(outcomes: Iterable[Outcome]) -> dict[str, Counter[str]]:
    """Return how many cells each version leads by generator, those against complaints under an empty name."""
    led: dict[str, Counter[str]] = defaultdict(Counter)
    for (_, _, generator), values in _cells(tuple(outcomes)).items():
        means = _shrunken(values)
        best = max(means.values())
        for version, mean in means.items():
            if mean >= best - _EQUAL:
                led[version][generator] += 1
    return dict(led)


def ahead(led: Mapping[str, Counter[str]], one: str, other: str, generators: Iterable[str]) -> frozenset[str]:
    """Return the generators for which one version leads more cells than another."""
    mine, theirs = led.get(one, Counter()), led.get(other, Counter())
    return frozenset(name for name in generators if mine[name] + mine[""] > theirs[name] + theirs[""])


def drawn(led: Mapping[str, int], seed: int) -> str:
    """Return a version of the front, by chance in proportion to the cells that it leads; the same for a seed."""
    names = sorted(led)
    return Random(seed).choices(names, [led[name] for name in names])[0]


def _cells(outcomes: tuple[Outcome, ...]) -> dict[tuple[str, str, str], dict[str, list[float]]]:
    cells: dict[tuple[str, str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    complaints = {tag for one in outcomes for tag in one.tags}
    for one in outcomes:
        cells["kind", one.kind, one.generator][one.version].append(one.score)
        for tag in complaints:
            cells["tag", tag, ""][one.version].append(float(tag not in one.tags))
    return cells


def _shrunken(values: Mapping[str, list[float]]) -> dict[str, float]:
    every = [value for many in values.values() for value in many]
    mean = sum(every) / len(every)
    return {version: (sum(many) + PRIOR * mean) / (len(many) + PRIOR) for version, many in values.items()}
