"""Simulated raters whose stars are an order: what they think is real, what they click is one of five.

An honest rater thinks 3 + slope·(quality - 3) + level + noise and gives as many stars as that passes thresholds; a
quarter of them use half of the scale. The truth of an item is what all such raters would give it on average. Careless
raters are random clickers and straight-liners; half of them are quick.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from web.domain.experiment import ExperimentKind
from web.domain.gold import Gold
from web.domain.work import Given

THRESHOLDS = np.array([1.5, 2.5, 3.5, 4.5])
BIAS, NOISE, NOISES = 0.4, 0.65, 0.3  # standard deviation of levels; median noise, and its spread as a logarithm
COMPRESSED, HALF = 0.25, 0.5  # the share of raters who use that much of the scale
LOOK, LOOKS, QUICK = 2500, 0.5, 0.3  # median time on a picture in ms, its spread, and that of the quick
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
# Half of the items whose answer is known are spoilt copies, the others are what raters agreed on, mostly good.
KNOWN = [(1, 2), (4, 5), (1, 2), (5, 5), (1, 2), (4, 5), (1, 2), (4, 4), (1, 2), (4, 5), (1, 2), (4, 5), (1, 2), (2, 2)]
EVERY, TRAINING, SINCE = 20, 10, 25  # experiments to one gold and one repeat; calibration items; ratings to a repeat
Floats = NDArray[np.float64]


class Judges:
    """So many raters, drawn from the population; the last of them are careless in the ways named."""

    def __init__(self, count: int, careless: tuple[str, ...], random: np.random.Generator) -> None:
        self.random = random
        self.ways = ("honest",) * (count - len(careless)) + careless
        self.level, self.noise, self.slope = drawn(count, random)
        self.favourite = random.choice([3, 4, 5], count)
        self.look = LOOK * np.exp(random.normal(0, 0.3, count)) * np.where(self._quick(), QUICK, 1.0)

    def _quick(self) -> NDArray[np.bool_]:
        careless = np.array([way != "honest" for way in self.ways])
        return careless & (self.random.random(len(self.ways)) < 0.5)

    def name(self, judge: int) -> str:
        """Return a name that tells what the rater is like."""
        honest = "compressed" if self.slope[judge] == HALF else "honest"
        return f"{self.ways[judge] if self.ways[judge] != 'honest' else honest} {judge}"

    def stars(self, judge: int, quality: float) -> float:
        """Return the stars that a rater gives something of that quality."""
        if self.ways[judge] == "random":
            return float(self.random.integers(1, 6))
        if self.ways[judge] == "straight":
            return float(self.favourite[judge])
        thought = 3 + self.slope[judge] * (quality - 3) + self.level[judge]
        return float(1 + (thought + self.random.normal(0, self.noise[judge]) > THRESHOLDS).sum())


def drawn(count: int, random: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Return levels, noises and slopes of so many honest raters."""
    slope = np.where(random.random(count) < COMPRESSED, HALF, 1.0)
    return random.normal(0, BIAS, count), NOISE * np.exp(random.normal(0, NOISES, count)), slope


def truth(qualities: Floats) -> Floats:
    """Return what all honest raters would give each item on average."""
    level, noise, slope = drawn(4000, np.random.default_rng(99))
    thought = 3 + slope * (qualities[:, None] - 3) + level
    passed = [ndtr((thought - threshold) / noise).mean(1) for threshold in THRESHOLDS]
    return np.asarray(1 + np.sum(passed, axis=0))


@dataclass(frozen=True)
class Design:
    """A study: items, raters, how many rate each item, how many are careless, and where the items' quality lies."""

    items: int
    raters: int
    each: int
    careless: int = 0
    quality: float = 3.1


@dataclass(frozen=True)
class Ratings:
    """The item, rater and stars of each rating, and what is true of the items, by name."""

    items: list[str]
    raters: list[str]
    stars: list[float]
    truth: dict[str, float]


def rated(design: Design, seed: int, ways: tuple[str, ...]) -> Ratings:
    """Return the ratings of a study in which each item is rated by raters taken at random."""
    random = np.random.default_rng([seed, *map(ord, "".join(ways))])
    careless = tuple(ways[place % len(ways)] for place in range(design.careless)) if ways else ()
    judges = Judges(design.raters, careless, random)
    quality = random.normal(design.quality, 0.8, design.items)
    given = [
        (f"item {item}", judges.name(judge), judges.stars(judge, quality[item]))
        for item in range(design.items)
        for judge in random.choice(design.raters, design.each, replace=False).tolist()
    ]
    given = [given[place] for place in random.permutation(len(given))]
    items, raters, stars = (list(column) for column in zip(*given, strict=True))
    known = {f"item {item}": value for item, value in enumerate(truth(quality).tolist())}
    return Ratings(items, raters, stars, {item: known[item] for item in dict.fromkeys(items)})


def worked(count: int, each: int, ways: tuple[str, ...], ratings: int, calibrated: bool, seed: int) -> list[Given]:
    """Return what raters give in the first ratings of a study: calibration, then items with gold and repeats."""
    random = np.random.default_rng([seed, count, ratings])
    judges = Judges(count, ways, random)
    quality = random.normal(3.1, 0.8, ratings * count // each)
    todo: list[list[int]] = [[] for _ in range(count)]
    for item in range(len(quality)):
        for judge in sorted(range(count), key=lambda one: (-ratings + len(todo[one]), random.random()))[:each]:
            todo[judge].append(item)
    given = [one for judge in range(count) for one in _work(judges, judge, todo[judge], quality, ratings, calibrated)]
    return sorted(given, key=lambda one: one.at)


def _work(judges: Judges, judge: int, todo: list[int], quality: Floats, ratings: int, calibrated: bool) -> list[Given]:
    """Return one rater's first ratings."""
    work: list[Given] = []

    def give(item: str, kind: ExperimentKind, worth: float, gold: Gold | None = None) -> None:
        seen = int(judges.look[judge] * np.exp(judges.random.normal(0, LOOKS)))
        at = START + timedelta(minutes=len(work), seconds=judge)
        work.append(Given(judges.name(judge), item, kind, judges.stars(judge, worth), at, seen, gold=gold))

    def check(kind: ExperimentKind, number: int) -> None:
        low, high = KNOWN[number % len(KNOWN)]
        gold = Gold(f"gold {number}", f"experiment {number}", "study", low, high, "agreement", START)
        give(gold.id, kind, (low + high) / 2 + judges.random.normal(0, 0.3), gold)

    for number in range(TRAINING if calibrated else 0):
        check("calibration", number)
    waiting, seen = list(judges.random.permutation(todo)), list[int]()
    for turn in range(ratings - len(work)):
        if turn % EVERY == EVERY // 2:
            check("gold", TRAINING + turn // EVERY)
        elif turn % EVERY == 0 and len(seen) >= SINCE:
            again = seen[-SINCE]
            give(f"item {again}", "repeat", quality[again])
        elif waiting:
            seen.append(waiting.pop())
            give(f"item {seen[-1]}", "explore", quality[seen[-1]])
    return work
