"""Simulated A/B tests: ordinal raters who score a champion and a challenger of the same image, blind and in turn.

What raters and images are like was written down before any rule of decision was chosen, and is held by a digest in the
tests: a change here asks for all rules to be chosen again.

A rater's star is a latent quality cut at the rater's own four points. Raters differ in level, in how widely they use
the scale, in noise and in how they drift in the course of a session; who sees the second option right after the first
often repeats its star, and is a little kinder or harsher to whatever comes second. Images differ in quality and in how
much the challenger does for them, and each output has luck of its own.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Shape = Literal["even", "spoils", "rescues", "indifferent"]
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

PAIRS = 200
RATERS = 4
LEVEL, SPREAD = 3.1, 0.8  # of images, in stars
LUCK, VARIES = 0.35, 0.4  # of an output; of what the challenger does, from image to image
BIAS, SCALE, NOISE, CARE, DRIFT = 0.5, 0.2, 0.6, 0.3, 0.5  # of raters
CUTS = 0.15
SECOND = 0.15  # what coming second is worth, from rater to rater
REPEATS = 0.15  # of those who see an option again give what they just gave
RARE, HARM = 0.1, 2.0  # how often, and by how many stars, an uneven challenger spoils or rescues an image
TIES = 0.6  # of the images that an indifferent challenger leaves as they are


@dataclass(frozen=True)
class Cell:
    """What is simulated: a mean effect in stars, its shape over images, raters for each pair, and how many tests."""

    effect: float
    shape: Shape = "even"
    each: int = 1
    tests: int = 4000


def differences(cell: Cell, seed: int) -> Floats:
    """Return the mean differences of pairs in stars, challenger less champion, as tests × pairs."""
    return _stars(cell, _shift(cell.effect, cell.shape), np.random.default_rng([seed, 1]))


@cache
def _shift(effect: float, shape: Shape) -> float:
    """Return the latent shift whose mean effect in stars is the one wanted, by bisection over the same simulation."""
    low, high = effect - 3.0, effect + 3.0
    for _ in range(14):
        middle = (low + high) / 2
        mean = _stars(Cell(effect, shape, 1, 1000), middle, np.random.default_rng(20261122)).mean()
        low, high = (middle, high) if mean < effect else (low, middle)
    return (low + high) / 2


def _stars(cell: Cell, shift: float, random: np.random.Generator) -> Floats:
    tests = cell.tests
    image = random.normal(LEVEL, SPREAD, (tests, PAIRS))
    champion = image + random.normal(0, LUCK, image.shape)
    challenger = image + random.normal(0, LUCK, image.shape) + _does(cell.shape, shift, image.shape, random)
    people = _People(tests, random)
    asked = random.permuted(np.tile(np.arange(RATERS), (tests, PAIRS, 1)), axis=2)[:, :, : cell.each]
    found = [people.difference(asked[:, :, one], champion, challenger, random) for one in range(cell.each)]
    mean: Floats = np.mean(found, axis=0)
    return mean


def _does(shape: Shape, shift: float, size: tuple[int, ...], random: np.random.Generator) -> Floats:
    """Return what the challenger does for each image."""
    does = shift + random.normal(0, VARIES, size)
    if shape == "spoils":
        return does - HARM * (random.random(size) < RARE)
    if shape == "rescues":
        return does + HARM * (random.random(size) < RARE)
    if shape == "indifferent":
        return np.where(random.random(size) < TIES, 0.0, does)
    return does


class _People:
    """The raters of each test."""

    def __init__(self, tests: int, random: np.random.Generator) -> None:
        size = (tests, RATERS)
        self.bias = random.normal(0, BIAS, size)
        self.scale = np.exp(random.normal(0, SCALE, size))
        self.noise = NOISE * np.exp(random.normal(0, CARE, size))
        self.drift = random.normal(0, DRIFT, size)
        self.second = random.normal(0, SECOND, size)
        jitter = random.normal(0, CUTS, (*size, 4))
        self.cuts = np.sort(np.array([1.5, 2.5, 3.5, 4.5]) + jitter, axis=-1)

    def difference(self, who: Ints, champion: Floats, challenger: Floats, random: np.random.Generator) -> Floats:
        """Return the challenger's star less the champion's, both given by one rater in either order."""
        rows = np.arange(len(who))[:, None]
        leads = random.random(champion.shape) < 0.5
        first = self._star(rows, who, np.where(leads, challenger, champion), 0.0, random)
        later = np.where(leads, champion, challenger)
        second = self._star(rows, who, later, self.second[rows, who], random)
        ties = (random.random(champion.shape) < REPEATS) & (np.abs(second - first) <= 1)
        second = np.where(ties, first, second)
        return np.where(leads, first - second, second - first)

    def _star(
        self, rows: Ints, who: Ints, quality: Floats, extra: Floats | float, random: np.random.Generator
    ) -> Floats:
        drift = self.drift[rows, who] * np.linspace(-0.5, 0.5, PAIRS)
        felt = 3 + self.scale[rows, who] * (quality - 3) + self.bias[rows, who] + drift + extra
        felt = felt + self.noise[rows, who] * random.normal(size=quality.shape)
        stars: Floats = 1.0 + (felt[..., None] > self.cuts[rows, who]).sum(-1)
        return stars
