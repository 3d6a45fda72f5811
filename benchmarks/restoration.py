"""How much do 25, 50 and 125 ratings gain? Palate plays the restoration game beside random search and scikit-optimize.

Run with `python -m benchmarks.restoration [--quick] [--check] [--seeds K] [--jobs K] [--only PLAYER …] [--ideas
IDEA …] [--raters seen|imagined] [--kept]`. Gains are in stars of latent quality on photos that nobody rated, against
the default; standard errors are over cameras × seeds. `one ahead` makes an upload's options once the one before is
rated; `ready queue` lets the product work as far ahead as it does for one active rater. Raters are those of
`benchmarks.raters`, as seen or as once imagined. Games are kept by the code that played them, those of scikit-optimize
and of the long search with the repository, so a run of hours may be broken off, and a new optimizer only replays its
own. `--ideas` has Palate play, one ahead, as the optimizers' benchmark changes it. `--check` fails unless, over at
least 24 games, Palate (one ahead) after 50 and after 125 ratings is above random search and both ways of using
scikit-optimize, standard errors apart. `--quick` plays a game of each camera against random search; `--check` then only
compares means after 125 ratings.
"""

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.game import CHECKPOINTS, SIDE
from benchmarks.games import (
    AHEAD,
    EXPECTED,
    OBSERVED,
    PALATE,
    PLAYERS,
    RANDOM,
    REACHABLE,
    Played,
    kept,
    planned,
    results,
)
from benchmarks.ideas import IDEAS
from benchmarks.photos import load_photos
from benchmarks.ratios import mean_and_error
from ml_service.errors import ServiceError
from web.adapters.images.faults import CAMERAS

ARMS = (PALATE, AHEAD, RANDOM, OBSERVED, EXPECTED, REACHABLE)
BARS, GAMES = (50, 125), 24  # ratings after which Palate must be ahead, over so many games
QUICK = ("random", "palate")
Gains = dict[tuple[str, int], float]  # of one arm after so many ratings, by camera and seed


def of(games: Sequence[Played], arm: str, ratings: int) -> Gains:
    """Return the gains of an arm by game."""
    return {(one.run.camera, one.run.seed): one.gains[arm][ratings] for one in games if arm in one.gains}


def report(games: Sequence[Played]) -> str:
    """Return the tables: the cameras, the gains of every arm, and how far Palate is ahead, game by game."""
    heads = "".join(f"{f'after {ratings}':>16}" for ratings in CHECKPOINTS)
    lines = [f"{'camera':34}{'untouched':>16}{'default point':>16}"]
    for camera in dict.fromkeys(one.run.camera for one in games):
        own = {one.run.seed: one for one in games if one.run.camera == camera}.values()
        untouched, default = np.mean([one.untouched for one in own]), np.mean([one.default for one in own])
        lines.append(f"{camera:34}{untouched:16.2f}{default:16.2f}")
    lines += ["", f"{'gain over the default, stars':34}{heads}{'games':>8}"]
    arms = (*ARMS, *dict.fromkeys(one.run.idea for one in games if one.run.idea))
    for arm in arms:
        cells = "".join(_cell(list(of(games, arm, ratings).values())) for ratings in CHECKPOINTS)
        lines.append(f"{arm:34}{cells}{len(of(games, arm, CHECKPOINTS[0])):8}")
    lines += ["", f"{f'{PALATE}, ahead of':34}{heads}"]
    for arm in arms[1:]:
        lines.append(f"{arm:34}" + "".join(_cell(ahead(games, arm, ratings)) for ratings in CHECKPOINTS))
    return "\n".join(lines)


def ahead(games: Sequence[Played], arm: str, ratings: int) -> list[float]:
    """Return how many stars Palate is ahead of an arm in each game that both have played."""
    ours, theirs = of(games, PALATE, ratings), of(games, arm, ratings)
    return [gain - theirs[game] for game, gain in ours.items() if game in theirs]


def _cell(values: Sequence[float]) -> str:
    mean, error = mean_and_error(values)
    return f"{'–':>16}" if np.isnan(mean) else f"{f'{mean:+.2f} ± {error:.2f}':>16}"


def faults(games: Sequence[Played], *, quick: bool) -> list[str]:
    """Say where Palate is not ahead as it must be."""
    if quick:
        low = mean_and_error(ahead(games, RANDOM, BARS[-1]))[0] <= 0
        return [f"not above {RANDOM} after {BARS[-1]} ratings"] if low else []
    said = []
    for arm in (PALATE, RANDOM, OBSERVED, EXPECTED):
        for ratings in BARS:
            (ours, within), (theirs, spread) = (
                mean_and_error(list(of(games, one, ratings).values())) for one in (PALATE, arm)
            )
            if len(of(games, arm, ratings)) < GAMES:
                said.append(f"{arm}: only {len(of(games, arm, ratings))} of {GAMES} games after {ratings} ratings")
            elif arm != PALATE and ours - within <= theirs + spread:
                said.append(f"{arm} after {ratings} ratings: {theirs:+.2f} ± {spread:.2f} is not below Palate's errors")
    return said


def main(words: Sequence[str] | None = None) -> int:
    """Play what is missing and print the tables, the figure that counts last; 1 if --check finds it low."""
    parser = argparse.ArgumentParser("python -m benchmarks.restoration", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a game of each camera against random search")
    parser.add_argument("--seeds", type=int, default=6, help="games of each camera")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--only", nargs="+", choices=list(PLAYERS), default=list(PLAYERS), help="who plays")
    parser.add_argument("--ideas", nargs="+", choices=list(IDEAS), default=[], help="of the optimizer, played too")
    parser.add_argument(
        "--raters", choices=("seen", "imagined"), default="seen", help="as they are, or as assumed once"
    )
    parser.add_argument("--kept", action="store_true", help="play nothing: only what is kept")
    parser.add_argument("--check", action="store_true", help="fail unless Palate is ahead")
    chosen = parser.parse_args(words)
    began = time.monotonic()
    try:
        load_photos(SIDE)  # so that two processes do not fetch at once
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 1
    players, seeds = (QUICK, 1) if chosen.quick else (chosen.only, chosen.seeds)
    asked = [(player, None) for player in players] + [("palate", idea) for idea in chosen.ideas]
    drawn = [(seed, camera) for seed in range(seeds) for camera in CAMERAS]
    runs = [planned(player, camera, seed, idea, chosen.raters) for player, idea in asked for seed, camera in drawn]
    games = list(kept(runs) if chosen.kept else results(runs, chosen.jobs))
    print(report(games))
    said = faults(games, quick=chosen.quick)
    print("\n" + "\n".join([*(f"FALLS SHORT: {fault}" for fault in said), f"{time.monotonic() - began:.0f} s"]))
    for ratings in BARS:
        ours, lead = of(games, PALATE, ratings), ahead(games, RANDOM, ratings)
        print(
            f"Palate after {ratings} ratings:{_cell(list(ours.values()))} stars; ahead of random search:{_cell(lead)}"
        )
    return int(chosen.check and bool(said))


if __name__ == "__main__":
    sys.exit(main())
