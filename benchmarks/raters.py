"""How raters differ: the people of every benchmark that has some, as they were imagined and as they were seen.

`SEEN` is what 21 public sets of real ratings show, `OF_IMAGES` what those show who score pictures that generators made;
docs/benchmarks.md tells the ranges. `IMAGINED` are earlier assumptions, by the benchmark that made them: less alike in
their use of the scale, of one mind about every picture, and the same from the first rating to the last.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SESSION = 100  # ratings in which a level moves by `drift` and `trend`


@dataclass(frozen=True)
class Raters:
    """How the raters of a population differ; standard deviations in stars, unless said otherwise."""

    level: float  # how much milder one is than another
    noise: float  # of one rating: the median of raters
    noises: float  # the spread of its logarithm among raters
    scale: float = 0.0  # the spread of stars moved where the average moves one
    log_scale: bool = False  # that spread is of the logarithm
    half: float = 0.0  # share of raters who use half of the scale
    half_scale: float = 0.5
    half_noise: float = 1.0  # their noise ÷ the others'
    cuts: tuple[float, float, float, float] = (1.5, 2.5, 3.5, 4.5)  # where one more star begins
    cut: float = 0.0  # how far a rater's own cut points are from these
    drift: float = 0.0  # of a level over a session
    trend: float = 0.0  # stars by which everybody becomes milder in a session
    taste: float = 0.0  # a rater's own liking of a condition, such as a prompt
    lasting: float = 0.0  # share of the noise's variance that comes again when the same picture does

    def scales(self, standard: Floats, half: Floats) -> Floats:
        """Return raters' scales from standard normal draws, and from uniform ones that say who uses half of it."""
        own = np.exp(self.scale * standard) if self.log_scale else np.maximum(1 + self.scale * standard, 0.2)
        return np.where(half < self.half, self.half_scale, own)


SEEN = Raters(
    level=0.45,
    noise=0.65,
    noises=0.2,
    scale=0.2,
    half=0.05,
    half_noise=0.85,
    cuts=(1.7, 2.65, 3.35, 4.3),
    cut=0.15,
    drift=0.4,
    trend=-0.2,
    taste=0.35,
    lasting=0.75,
)
OF_IMAGES = replace(SEEN, level=0.55, noise=0.85, scale=0.3, cuts=(1.8, 2.7, 3.3, 4.2), cut=0.2, taste=0.4)
IMAGINED: Mapping[str, Raters] = {
    "opinion scores": Raters(level=0.4, noise=0.65, noises=0.3, half=0.25),
    "sessions": Raters(level=0.4, noise=0.6, noises=0.3, scale=0.2, log_scale=True, cut=0.12),
    "pairs": Raters(level=0.5, noise=0.6, noises=0.3, scale=0.2, log_scale=True, cut=0.15, drift=0.5),
    "restoration": Raters(level=0.4, noise=0.5, noises=0.0),
}
