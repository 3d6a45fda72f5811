"""What Palate is compared with in the restoration game: each names its best point after so many ratings."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from skopt import Optimizer, expected_minimum

from benchmarks.dimensions import dimensions
from benchmarks.game import CHECKPOINTS, NUMBERS, OPTIONS, SEARCH, UPLOADS, Game
from ml_service.wire.contract import Point

Bests = Mapping[int, Point]  # by the number of ratings


def random_search(game: Game) -> Bests:
    """Rate random points and keep the one with the highest rating, the first of equals."""
    random = np.random.default_rng(game.seed)
    points: list[Point] = []
    stars: list[int] = []
    bests = {}
    for upload in range(UPLOADS):
        points += SEARCH.points(SEARCH.random(random, OPTIONS))
        stars += game.rate(upload, points[-OPTIONS:])
        if len(stars) in CHECKPOINTS:
            bests[len(stars)] = points[int(np.argmax(stars))]
    return bests


def scikit_optimize(game: Game, uploads: int) -> tuple[Bests, Bests]:
    """Ask scikit-optimize, all at its defaults, for five points at a time, and tell it the ratings as they come.

    Returns the points of its best observation, and the points where its last model expects the most.
    """
    optimizer = Optimizer(dimensions(NUMBERS), random_state=game.seed)
    observed, expected = {}, {}
    for upload in range(uploads):
        rows = optimizer.ask(n_points=OPTIONS)
        stars = game.rate(upload, map(_point, rows))
        result = optimizer.tell(rows, [-float(value) for value in stars])
        told = (upload + 1) * OPTIONS
        if told in CHECKPOINTS:
            observed[told] = _point(result.x)
            expected[told] = _point(expected_minimum(result, random_state=game.seed)[0])
    return observed, expected


def _point(row: Sequence[float]) -> Point:
    return {name: float(value) for name, value in zip(NUMBERS.parameters, row, strict=True)}


def reachable(game: Game, evaluations: int, photos: int) -> Point:
    """Return the best point on some of the photos that are rated, found by Powell's search with the truth in sight."""
    shots = game.rated[:photos]
    start = SEARCH.unit([NUMBERS.default()])[0]
    options = {"maxfev": evaluations, "xtol": 0.02, "ftol": 0.002}

    def loss(unit: NDArray[np.float64]) -> float:
        return -game.quality(SEARCH.points(unit[None])[0], shots)

    found = minimize(loss, start, method="Powell", bounds=[(0, 1)] * len(start), options=options)
    return SEARCH.points(found.x[None])[0]
