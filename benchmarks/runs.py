"""Simulated sessions that are kept once played, so that a benchmark of hours can be broken off and taken up again."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.digests import OPTIMIZER, digest
from benchmarks.ideas import changed
from benchmarks.ours import OneByOne, Palate
from benchmarks.panel import CONDITIONS, PLAIN
from benchmarks.peers import PACKAGES, PEERS
from benchmarks.problems import Problem, problem
from benchmarks.sessions import CHECKPOINTS, Out, Player, play
from ml_service.contract import Interval, Observation, Point

KEPT = Path("var/benchmarks/sessions.jsonl")
OURS, ONE_BY_ONE = "Palate", "Palate, one by one"


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


def code(system: str) -> str:
    """Return what a result is of: the version of a peer's package, or a digest of our own code."""
    if system in PACKAGES:
        return version(PACKAGES[system])
    return digest(OPTIMIZER)


def results(runs: Iterable[Run], jobs: int, kept: Path = KEPT) -> Iterator[Played]:
    """Return the results of runs in any order: those kept from before, then those played now, kept as they end."""
    known = {(one.run, one.code): one for one in read(kept)}
    missing = []
    for run in dict.fromkeys(runs):
        if found := known.get((run, code(run.system))):
            yield found
        else:
            missing.append(run)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(jobs) as pool:
        for one in pool.map(played, missing):
            with kept.open("a") as file:
                file.write(json.dumps(asdict(one)) + "\n")
            yield one


def read(kept: Path) -> Iterator[Played]:
    """Read the results that are kept."""
    for line in kept.read_text().splitlines() if kept.exists() else []:
        one = json.loads(line)
        at = {int(ratings): At(v["regret"], v["quality"], _pair(v["interval"])) for ratings, v in one["at"].items()}
        yield Played(Run(**one["run"]), one["code"], at, one["seconds"])


def played(run: Run) -> Played:
    """Play a session."""
    drawn = problem(run.family, run.seed)
    player = Timed(_players()[run.system](drawn, run.seed))
    with changed(run.idea):
        checked = play(drawn, player, run.seed, CONDITIONS[run.conditions], run.last, run.beside)
    at = {
        ratings: At(one.regret, one.quality, (one.interval.low, one.interval.high) if one.interval else None)
        for ratings, one in checked.items()
    }
    return Played(run, code(run.system), at, player.seconds / player.options)


def _players() -> dict[str, Callable[[Problem, int], Player]]:
    return {**PEERS, OURS: Palate, ONE_BY_ONE: OneByOne}


def _pair(bounds: list[float] | None) -> tuple[float, float] | None:
    return (bounds[0], bounds[1]) if bounds else None
