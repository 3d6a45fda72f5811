"""Restoration games that are kept once played, by the code that played them, so that only what changed is replayed."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import cv2

from benchmarks.digests import OPTIMIZER, digest
from benchmarks.game import CHECKPOINTS, SIDE, UPLOADS, Game
from benchmarks.methods import random_search, reachable, scikit_optimize
from benchmarks.photos import load_photos
from benchmarks.product import palate, shipped_prompt
from ml_service.contract import Point

KEPT = Path("var/benchmarks/restoration.jsonl")
EVALUATIONS, SEARCHED_PHOTOS = 250, 8  # of the search for the reachable best

PALATE, AHEAD, RANDOM = "Palate, one ahead", "Palate, ready queue", "random search, highest rating"
OBSERVED, EXPECTED, REACHABLE = "scikit-optimize, best rating", "scikit-optimize, best expected", "reachable best"

Bests = Mapping[int, Point]
THE_GAME = (
    "benchmarks/game.py",
    "benchmarks/methods.py",
    "benchmarks/photos.py",
    "web/adapters/colour.py",
    "web/adapters/faults.py",
    "web/adapters/raters.py",
    "web/adapters/generators/filters.py",
    "web/adapters/generators/local.py",
    "web/adapters/generators/tone.py",
)


def _searched(game: Game) -> Mapping[str, Bests]:
    best = reachable(game, EVALUATIONS, SEARCHED_PHOTOS)
    return {REACHABLE: dict.fromkeys(CHECKPOINTS, best)}


def _skopt(game: Game) -> Mapping[str, Bests]:
    observed, expected = scikit_optimize(game, UPLOADS)
    return {OBSERVED: observed, EXPECTED: expected}


PLAYERS: Mapping[str, Callable[[Game], Mapping[str, Bests]]] = {
    "random": lambda game: {RANDOM: random_search(game)},
    "reachable": _searched,
    "palate": lambda game: {PALATE: palate(game, depth=1)},
    "queue": lambda game: {AHEAD: palate(game, depth=None)},
    "scikit-optimize": _skopt,
}


@dataclass(frozen=True)
class Run:
    """A game to be played: by whom, with which camera and which draw of photos, raters and noise."""

    player: str
    camera: str
    seed: int


@dataclass(frozen=True)
class Played:
    """A game that was played: gains over the default by arm and number of ratings, in stars, and CPU seconds.

    `untouched` and `default` are the quality of the photos that judge, as the camera took them and at the default.
    """

    run: Run
    code: str
    gains: Mapping[str, Mapping[int, float]]
    untouched: float
    default: float
    seconds: float


@cache
def code(player: str) -> str:
    """Return what a result is of: the game's code, with a peer's version or a digest of our optimizer."""
    if player == "scikit-optimize":
        return f"{digest(THE_GAME)} {version(player)}"
    return " ".join([digest(THE_GAME), *([digest(OPTIMIZER)] if player in ("palate", "queue") else [])])


def kept(runs: Iterable[Run], file: Path = KEPT) -> list[Played]:
    """Return the results of those runs that are kept and were played by today's code."""
    known = {(one.run, one.code): one for one in read(file)}
    found = (known.get((run, code(run.player))) for run in dict.fromkeys(runs))
    return [one for one in found if one is not None]


def results(runs: Iterable[Run], jobs: int, file: Path = KEPT) -> Iterator[Played]:
    """Return the results of runs: those kept from before, then those played now, kept as they end."""
    runs = list(dict.fromkeys(runs))
    known = kept(runs, file)
    yield from known
    missing = set(runs) - {one.run for one in known}
    if not missing:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    with ProcessPoolExecutor(jobs, get_context("spawn"), _one_thread) as pool:
        for done in as_completed([pool.submit(played, run) for run in runs if run in missing]):
            one = done.result()
            with file.open("a") as lines:
                lines.write(json.dumps(asdict(one)) + "\n")
            yield one


def read(file: Path) -> Iterator[Played]:
    """Read all results that are kept."""
    for line in file.read_text().splitlines() if file.exists() else []:
        one = json.loads(line)
        gains = {arm: {int(at): gain for at, gain in by.items()} for arm, by in one.pop("gains").items()}
        yield Played(Run(**one.pop("run")), gains=gains, **one)


def played(run: Run) -> Played:
    """Play a game."""
    stands, start = code(run.player), time.process_time()
    game = Game(run.camera, run.seed, load_photos(SIDE), shipped_prompt())
    points = PLAYERS[run.player](game)
    gains = {arm: {ratings: game.gain(point) for ratings, point in bests.items()} for arm, bests in points.items()}
    return Played(run, stands, gains, game.untouched(), game.default, time.process_time() - start)


def _one_thread() -> None:
    cv2.setNumThreads(1)
