"""Palate as a player of sessions: each question is a request with the whole history."""

from benchmarks.problems import Problem
from benchmarks.sessions import Out
from ml_service.optimizer.suggest import diagnose, suggest
from ml_service.wire.contract import DiagnoseRequest, Interval, Observation, Point, SuggestRequest


class Palate:
    """The optimizer of this repository, at its defaults."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.spaces, self.seed = {"g": problem.space}, seed
        self.seen: list[Observation] = []

    def ask(self, item: int, out: list[Out], count: int) -> list[Point]:
        """Ask for the next options of an item, all at once."""
        pending = tuple(one.pending() for one in out)
        request = SuggestRequest(
            spaces=self.spaces, seen=tuple(self.seen), pending=pending, item=f"item-{item}", count=count, seed=self.seed
        )
        return [one.point for one in suggest(request).proposals]

    def tell(self, done: Out, ratings: list[Observation]) -> None:
        """Keep the ratings of an option."""
        self.seen += ratings

    def forget(self, done: Out, rating: Observation) -> None:
        """Leave a rating out from now on."""
        self.seen.remove(rating)

    def best(self) -> tuple[Point, Interval | None]:
        """Return the point that is recommended, with the interval of its rating."""
        best = diagnose(DiagnoseRequest(spaces=self.spaces, seen=tuple(self.seen), seed=self.seed)).best
        return (best.point, best.rating) if best else (self.spaces["g"].default(), None)


class OneByOne(Palate):
    """The same, asked for options side by side as if each were the only one."""

    def ask(self, item: int, out: list[Out], count: int) -> list[Point]:
        """Ask for one option at a time, each time with another seed, not knowing of those beside it."""
        seed, points = self.seed, []
        for number in range(count):
            self.seed = seed + 1000 * number
            points += super().ask(item, out, 1)
        self.seed = seed
        return points
