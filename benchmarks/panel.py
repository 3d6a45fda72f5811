"""A panel of simulated raters, with items and outputs: the noise that an optimizer has to see through."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmarks.raters import SEEN, SESSION, Raters

Array = NDArray[np.float64]

ITEMS = 40
LUCK = 0.35  # standard deviation of an output's own quality, in stars


@dataclass(frozen=True)
class Conditions:
    """What makes a session hard: who rates, how many options are out at once, and which ratings are taken back."""

    raters: int = 6
    clicker: bool = False  # one rater answers at random
    narrow: bool = False  # one rater gives nothing below 3
    drift: float = 0.0  # stars by which everybody has become stricter at the end
    withdrawn: float = 0.0  # share of the ratings that are taken back ten ratings later
    out: int | None = None  # options out at once; 2 to 4 by default


PLAIN = "plain"
CONDITIONS: Mapping[str, Conditions] = {
    PLAIN: Conditions(),
    "random clicker": Conditions(raters=4, clicker=True),
    "only 3 to 5": Conditions(narrow=True),
    "drift": Conditions(drift=1),
    "withdrawn": Conditions(withdrawn=0.2),
    "16 pending": Conditions(out=16),
}


@dataclass(frozen=True)
class Habits:
    """How one rater scores: level, scale about 3, noise, the four cut points, and how far the level moves a session."""

    bias: float
    scale: float
    noise: float
    cuts: Array
    moves: float


class Panel:
    """Raters with habits of their own, items that are kinder or less kind, and outputs with luck."""

    def __init__(self, seed: int, conditions: Conditions, raters: Raters = SEEN) -> None:
        self.random, self.further = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 11])
        self.conditions, self.raters = conditions, raters
        self.offset = self.random.normal(0, 0.35, ITEMS)
        self.slope = np.exp(self.random.normal(0, 0.15, ITEMS))
        self.habits = [self._habits() for _ in range(conditions.raters)]
        self.given = [0] * conditions.raters

    def _habits(self) -> Habits:
        draw, raters = self.random, self.raters
        cuts = np.sort(np.array(raters.cuts) + draw.normal(0, raters.cut, 4))
        bias, half = draw.normal(0, raters.level), self.further.random()
        scale = float(raters.scales(np.array(draw.normal()), np.array(half)))
        noise = np.exp(draw.normal(np.log(raters.noise), raters.noises))
        if half < raters.half:
            noise *= raters.half_noise
        return Habits(bias, scale, noise, cuts, raters.trend + self.further.normal(0, raters.drift))

    def means(self, qualities: Array) -> Array:
        """Return the mean of these raters' first ratings at each quality, over items, outputs' luck and tastes."""
        good = 3 + np.multiply.outer(qualities - 3, self.slope) + self.offset
        stars = [
            1 + ndtr((3 + one.bias + one.scale * (good - 3)[..., None] - one.cuts) / self._spread(one)).sum(-1)
            for one in self.habits
        ]
        return np.asarray(np.mean(stars, axis=(0, 2)))

    def _spread(self, one: Habits) -> float:
        return float(np.hypot(np.hypot(one.scale * LUCK, one.noise), self.raters.taste))

    def output(self, quality: float, item: int) -> float:
        """Return how good one output of a point with this quality is on an item."""
        return float(3 + self.slope[item] * (quality - 3) + self.offset[item] + self.random.normal(0, LUCK))

    def rate(self, good: float, rater: int, progress: float, liking: float = 0.0) -> int:
        """Return a rater's score of an output whose point they like so much more, `progress` of the session being over.

        A rater's own level moves with the number of ratings that they have given.
        """
        habits, noise, click = self.habits[rater], self.random.normal(), int(self.random.integers(1, 6))
        moved = habits.moves * self.given[rater] / SESSION - self.conditions.drift * progress
        self.given[rater] += 1
        if self.conditions.clicker and rater == 0:
            return click
        seen = 3 + habits.bias + habits.scale * (good - 3) + habits.noise * noise + moved + liking
        stars = 1 + int((seen > habits.cuts).sum())
        return max(stars, 3) if self.conditions.narrow and rater == 1 else stars
