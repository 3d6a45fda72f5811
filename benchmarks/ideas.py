"""What else was tried: each idea is the optimizer with some of its constants changed, or one of its parts left out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

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
    "bound with 1.5 sd": {"acquisition.CURIOSITY": 1.5},
    "bound with 3.5 sd": {"acquisition.CURIOSITY": 3.5},
    "recommend the mean": {"acquisition.CAUTION": 0.0},
    "recommend mean - 1 sd": {"acquisition.CAUTION": 1.0},
}


@contextmanager
def changed(idea: str | None) -> Iterator[None]:
    """Run the optimizer with an idea's constants, and put its own back."""
    constants = IDEAS[idea] if idea else {}
    kept = []
    for name, value in constants.items():
        module, constant = name.split(".")
        owner = import_module(f"ml_service.{module}")
        kept.append((owner, constant, getattr(owner, constant)))
        setattr(owner, constant, value)
    try:
        yield
    finally:
        for owner, constant, value in kept:
            setattr(owner, constant, value)
