"""Histories to learn from: spaces, and raters of known taste who are biased and noisy."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np

from ml_service.wire.contract import CategoryParameter, FloatParameter, IntParameter, Observation, ParameterSpace, Point

START = datetime(2024, 1, 1, tzinfo=UTC)
BIASES = {"ana": 0.6, "ben": -0.5, "cem": 0.0}

BOWL = ParameterSpace(
    parameters={
        "x": FloatParameter(low=-1, high=1, default=-0.6),
        "y": FloatParameter(low=-1, high=1, default=0.7),
    }
)
MIXED = ParameterSpace(
    parameters={
        "strength": FloatParameter(low=0.1, high=10, default=1, scale="log"),
        "radius": IntParameter(low=1, high=9, default=3, step=2),
        "gain": FloatParameter(low=-0.3, high=0.3, default=0, step=0.1),
        "style": CategoryParameter(choices=("plain", "warm", "cold"), default="plain"),
    }
)


def bowl(point: Point) -> float:
    """The true quality of a point of BOWL: 4.6 stars at (0.4, -0.3), 2.6 at the default."""
    return 4.6 - (float(point["x"]) - 0.4) ** 2 - (float(point["y"]) + 0.3) ** 2


def rated(point: Point, output: int, rating: float, rater: str = "ana", item: str = "photo-1") -> Observation:
    return Observation(
        point=point,
        rating=rating,
        rater=rater,
        item=item,
        output=f"output-{output}",
        generator="local",
        version="v1.0.0",
        at=START + timedelta(seconds=output),
    )


def scored(point: Point, output: int, random: np.random.Generator, quality: Callable[[Point], float]) -> Observation:
    """One whole-star rating by a random rater of one of eight photos."""
    rater = str(random.choice(list(BIASES)))
    stars = np.clip(round(quality(point) + BIASES[rater] + random.normal(0, 0.5)), 1, 5)
    return rated(point, output, float(stars), rater, f"photo-{output % 8}")


def random_history(count: int, seed: int = 0) -> Iterator[Observation]:
    """Ratings of random points of BOWL."""
    random = np.random.default_rng(seed)
    for output in range(count):
        point: Point = {"x": float(random.uniform(-1, 1)), "y": float(random.uniform(-1, 1))}
        yield scored(point, output, random, bowl)
