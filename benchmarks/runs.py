"""Simulated sessions: what is to be played, how it is played, and what is kept of it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import Any

from benchmarks.digests import OPTIMIZER, digest, of_raters
from benchmarks.ideas import changed
from benchmarks.kept import Shelf
from benchmarks.ours import OneByOne, Palate
from benchmarks.panel import CONDITIONS, PLAIN
from benchmarks.peers import FAST, PACKAGES, PEERS
from benchmarks.problems import Problem, problem
from benchmarks.raters import IMAGINED, SEEN
from benchmarks.sessions import CHECKPOINTS, Out, Player, play
from ml_service.wire.contract import Interval, Observation, Point

OURS, ONE_BY_ONE = "Palate", "Palate, one by one"
THE_WORLD = tuple(f"benchmarks/{name}.py" for name in ("problems", "panel", "likings", "sessions"))
THE_PEERS = tuple(f"benchmarks/{name}.py" for name in ("peers", "torch_peers", "told", "dimensions"))
STEADY = "seen, without drift"
ONCE = replace(SEEN, lasting=0.0)  # nobody sees an option twice
RATERS = {"seen": ONCE, "imagined": IMAGINED["sessions"], STEADY: replace(ONCE, drift=0.0, trend=0.0)}


@dataclass(frozen=True)
class Run:
    """A session to be played: which system, on which problem, with which people, up to how many ratings."""

    system: str
    family: str
    seed: int
    conditions: str = PLAIN
    beside: int = 1
    last: int = CHECKPOINTS[-1]
    idea: str | None = None
    raters: str = "seen"


@dataclass(frozen=True)
class At:
    """What was recommended at a checkpoint: its regret, its true quality, and the interval of its rating if known."""

    regret: float
    quality: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Played:
    """A session that was played: what was recommended after so many ratings, CPU seconds for each option asked for."""

    run: Run
    code: str
    at: dict[int, At]
    seconds: float


class Timed:
    """A player whose CPU time is counted."""

    def __init__(self, player: Player) -> None:
        self.player, self.seconds, self.options = player, 0.0, 0

    def ask(self, item: int, out: list[Out], count: int) -> list[Point]:
        """Ask, counting time and options."""
        start = time.process_time()
        points = self.player.ask(item, out, count)
        self.seconds += time.process_time() - start
        self.options += len(points)
        return points

    def tell(self, done: Out, ratings: list[Observation]) -> None:
        """Tell, counting time."""
        start = time.process_time()
        self.player.tell(done, ratings)
        self.seconds += time.process_time() - start

    def forget(self, done: Out, rating: Observation) -> None:
        """Forget."""
        self.player.forget(done, rating)

    def best(self) -> tuple[Point, Interval | None]:
        """Recommend."""
        return self.player.best()


@cache
def code(run: Run) -> str:
    """Return what a result is of: the simulated world and its raters, with a peer's package or our own code."""
    people = of_raters(RATERS[run.raters])
    if run.system in PACKAGES:
        return f"{digest((*THE_WORLD, *THE_PEERS))} {people} {version(PACKAGES[run.system])}"
    changes = [digest(["benchmarks/ideas.py"])] if run.idea else []
    return " ".join([digest((*THE_WORLD, "benchmarks/ours.py")), people, digest(OPTIMIZER), *changes])


def parse(kept: Mapping[str, Any]) -> Played:
    """Read a result that was kept."""
    at = {int(ratings): At(v["regret"], v["quality"], _pair(v["interval"])) for ratings, v in kept["at"].items()}
    return Played(Run(**kept["run"]), kept["code"], at, kept["seconds"])


def played(run: Run) -> Played:
    """Play a session."""
    stands = code(run)
    drawn = problem(run.family, run.seed)
    player = Timed(_players()[run.system](drawn, run.seed))
    with changed(run.idea):
        people = CONDITIONS[run.conditions], run.last, run.beside, RATERS[run.raters]
        checked = play(drawn, player, run.seed, *people)
    at = {
        ratings: At(one.regret, one.quality, (one.interval.low, one.interval.high) if one.interval else None)
        for ratings, one in checked.items()
    }
    return Played(run, stands, at, player.seconds / player.options)


def _players() -> dict[str, Callable[[Problem, int], Player]]:
    return {**PEERS, OURS: Palate, ONE_BY_ONE: OneByOne}


def _pair(bounds: list[float] | None) -> tuple[float, float] | None:
    return (bounds[0], bounds[1]) if bounds else None


SHELF = Shelf("sessions", played, parse, code, is_slow=lambda run: run.system in PEERS and run.system not in FAST)
results = SHELF.results
