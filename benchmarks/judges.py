"""Simulated raters whose stars are an order: what they think is real, what they click is one of five.

An honest rater thinks 3 + slope·(quality - 3) + level + noise and gives as many stars as that passes thresholds; a
quarter of them use half of the scale. The truth of an item is what all such raters would give it on average. Careless
raters are random clickers and straight-liners; half of them are quick.

The thresholds of flags were chosen on the population `KNOWN_RATERS`. `unknown_raters` draws others that none was chosen
on, another one for each study.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from web.domain.rating.gold import Gold
from web.domain.rating.work import Given
from web.domain.studies.experiment import ExperimentKind

THRESHOLDS = np.array([1.5, 2.5, 3.5, 4.5])
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
# Half of the items whose answer is known are spoilt copies, the others are what raters agreed on, mostly good.
KNOWN = [(1, 2), (4, 5), (1, 2), (5, 5), (1, 2), (4, 5), (1, 2), (4, 4), (1, 2), (4, 5), (1, 2), (4, 5), (1, 2), (2, 2)]
EVERY, TRAINING, SINCE = 20, 10, 25  # experiments to one gold and one repeat; calibration items; ratings to a repeat
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class People:
    """How the raters of a population differ, and the items that they see."""

    bias: float = 0.4  # standard deviation of levels
    noise: float = 0.65  # median, and the spread of its logarithm
    noises: float = 0.3
    compressed: float = 0.25  # share of raters who use that much of the scale
    slope: float = 0.5
    look: float = 2500  # median time on a picture in ms, the spread of its logarithm for one rater and among raters
    looks: float = 0.5
    lookers: float = 0.3
    quick: float = 0.3  # of that time, for who is quick
    habit: tuple[float, ...] = (0.2, 0.2, 0.2, 0.2, 0.2)  # how often a random clicker clicks each
    slip: float = 0.0  # how often a straight-liner clicks beside
    quality: float = 3.1  # of items: mean and standard deviation
    spread: float = 0.8


KNOWN_RATERS = People()


def unknown_raters(seed: int) -> People:
    """Return people who differ from others in every way, by a seed."""
    random = np.random.default_rng([seed, 20_261_122])

    def some(low: float, high: float) -> float:
        return float(random.uniform(low, high))

    return People(
        bias=some(0.25, 0.6),
        noise=some(0.45, 0.8),
        noises=some(0.15, 0.4),
        compressed=some(0.1, 0.45),
        slope=some(0.4, 0.7),
        look=some(1200, 7000),
        looks=some(0.3, 0.9),
        lookers=some(0.15, 0.45),
        quick=some(0.15, 0.45),
        habit=tuple(random.dirichlet([8.0] * 5).tolist()),
        slip=some(0, 0.15),
        quality=some(2.7, 3.7),
        spread=some(0.6, 1.1),
    )


class Judges:
    """So many raters, drawn from a population; the last of them are careless in the ways named."""

    def __init__(self, count: int, careless: tuple[str, ...], random: np.random.Generator, people: People) -> None:
        self.random, self.people = random, people
        self.ways = ("honest",) * (count - len(careless)) + careless
        self.level, self.noise, self.slope = drawn(count, random, people)
        self.favourite = random.choice([3, 4, 5], count)
        own = np.exp(random.normal(0, people.lookers, count))
        self.look = people.look * own * np.where(self._quick(), people.quick, 1.0)

    def _quick(self) -> NDArray[np.bool_]:
        careless = np.array([way != "honest" for way in self.ways])
        return careless & (self.random.random(len(self.ways)) < 0.5)

    def name(self, judge: int) -> str:
        """Return a name that tells what the rater is like."""
        honest = "compressed" if self.slope[judge] < 1 else "honest"
        return f"{self.ways[judge] if self.ways[judge] != 'honest' else honest} {judge}"

    def stars(self, judge: int, quality: float) -> float:
        """Return the stars that a rater gives something of that quality."""
        if self.ways[judge] == "random":
            return float(self.random.choice(5, p=self.people.habit) + 1)
        if self.ways[judge] == "straight":
            beside = self.random.choice([-1, 1]) * (self.random.random() < self.people.slip)
            return float(min(self.favourite[judge] + beside, 5))
        thought = 3 + self.slope[judge] * (quality - 3) + self.level[judge]
        return float(1 + (thought + self.random.normal(0, self.noise[judge]) > THRESHOLDS).sum())


def drawn(count: int, random: np.random.Generator, people: People) -> tuple[Floats, Floats, Floats]:
    """Return levels, noises and slopes of so many honest raters."""
    slope = np.where(random.random(count) < people.compressed, people.slope, 1.0)
    noise = people.noise * np.exp(random.normal(0, people.noises, count))
    return random.normal(0, people.bias, count), noise, slope


def truth(qualities: Floats) -> Floats:
    """Return what all honest raters would give each item on average."""
    level, noise, slope = drawn(4000, np.random.default_rng(99), KNOWN_RATERS)
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
    judges = Judges(design.raters, careless, random, KNOWN_RATERS)
    quality = random.normal(design.quality, KNOWN_RATERS.spread, design.items)
    given = [
        (f"item {item}", judges.name(judge), judges.stars(judge, quality[item]))
        for item in range(design.items)
        for judge in random.choice(design.raters, design.each, replace=False).tolist()
    ]
    given = [given[place] for place in random.permutation(len(given))]
    items, raters, stars = (list(column) for column in zip(*given, strict=True))
    known = {f"item {item}": value for item, value in enumerate(truth(quality).tolist())}
    return Ratings(items, raters, stars, {item: known[item] for item in dict.fromkeys(items)})


@dataclass(frozen=True)
class Work:
    """A study for flags: raters, how many rate each item, the careless, ratings of each, and whether they calibrate."""

    raters: int
    each: int
    ways: tuple[str, ...]
    ratings: int
    calibrated: bool


def worked(study: Work, people: People, seed: int) -> list[Given]:
    """Return what raters give in the first ratings of a study: calibration, then items with gold and repeats."""
    count, each, ratings = study.raters, study.each, study.ratings
    random = np.random.default_rng([seed, count, ratings])
    judges = Judges(count, study.ways, random, people)
    quality = random.normal(people.quality, people.spread, ratings * count // each)
    todo: list[list[int]] = [[] for _ in range(count)]
    for item in range(len(quality)):
        for judge in sorted(range(count), key=lambda one: (-ratings + len(todo[one]), random.random()))[:each]:
            todo[judge].append(item)
    given = [one for judge in range(count) for one in _work(judges, judge, todo[judge], quality, study)]
    return sorted(given, key=lambda one: one.at)


def _work(judges: Judges, judge: int, todo: list[int], quality: Floats, study: Work) -> list[Given]:
    """Return one rater's first ratings."""
    work: list[Given] = []

    def give(item: str, kind: ExperimentKind, worth: float, gold: Gold | None = None) -> None:
        seen = int(judges.look[judge] * np.exp(judges.random.normal(0, judges.people.looks)))
        at = START + timedelta(minutes=len(work), seconds=judge)
        work.append(Given(judges.name(judge), item, kind, judges.stars(judge, worth), at, seen, gold=gold))

    def check(kind: ExperimentKind, number: int) -> None:
        low, high = KNOWN[number % len(KNOWN)]
        gold = Gold(f"gold {number}", f"experiment {number}", "study", low, high, "agreement", START)
        give(gold.id, kind, (low + high) / 2 + judges.random.normal(0, 0.3), gold)

    for number in range(TRAINING if study.calibrated else 0):
        check("calibration", number)
    waiting, seen = list(judges.random.permutation(todo)), list[int]()
    for turn in range(study.ratings - len(work)):
        if turn % EVERY == EVERY // 2:
            check("gold", TRAINING + turn // EVERY)
        elif turn % EVERY == 0 and len(seen) >= SINCE:
            again = seen[-SINCE]
            give(f"item {again}", "repeat", quality[again])
        elif waiting:
            seen.append(waiting.pop())
            give(f"item {seen[-1]}", "explore", quality[seen[-1]])
    return work
