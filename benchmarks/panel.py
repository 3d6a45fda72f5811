"""A panel of simulated raters, with items and outputs: the noise that an optimizer has to see through."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

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
    """How one rater scores: level, scale about 3, noise, and the four cut points between stars."""

    bias: float
    scale: float
    noise: float
    cuts: Array


class Panel:
    """Raters with habits of their own, items that are kinder or less kind, and outputs with luck."""

    def __init__(self, seed: int, conditions: Conditions) -> None:
        self.random = np.random.default_rng([seed, 1])
        self.conditions = conditions
        self.offset = self.random.normal(0, 0.35, ITEMS)
        self.slope = np.exp(self.random.normal(0, 0.15, ITEMS))
        self.habits = [self._habits() for _ in range(conditions.raters)]

    def _habits(self) -> Habits:
        draw = self.random
        cuts = np.sort(np.array([1.5, 2.5, 3.5, 4.5]) + draw.normal(0, 0.12, 4))
        return Habits(draw.normal(0, 0.4), np.exp(draw.normal(0, 0.2)), np.exp(draw.normal(np.log(0.6), 0.3)), cuts)

    def means(self, qualities: Array) -> Array:
        """Return the mean rating of these raters, over the items and the luck of outputs, at each quality."""
        good = 3 + np.multiply.outer(qualities - 3, self.slope) + self.offset
        seen = [
            (3 + one.bias + one.scale * (good - 3), np.hypot(one.scale * LUCK, one.noise), one) for one in self.habits
        ]
        stars = [1 + ndtr((at[..., None] - one.cuts) / sd).sum(-1) for at, sd, one in seen]
        return np.asarray(np.mean(stars, axis=(0, 2)))

    def output(self, quality: float, item: int) -> float:
        """Return how good one output of a point with this quality is on an item."""
        return float(3 + self.slope[item] * (quality - 3) + self.offset[item] + self.random.normal(0, LUCK))

    def rate(self, good: float, rater: int, progress: float) -> int:
        """Return a rater's score of an output, `progress` of the session being over."""
        habits, noise, click = self.habits[rater], self.random.normal(), int(self.random.integers(1, 6))
        if self.conditions.clicker and rater == 0:
            return click
        seen = 3 + habits.bias + habits.scale * (good - 3) + habits.noise * noise - self.conditions.drift * progress
        stars = 1 + int((seen > habits.cuts).sum())
        return max(stars, 3) if self.conditions.narrow and rater == 1 else stars
