"""Simulated raters of known taste: they like what is near the original, each with a level and a noise of their own."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from web.adapters.demo.inputs import demo_inputs
from web.adapters.generators.local import decode
from web.adapters.images.faults import latent_quality, worst_fault

Image = NDArray[np.uint8]
SATISFIED = 4  # stars from which on a rater names no fault


@dataclass(frozen=True)
class Look:
    """What can be known of a picture beside its original: latent quality, 1 to 5, and the tag of its worst fault."""

    quality: float
    fault: str


Judge = Callable[[bytes, bytes], Look | None]


@dataclass(frozen=True)
class SimulatedRater:
    """Scores a picture by its latent quality, plus this rater's bias, plus noise of this standard deviation; stars."""

    name: str
    bias: float
    noise: float
    seed: int

    def score(self, quality: float, picture: bytes) -> int:
        """Return whole stars from 1 to 5; the same picture gets the same score again."""
        key = hashlib.sha256(f"{self.seed} {self.name} ".encode() + picture).digest()
        luck = np.random.default_rng(list(key)).normal(0, self.noise)
        return int(np.clip(np.rint(quality + self.bias + luck), 1, 5))

    def says(self, look: Look, picture: bytes) -> dict[str, Any]:
        """Return what this rater answers: a score, and where it is low the fault."""
        score = self.score(look.quality, picture)
        return {"score": score} if score >= SATISFIED else {"score": score, "tags": [look.fault]}


def simulated_raters(count: int, bias: float, noise: float, seed: int) -> list[SimulatedRater]:
    """Return so many raters whose biases are drawn with standard deviation `bias`."""
    drawn = np.random.default_rng(seed).normal(0, bias, count)
    return [SimulatedRater(f"simulated-{n}", float(own), noise, seed) for n, own in enumerate(drawn, start=1)]


def demo_look(source: bytes, picture: bytes) -> Look | None:
    """Return what can be known of a picture made from a demo input; None where the source is not one."""
    original = _demo_originals().get(hashlib.sha256(source).hexdigest())
    if original is None:
        return None
    shown = decode(picture)
    return Look(latent_quality(original, shown), worst_fault(original, shown))


def demo_hashes() -> tuple[str, ...]:
    """Return the SHA-256 of all demo inputs, whose originals are known."""
    return tuple(_demo_originals())


@cache
def _demo_originals() -> dict[str, Image]:
    return {hashlib.sha256(demo.body).hexdigest(): demo.original for demo in demo_inputs()}
