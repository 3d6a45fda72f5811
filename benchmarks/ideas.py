"""What else was tried: each idea is the optimizer with some of its constants or parts changed, or one left out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from ml_service.optimizer.acquisition import Choice, pool
from ml_service.optimizer.additive import Array
from ml_service.optimizer.rating_gp import RatingGP
from ml_service.optimizer.space import SAME, SearchSpace

JITTER = 1e-6  # stars²


def thompson(
    belief: RatingGP,
    space: SearchSpace,
    _pending: Array,
    taken: Array,
    count: int,
    random: np.random.Generator,
    _curiosity: float,
) -> list[Choice]:
    """Choose the best point of what f may be, drawn anew for each (Thompson 1933); chance keeps off pending ones."""
    view = pool(belief, space, random)
    rows, (mean, sd) = view.points, belief.at(view)
    root = np.linalg.cholesky(belief.between(view, view) + JITTER * np.eye(len(rows)))
    free = np.ones(len(rows), dtype=bool)
    free &= np.abs(rows[:, None] - taken[None]).max(axis=2).min(axis=1, initial=np.inf) > SAME
    chosen: list[Choice] = []
    for _ in range(min(count, int(free.sum()))):
        best = int(np.argmax(np.where(free, mean + root @ random.standard_normal(len(rows)), -np.inf)))
        chosen.append(Choice(rows[best], float(mean[best]), float(sd[best])))
        free[best] = False
    return chosen


IDEAS: Mapping[str, Mapping[str, Any]] = {
    "one scale for all raters": {"likelihood.SCALE_SD": 1e-3},
    "one noise for all raters": {"likelihood.NOISE_SD": 1e-3},
    "hardly any rater effect": {"likelihood.RATER": (1e-4, 0.1)},
    "three times the variance of f": {
        "likelihood.WEIGHTS": {1: (0.3, 0.6), 2: (0.3, 0.6), 3: (0.12, 0.6)},
        "likelihood.PRODUCT": (0.7, 0.5),
    },
    "more of f in the product": {
        "likelihood.WEIGHTS": {1: (0.08, 0.6), 2: (0.08, 0.6), 3: (0.05, 0.6)},
        "likelihood.PRODUCT": (0.35, 0.5),
    },
    "length scale .7": {"likelihood.LENGTH": (0.7, 0.6)},
    "no fall from the default": {"additive.FALL": 1e-3},
    "half the fall from the default": {"additive.FALL": 1.0},
    "no fall, bound with 3.5 sd": {"additive.FALL": 1e-3, "acquisition.CURIOSITY": 3.5},
    "bound with 1.5 sd": {"acquisition.CURIOSITY": 1.5},
    "bound with 3.5 sd": {"acquisition.CURIOSITY": 3.5},
    "Thompson sampling": {"suggest.upper_bounds": thompson},
    "recommend the mean": {"acquisition.CAUTION": 0.0},
    "recommend mean - 1 sd": {"acquisition.CAUTION": 1.0},
}


@contextmanager
def changed(idea: str | None) -> Iterator[None]:
    """Run the optimizer as an idea has it, and put its own constants and parts back."""
    constants = IDEAS[idea] if idea else {}
    kept = []
    for name, value in constants.items():
        module, constant = name.split(".")
        owner = import_module(f"ml_service.optimizer.{module}")
        kept.append((owner, constant, getattr(owner, constant)))
        setattr(owner, constant, value)
    try:
        yield
    finally:
        for owner, constant, value in kept:
            setattr(owner, constant, value)
