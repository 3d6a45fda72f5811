"""Simulated A/B tests: ordinal raters who score a champion and a challenger of the same image, blind and in turn.

What images are like was written down before any rule of decision was chosen, and is held by a digest in the tests: a
change here, or of the raters in `benchmarks.raters`, asks for all rules to be chosen again.

A rater's star is a latent quality cut at the rater's own four points. Raters differ in level, in how widely they use
the scale, in noise, in how they drift in the course of a session and in how they like the challenger's manner,
whatever the image; who sees the second option right after the first often repeats its star, and is a little kinder or
harsher to whatever comes second. Images differ in quality and in how much the challenger does for them, and each
output has luck of its own.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.raters import SEEN, SESSION, Floats, Raters

Shape = Literal["even", "spoils", "rescues", "indifferent"]
Ints = NDArray[np.intp]

PAIRS = 200
PEOPLE = 4
LEVEL, SPREAD = 3.1, 0.8  # of images, in stars
# Of an output; of what the challenger does, from image to image: so that pairs of one who rates as seen differ by 1.1.
LUCK, VARIES = 0.25, 0.35
ROUNDED = 0.12  # what cutting into stars adds to the noise that is seen in stars
SECOND = 0.15  # what coming second is worth, from rater to rater
REPEATS = 0.15  # of those who see an option again give what they just gave
RARE, HARM = 0.1, 2.0  # how often, and by how many stars, an uneven challenger spoils or rescues an image
TIES = 0.6  # of the images that an indifferent challenger leaves as they are
CLOSE = 0.001  # stars by which an effect may miss what is wanted


@dataclass(frozen=True)
class Cell:
    """What is simulated: a mean effect in stars, its shape over images, raters for each pair, tests, and who rates.

    The effect is what all such raters feel on average; where it is `centred`, it is what the test's own people do.
    """

    effect: float
    shape: Shape = "even"
    each: int = 1
    tests: int = 4000
    people: int = PEOPLE
    raters: Raters = SEEN
    centred: bool = False


@dataclass(frozen=True)
class Judged:
    """Pairs of many tests: who judged each, as tests × pairs × raters of a pair, and their differences in stars."""

    who: Ints
    given: Floats

    @property
    def stars(self) -> Floats:
        """The mean differences of pairs, challenger less champion, as tests × pairs."""
        mean: Floats = self.given.mean(axis=2)
        return mean


def differences(cell: Cell, seed: int) -> Judged:
    """Return the pairs of simulated tests, with the differences that their raters saw."""
    alike = replace(cell, each=1, tests=1000, centred=True)
    return _judged(cell, _shift(alike), np.random.default_rng([seed, 1]))


@cache
def _shift(cell: Cell) -> float:
    """Return the latent shift whose mean effect in stars is the one wanted, by secants over the same simulation."""

    def missed(shift: float) -> float:
        return float(_judged(cell, shift, np.random.default_rng(20261122)).given.mean()) - cell.effect

    before, after = cell.effect, cell.effect + 0.2
    far, near = missed(before), missed(after)
    for _ in range(3):
        before, after = after, after - near * (after - before) / (near - far)
        far, near = near, missed(after)
        if abs(near) < CLOSE:
            break
    return after


def _judged(cell: Cell, shift: float, random: np.random.Generator) -> Judged:
    size = cell.tests, PAIRS
    image = random.normal(LEVEL, SPREAD, size)
    champion = image + random.normal(0, LUCK, size)
    challenger = image + random.normal(0, LUCK, size) + _does(cell.shape, shift, size, random)
    people = _People(cell, random)
    who = _asked(cell, random)
    found = [people.difference(who[:, :, one], champion, challenger, random) for one in range(cell.each)]
    return Judged(who, np.stack(found, axis=2))


def _asked(cell: Cell, random: np.random.Generator) -> Ints:
    """Return who judges each pair."""
    size = cell.tests, PAIRS
    if cell.each == 1:
        return random.integers(cell.people, size=(*size, 1))
    return random.permuted(np.tile(np.arange(cell.people), (*size, 1)), axis=2)[:, :, : cell.each]


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

    def __init__(self, cell: Cell, random: np.random.Generator) -> None:
        size, raters = (cell.tests, cell.people), cell.raters
        self.level = random.normal(0, raters.level, size)
        half = random.random(size)
        self.scale = raters.scales(random.normal(size=size), half)
        noise = (raters.noise - ROUNDED) * np.exp(random.normal(0, raters.noises, size))
        self.noise = np.where(half < raters.half, raters.half_noise, 1.0) * noise
        self.drift = random.normal(raters.trend, raters.drift, size)
        self.second = random.normal(0, SECOND, size)
        self.taste = random.normal(0, raters.taste, size)
        if cell.centred:
            self.taste -= self.taste.mean(axis=1, keepdims=True)
        self.cuts = np.array(raters.cuts)[:, None, None] + random.normal(0, raters.cut, (4, *size))
        ratings = np.arange(PAIRS) * 2 * cell.each / cell.people  # of one rater before each pair, on average
        self.session = ratings / SESSION % 1 - 0.5

    def difference(self, who: Ints, champion: Floats, challenger: Floats, random: np.random.Generator) -> Floats:
        """Return the challenger's star less the champion's, both given by one rater in either order."""
        rows = np.arange(len(who))[:, None]
        leads = random.random(champion.shape) < 0.5
        taste = self.taste[rows, who]
        first = self._star(rows, who, np.where(leads, challenger, champion), np.where(leads, taste, 0.0), random)
        later, extra = np.where(leads, champion, challenger), np.where(leads, 0.0, taste)
        second = self._star(rows, who, later, self.second[rows, who] + extra, random)
        ties = (random.random(champion.shape) < REPEATS) & (np.abs(second - first) <= 1)
        second = np.where(ties, first, second)
        return np.where(leads, first - second, second - first)

    def _star(self, rows: Ints, who: Ints, quality: Floats, extra: Floats, random: np.random.Generator) -> Floats:
        felt = 3 + self.scale[rows, who] * (quality - 3) + self.level[rows, who] + extra
        felt += self.drift[rows, who] * self.session + self.noise[rows, who] * random.normal(size=quality.shape)
        stars = np.ones(felt.shape)
        for cut in self.cuts:
            stars += felt > cut[rows, who]
        return stars
