"""Simulated sessions that are kept once played, so that a benchmark of hours can be broken off and taken up again."""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.panel import CONDITIONS, PLAIN
from benchmarks.peers import PACKAGES, PEERS
from benchmarks.problems import problem
from benchmarks.sessions import CHECKPOINTS, Out, Player, play
from ml_service.contract import Observation, Point

KEPT = Path("var/benchmarks/sessions.jsonl")


@dataclass(frozen=True)
class Run:
    """A session to be played: which system, on which problem, with which people, up to how many ratings."""

    system: str
    family: str
    seed: int
    conditions: str = PLAIN
    beside: int = 1
    last: int = CHECKPOINTS[-1]


@dataclass(frozen=True)
class Played:
    """A session that was played: the regret after so many ratings, and CPU seconds for each option asked for."""

    run: Run
    code: str
    regret: dict[int, float]
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

    def best(self) -> Point:
        """Recommend."""
        return self.player.best()


def code(system: str) -> str:
    """Return what a result is of: the version of a peer's package, or a digest of our own code."""
    if system in PACKAGES:
        return version(PACKAGES[system])
    parts = sorted(Path("ml_service").glob("*.py"))
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:12]


def results(runs: Iterable[Run], jobs: int, kept: Path = KEPT) -> Iterator[Played]:
    """Return the results of runs in any order: those kept from before, then those played now, kept as they end."""
    known = {(one.run, one.code): one for one in read(kept)}
    missing = []
    for run in runs:
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
        regret = {int(at): value for at, value in one["regret"].items()}
        yield Played(Run(**one["run"]), one["code"], regret, one["seconds"])


def played(run: Run) -> Played:
    """Play a session."""
    drawn = problem(run.family, run.seed)
    player = Timed(PEERS[run.system](drawn, run.seed))
    regret = play(drawn, player, run.seed, CONDITIONS[run.conditions], run.last, run.beside)
    return Played(run, code(run.system), dict(regret), player.seconds / player.options)
