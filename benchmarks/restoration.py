"""How much do 25, 50 and 125 ratings gain? Palate plays the restoration game beside random search and scikit-optimize.

Run with `python -m benchmarks.restoration [--quick] [--check] [--seeds K]`. Gains are stars of latent quality on photos
that nobody rated, against the default point; standard errors are over cameras × seeds. `one ahead` makes an upload's
options once the one before is rated; `ready queue` lets the product work as far ahead as it does for one active rater.
`--check` fails unless Palate (one ahead) after 125 ratings is ahead of random search by more than BAR standard errors
of the paired difference.
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np

from benchmarks.game import CHECKPOINTS, SIDE, UPLOADS, Game
from benchmarks.methods import random_search, reachable, scikit_optimize
from benchmarks.photos import load_photos
from benchmarks.product import palate, shipped_prompt
from ml_service.errors import ServiceError
from web.adapters.faults import CAMERAS

BAR = 2.0
PROCESSES = 2
LAST = CHECKPOINTS[-1]
PALATE, AHEAD, RANDOM = "Palate, one ahead", "Palate, ready queue", "random search, highest rating"
OBSERVED, EXPECTED, REACHABLE = "scikit-optimize, best rating", "scikit-optimize, best expected", "reachable best"
ARMS = (PALATE, AHEAD, RANDOM, OBSERVED, EXPECTED, REACHABLE)

Gains = Mapping[str, Mapping[int, float]]  # by arm and number of ratings


@dataclass(frozen=True)
class Task:
    """One game: a camera and a seed, and how far scikit-optimize and the search for the reachable best may go."""

    camera: str
    seed: int
    peer_uploads: int = UPLOADS
    evaluations: int = 250
    search_photos: int = 8


@dataclass(frozen=True)
class Run:
    """What one game gave: gains, and the quality of the judging photos untouched and at the default point, in stars."""

    camera: str
    gains: Gains
    untouched: float
    default: float

    def ahead(self, arm: str, ratings: int) -> float | None:
        """Return how many stars Palate is ahead of another arm; None where that arm was not played so far."""
        other = self.gains[arm].get(ratings)
        return None if other is None else self.gains[PALATE][ratings] - other


def play(task: Task) -> Run:
    """Play one game with every arm."""
    game = Game(task.camera, task.seed, load_photos(SIDE), shipped_prompt())
    observed, expected = scikit_optimize(game, task.peer_uploads)
    points = {
        PALATE: palate(game, depth=1),
        AHEAD: palate(game, depth=None),
        RANDOM: random_search(game),
        OBSERVED: observed,
        EXPECTED: expected,
        REACHABLE: dict.fromkeys(CHECKPOINTS, reachable(game, task.evaluations, task.search_photos)),
    }
    gains = {arm: {ratings: game.gain(point) for ratings, point in bests.items()} for arm, bests in points.items()}
    return Run(task.camera, gains, game.untouched(), game.default)


def tasks(*, quick: bool, seeds: int) -> list[Task]:
    """List the games of a run: every camera and seed, or two cameras with short searches."""
    if quick:
        return [Task(camera, 0, peer_uploads=5, evaluations=40, search_photos=5) for camera in list(CAMERAS)[:2]]
    return [Task(camera, seed) for seed in range(seeds) for camera in CAMERAS]


def report(runs: Sequence[Run]) -> str:
    """Return the tables: the cameras, the gains of every arm, and how far Palate is ahead, game by game."""
    heads = "".join(f"{f'after {ratings}':>16}" for ratings in CHECKPOINTS)
    lines = [f"{'camera':34}{'untouched':>16}{'default point':>16}"]
    for camera in dict.fromkeys(run.camera for run in runs):
        own = [run for run in runs if run.camera == camera]
        untouched, default = np.mean([run.untouched for run in own]), np.mean([run.default for run in own])
        lines.append(f"{camera:34}{untouched:16.2f}{default:16.2f}")
    lines += ["", f"{'gain over the default, stars':34}{heads}"]
    for arm in ARMS:
        lines.append(f"{arm:34}" + "".join(_cell([run.gains[arm].get(n) for run in runs]) for n in CHECKPOINTS))
    lines += ["", f"{f'{PALATE}, ahead of':34}{heads}"]
    for arm in ARMS[1:]:
        lines.append(f"{arm:34}" + "".join(_cell([run.ahead(arm, n) for run in runs]) for n in CHECKPOINTS))
    return "\n".join(lines)


def mean_and_error(values: Sequence[float | None]) -> tuple[float, float]:
    """Return the mean of the values that are there and its standard error; NaN where there are too few."""
    known = np.array([value for value in values if value is not None])
    mean = float(known.mean()) if known.size else np.nan
    return mean, float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else np.nan


def _cell(values: Sequence[float | None]) -> str:
    mean, error = mean_and_error(values)
    return f"{'–':>16}" if np.isnan(mean) else f"{f'{mean:+.2f} ± {error:.2f}':>16}"


def _one_thread() -> None:
    cv2.setNumThreads(1)


def main(words: list[str] | None = None) -> int:
    """Play the games in two processes and print the tables, the figure that counts last; 1 if --check finds it low."""
    parser = argparse.ArgumentParser("python -m benchmarks.restoration", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two cameras, one seed, short searches")
    parser.add_argument("--seeds", type=int, default=3, help="games of each camera")
    parser.add_argument("--check", action="store_true", help="fail unless Palate is ahead of random search")
    chosen = parser.parse_args(words)
    began = time.monotonic()
    try:
        load_photos(SIDE)  # so that two processes do not fetch at once
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 1
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), _one_thread) as pool:
        runs = list(pool.map(play, tasks(quick=chosen.quick, seeds=chosen.seeds)))
    gain, within = mean_and_error([run.gains[PALATE][LAST] for run in runs])
    ahead, spread = mean_and_error([run.ahead(RANDOM, LAST) for run in runs])
    passed = ahead > BAR * spread
    print(report(runs))
    print(f"\n{len(runs)} games in {time.monotonic() - began:.0f} s, two processes")
    print(
        f"Palate after {LAST} ratings: {gain:+.2f} ± {within:.2f} stars; ahead of random search by {ahead:+.2f} ± "
        f"{spread:.2f}, {'more' if passed else 'not more'} than {BAR:g} standard errors"
    )
    return 0 if passed or not chosen.check else 1


if __name__ == "__main__":
    sys.exit(main())
