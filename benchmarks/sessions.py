"""One rating session: an optimizer is asked for options, several are out at once, and people rate them in any order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np

from benchmarks.likings import Likings
from benchmarks.panel import ITEMS, Conditions, Panel
from benchmarks.problems import Problem
from benchmarks.raters import SEEN, Raters
from ml_service.wire.contract import Interval, Observation, Pending, Point

CHECKPOINTS = (20, 50, 100, 200)
BESIDE = 4  # options of one item that a rater sees side by side
PATIENCE = 10  # ratings until one that is taken back is missing
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Out:
    """An option that is out: its number, point and item."""

    number: int
    point: Point
    item: int

    def pending(self) -> Pending:
        """Return it in the words of the contract."""
        return Pending(point=self.point, generator="g", item=f"item-{self.item}")


class Player(Protocol):
    """An optimizer as a session sees it."""

    def ask(self, item: int, out: list[Out], count: int) -> list[Point]:
        """Return the next points to be rated on an item, to be seen side by side, while others are out."""
        ...

    def tell(self, done: Out, ratings: list[Observation]) -> None:
        """Take in all ratings of one option."""
        ...

    def forget(self, done: Out, rating: Observation) -> None:
        """Take a rating as never given, as far as the optimizer can."""
        ...

    def best(self) -> tuple[Point, Interval | None]:
        """Return the point that it recommends, and the 95 % interval of its mean rating where it gives one."""
        ...


@dataclass(frozen=True)
class Checked:
    """What was recommended after so many ratings: its regret, its true quality, and the interval of its rating."""

    regret: float
    quality: float
    interval: Interval | None


@dataclass
class Session:
    """A problem, the people who rate, and what is out; the same seed makes the same people, items and schedule."""

    problem: Problem
    player: Player
    seed: int
    conditions: Conditions
    last: int
    raters: Raters = SEEN
    told: int = 0
    asked: int = 0
    out: list[list[Out]] = field(default_factory=list)
    doomed: list[tuple[int, Out, Observation]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.panel = Panel(self.seed, self.conditions, self.raters)
        tastes = np.random.default_rng([self.seed, 12])
        self.likings = Likings(self.problem.search, self.conditions.raters, self.raters.taste, tastes)
        self.random = np.random.default_rng([self.seed, 2])
        self.fate = np.random.default_rng([self.seed, 4])

    def play(self, beside: int) -> Mapping[int, Checked]:
        """Return what is recommended at every checkpoint up to the last rating."""
        checked: dict[int, Checked] = {}
        while self.told < self.last:
            wanted = self.conditions.out or 2 + self.asked % 3
            while len(self.out) * beside < (wanted if beside == 1 else 2 * beside):
                self._ask(beside)
            before = self.told
            self._rate(self.out.pop(int(self.random.integers(len(self.out)))))
            for checkpoint in CHECKPOINTS:
                if before < checkpoint <= min(self.told, self.last):
                    point, interval = self.player.best()
                    checked[checkpoint] = Checked(self.problem.regret(point), self.problem.quality(point), interval)
        return checked

    def _ask(self, count: int) -> None:
        item = int(self.random.integers(ITEMS))
        points = self.player.ask(item, [one for group in self.out for one in group], count)
        self.out.append([Out(self.asked + i, point, item) for i, point in enumerate(points)])
        self.asked += len(points)

    def _rate(self, group: list[Out]) -> None:
        """Let one to three people rate an option; options side by side are all rated by the same person."""
        people = 1 if len(group) > 1 else int(self.random.integers(1, 4))
        raters = self.random.choice(self.conditions.raters, people, replace=False)
        for done in group:
            good = self.panel.output(self.problem.quality(done.point), done.item)
            ratings = [self._rating(done, good, int(rater), place) for place, rater in enumerate(raters)]
            self.told += len(ratings)
            self.player.tell(done, ratings)
            taken_back = self.fate.random(len(ratings)) < self.conditions.withdrawn
            self.doomed += [
                (self.told + PATIENCE, done, one) for one, is_one in zip(ratings, taken_back, strict=True) if is_one
            ]
        for due, done, one in [doom for doom in self.doomed if doom[0] <= self.told]:
            self.player.forget(done, one)
            self.doomed.remove((due, done, one))

    def _rating(self, done: Out, good: float, rater: int, place: int) -> Observation:
        liking = self.likings.of(rater, done.point)
        stars = self.panel.rate(good, rater, self.told / self.last, liking)
        return observed(done, rater, stars, self.told + place)


def play(
    problem: Problem,
    player: Player,
    seed: int,
    conditions: Conditions,
    last: int = CHECKPOINTS[-1],
    beside: int = 1,
    raters: Raters = SEEN,
) -> Mapping[int, Checked]:
    """Return what is recommended after so many ratings, up to the last checkpoint wanted."""
    return Session(problem, player, seed, conditions, last, raters).play(beside)


def observed(done: Out, rater: int, stars: int, number: int) -> Observation:
    """Return a rating in the words of the contract; numbers are in the order of time."""
    return Observation(
        point=done.point,
        rating=stars,
        rater=f"rater-{rater}",
        item=f"item-{done.item}",
        output=f"output-{done.number}",
        generator="g",
        version="v1.0.0",
        at=START + timedelta(seconds=number),
    )
