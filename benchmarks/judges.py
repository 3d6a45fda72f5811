"""Simulated raters whose stars are an order: what they think is real, what they click is one of five.

An honest rater thinks 3 + slope·(quality - 3) + level + noise and gives as many stars as that passes their own cut
points; their level moves in the course of a session, and of their noise a part comes again with the same picture. The
truth of an item is what all such raters would give it on average. How they differ is in `benchmarks.raters`. Of the
careless, some give the stars that they would give to some other picture, some mostly one favourite and sometimes
another (habitual), some nearly always the same (straight); few are quick, and most attend to checks.

The thresholds of flags were chosen on real ratings (benchmarks.real_raters) and on raters as `KNOWN_RATERS`.
`unknown_raters` draws others that none was chosen on, another population for each study.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmarks.raters import IMAGINED, SEEN, SESSION, Raters
from web.domain.rating.gold import Gold
from web.domain.rating.work import Given
from web.domain.studies.experiment import ExperimentKind

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
# Half of the items whose answer is known are spoilt copies, the others are what raters agreed on, mostly good.
KNOWN = [(1, 2), (4, 5), (1, 2), (5, 5), (1, 2), (4, 5), (1, 2), (4, 4), (1, 2), (4, 5), (1, 2), (4, 5), (1, 2), (2, 2)]
EVERY, TRAINING, SINCE = 20, 10, 25  # experiments to one gold and one repeat; calibration items; ratings to a repeat
MANY = 4000  # raters whose mean is the truth
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class People:
    """A population of raters: how they differ, how they work, and the items that they see."""

    raters: Raters = SEEN
    look: float = 2500  # median time on a picture in ms, the spread of its logarithm for one rater and among raters
    looks: float = 0.5
    lookers: float = 0.3
    hasty: float = 0.1  # share of the careless who are quick
    quick: float = 0.3  # of that time, for who is quick
    favour: float = 0.57  # share of a habitual clicker's stars that are their favourite
    heed: float = 0.9  # share of checks that the careless answer as others do
    slip: float = 0.0  # how often a straight-liner clicks beside
    quality: float = 3.1  # of items: mean and standard deviation
    spread: float = 0.8


KNOWN_RATERS = People()
IMAGINED_RATERS = People(IMAGINED["opinion scores"], hasty=0.5, heed=0.0)


def unknown_raters(seed: int) -> People:
    """Return people who differ from others in every way, by a seed."""
    random = np.random.default_rng([seed, 20_261_122])

    def some(low: float, high: float) -> float:
        return float(random.uniform(low, high))

    middle = some(2.8, 3.1)
    raters = Raters(
        level=some(0.3, 0.7),
        noise=some(0.5, 0.85),
        noises=some(0.1, 0.3),
        scale=some(0.1, 0.4),
        half=some(0, 0.15),
        half_scale=some(0.4, 0.7),
        half_noise=some(0.75, 1),
        cuts=(some(1.5, 1.9), middle - some(0.2, 0.4), middle + some(0.2, 0.4), some(4.1, 4.5)),
        cut=some(0.08, 0.25),
        drift=some(0.3, 0.45),
        trend=some(-0.3, -0.1),
        lasting=some(0.6, 0.85),
    )
    return People(
        raters=raters,
        look=some(1200, 7000),
        looks=some(0.3, 0.9),
        lookers=some(0.15, 0.45),
        hasty=some(0.04, 0.16),
        quick=some(0.15, 0.45),
        favour=some(0.5, 0.65),
        heed=some(0.8, 1),
        slip=some(0, 0.15),
        quality=some(2.7, 3.7),
        spread=some(0.6, 1.1),
    )


@dataclass(frozen=True)
class Honest:
    """So many honest raters, by number: level in the middle of a session, how it moves in one, noise, slope, cuts."""

    level: Floats
    moves: Floats
    noise: Floats
    slope: Floats
    half: NDArray[np.bool_]
    cuts: Floats


def drawn(count: int, random: np.random.Generator, raters: Raters) -> Honest:
    """Return so many honest raters of a population."""
    uniform = random.random(count)
    half = uniform < raters.half
    noise = raters.noise * np.exp(random.normal(0, raters.noises, count)) * np.where(half, raters.half_noise, 1.0)
    level, slope = random.normal(0, raters.level, count), raters.scales(random.normal(0, 1, count), uniform)
    moves = random.normal(raters.trend, raters.drift, count)
    cuts = np.sort(np.array(raters.cuts) + random.normal(0, raters.cut, (count, 4)), axis=1)
    return Honest(level, moves, noise, slope, half, cuts)


class Judges:
    """So many raters, drawn from a population; the last of them are careless in the ways named."""

    def __init__(self, count: int, careless: tuple[str, ...], random: np.random.Generator, people: People) -> None:
        self.random, self.people = random, people
        self.ways = ("honest",) * (count - len(careless)) + careless
        self.own = drawn(count, random, people.raters)
        self.favourite = random.choice([3, 4, 5], count)
        lookers = np.exp(random.normal(0, people.lookers, count))
        self.look = people.look * lookers * np.where(self._hasty(), people.quick, 1.0)
        self.liked: dict[tuple[int, str], float] = {}

    def _hasty(self) -> NDArray[np.bool_]:
        careless = np.array([way != "honest" for way in self.ways])
        return careless & (self.random.random(len(self.ways)) < self.people.hasty)

    def name(self, judge: int) -> str:
        """Return a name that tells what the rater is like."""
        honest = "compressed" if self.own.half[judge] else "honest"
        return f"{self.ways[judge] if self.ways[judge] != 'honest' else honest} {judge}"

    def stars(self, judge: int, item: str, quality: float, number: int, is_check: bool = False) -> float:
        """Return the stars that a rater gives an item of that quality as their rating of that number."""
        way = self.ways[judge]
        if way == "honest" or (is_check and self.random.random() < self.people.heed):
            return self._thought(judge, item, quality, number)
        if way == "straight":
            beside = self.random.choice([-1, 1]) * (self.random.random() < self.people.slip)
            return float(min(self.favourite[judge] + beside, 5))
        if way == "habitual" and self.random.random() < self.people.favour:
            return float(self.favourite[judge])
        other = self.random.normal(self.people.quality, self.people.spread)
        return self._thought(judge, f"{item} {number}", other, number)

    def _thought(self, judge: int, item: str, quality: float, number: int) -> float:
        own, lasting = self.own, self.people.raters.lasting
        again = self.liked.setdefault((judge, item), self.random.normal())
        noise = own.noise[judge] * (np.sqrt(lasting) * again + np.sqrt(1 - lasting) * self.random.normal())
        moved = own.moves[judge] * (number / SESSION - 0.5)
        thought = 3 + own.slope[judge] * (quality - 3) + own.level[judge] + moved + noise
        return float(1 + (thought > own.cuts[judge]).sum())


def truth(qualities: Floats, raters: Raters = SEEN) -> Floats:
    """Return what all honest raters would give each item on average."""
    own = drawn(MANY, np.random.default_rng(99), raters)
    thought = 3 + own.slope * (qualities[:, None] - 3) + own.level
    passed = [ndtr((thought - own.cuts[:, cut]) / own.noise).mean(1) for cut in range(4)]
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


def rated(design: Design, seed: int, ways: tuple[str, ...], people: People = KNOWN_RATERS) -> Ratings:
    """Return the ratings of a study in which each item is rated by raters taken at random, in any order."""
    random = np.random.default_rng([seed, *map(ord, "".join(ways))])
    careless = tuple(ways[place % len(ways)] for place in range(design.careless)) if ways else ()
    judges = Judges(design.raters, careless, random, people)
    quality = random.normal(design.quality, people.spread, design.items)
    todo = [
        (item, judge)
        for item in range(design.items)
        for judge in random.choice(design.raters, design.each, replace=False).tolist()
    ]
    done = Counter[int]()
    given = []
    for item, judge in (todo[place] for place in random.permutation(len(todo))):
        stars = judges.stars(judge, f"item {item}", quality[item], done[judge])
        given.append((f"item {item}", judges.name(judge), stars))
        done[judge] += 1
    items, raters, stars_given = (list(column) for column in zip(*given, strict=True))
    known = {f"item {item}": value for item, value in enumerate(truth(quality, people.raters).tolist())}
    return Ratings(items, raters, stars_given, {item: known[item] for item in dict.fromkeys(items)})


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
        stars = judges.stars(judge, item, worth, len(work), is_check=gold is not None)
        work.append(Given(judges.name(judge), item, kind, stars, at, seen, gold=gold))

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
