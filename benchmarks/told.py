"""What every optimizer that Palate is compared with has in common: it is told the mean rating of an option."""

from abc import ABC, abstractmethod

import numpy as np

from benchmarks.problems import Problem
from benchmarks.sessions import Out
from ml_service.wire.contract import Observation, Point

INITIAL = 10


class Told(ABC):
    """What every peer keeps: the points it was told, and their ratings."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem, self.seed = problem, seed
        self.told: dict[int, tuple[Point, list[float]]] = {}

    @property
    def points(self) -> list[Point]:
        """Return the points that have a rating."""
        return [point for point, ratings in self.told.values() if ratings]

    @property
    def means(self) -> list[float]:
        """Return the mean rating of each of them."""
        return [float(np.mean(ratings)) for _, ratings in self.told.values() if ratings]

    def ask(self, item: int, out: list[Out], count: int) -> list[Point]:
        """Ask one after the other, each knowing of those before it."""
        beside: list[Out] = []
        for number in range(count):
            beside.append(Out(-1 - number, self.one(out + beside), item))
        return [option.point for option in beside]

    @abstractmethod
    def one(self, out: list[Out]) -> Point:
        """Return the next point to be rated."""

    def tell(self, done: Out, ratings: list[Observation]) -> None:
        """Keep an option with its ratings."""
        self.told[done.number] = (done.point, [one.rating for one in ratings])

    def forget(self, done: Out, rating: Observation) -> None:
        """Forget a rating; those that keep a state of their own go on with what they were told."""
        self.told[done.number][1].remove(rating.rating)

    def best(self) -> tuple[Point, None]:
        """Return the point that it recommends; none of the peers says how well it will be rated."""
        return self.recommended(), None

    def recommended(self) -> Point:
        """Return the point of the highest mean rating, the first of equals."""
        return self.points[int(np.argmax(self.means))]


def mean(ratings: list[Observation]) -> float:
    """Return the mean rating of one option."""
    return float(np.mean([one.rating for one in ratings]))
