"""Restoration games: what is to be played, how it is played, and what is kept of it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import Any

from benchmarks.digests import OPTIMIZER, digest, of_raters
from benchmarks.game import CHECKPOINTS, SIDE, UPLOADS, Game
from benchmarks.ideas import changed
from benchmarks.kept import Shelf
from benchmarks.methods import random_search, reachable, scikit_optimize
from benchmarks.photos import load_photos
from benchmarks.product import palate, shipped_prompt
from benchmarks.raters import IMAGINED, SEEN, Raters
from ml_service.wire.contract import Point

EVALUATIONS, SEARCHED_PHOTOS = 250, 8  # of the search for the reachable best

PALATE, AHEAD, RANDOM = "Palate, one ahead", "Palate, ready queue", "random search, highest rating"
OBSERVED, EXPECTED, REACHABLE = "scikit-optimize, best rating", "scikit-optimize, best expected", "reachable best"

Bests = Mapping[int, Point]
THE_GAME = (
    "benchmarks/game.py",
    "benchmarks/methods.py",
    "benchmarks/photos.py",
    "web/adapters/images/colour.py",
    "web/adapters/images/faults.py",
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
SLOW = ("reachable", "scikit-optimize")  # a game takes minutes, and does not change with Palate
NOBODY = "nobody"
RATERS = {
    "seen": replace(SEEN, taste=0.0, lasting=0.0),  # without a taste for settings; a picture's luck is its own
    "imagined": IMAGINED["restoration"],
    NOBODY: Raters(level=0.0, noise=0.0, noises=0.0),
}


@dataclass(frozen=True)
class Run:
    """A game to be played: by whom, with which camera and which draw of photos, raters and noise.

    With an idea, Palate's optimizer plays as `benchmarks.ideas` changes it, as an arm that has the idea's name. The
    search for the reachable best asks nobody.
    """

    player: str
    camera: str
    seed: int
    idea: str | None = None
    raters: str = "seen"


def planned(player: str, camera: str, seed: int, idea: str | None = None, raters: str = "seen") -> Run:
    """Return a game as it is kept: the same whoever rates, where nobody is asked."""
    return Run(player, camera, seed, idea, NOBODY if player == "reachable" else raters)


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
def code(run: Run) -> str:
    """Return what a result is of: the game's code and its raters, with a peer's version or our optimizer's digest."""
    world = f"{digest(THE_GAME)} {of_raters(RATERS[run.raters])}"
    if run.player == "scikit-optimize":
        return f"{world} {version(run.player)}"
    ours = [digest(OPTIMIZER)] if run.player in ("palate", "queue") else []
    changes = [digest(["benchmarks/ideas.py"])] if run.idea else []
    return " ".join([world, *ours, *changes])


def parse(kept: Mapping[str, Any]) -> Played:
    """Read a result that was kept."""
    gains = {arm: {int(at): gain for at, gain in by.items()} for arm, by in kept["gains"].items()}
    return Played(**{**kept, "run": Run(**kept["run"]), "gains": gains})


def played(run: Run) -> Played:
    """Play a game."""
    stands, start = code(run), time.process_time()
    game = Game(run.camera, run.seed, load_photos(SIDE), shipped_prompt(), RATERS[run.raters])
    with changed(run.idea):
        points = PLAYERS[run.player](game)
    if run.idea:
        points = {run.idea: points[PALATE]}
    gains = {arm: {ratings: game.gain(point) for ratings, point in bests.items()} for arm, bests in points.items()}
    return Played(run, stands, gains, game.untouched(), game.default, time.process_time() - start)


SHELF = Shelf("restoration", played, parse, code, is_slow=lambda run: run.player in SLOW)
kept, results = SHELF.kept, SHELF.results
