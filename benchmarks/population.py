"""What the population of raters and items would say of a quality on average: what an interval has to cover."""

from functools import cache

import numpy as np

from benchmarks.panel import Array, Conditions, Panel
from benchmarks.raters import SEEN, Raters

PANELS, QUALITIES = 400, np.linspace(-1, 7, 161)


@cache
def _curve(raters: Raters) -> Array:
    """Return the mean rating at each of QUALITIES, over panels, items, outputs and noise; about .005 star exact."""
    drawn = np.zeros((PANELS, len(QUALITIES)))
    for seed in range(PANELS):
        panel = Panel(1_000_000 + seed, Conditions(), raters)
        drawn[seed] = panel.means(QUALITIES)
    return np.asarray(drawn.mean(0))


def mean_rating(quality: float, raters: Raters = SEEN) -> float:
    """Return the mean rating, in stars, of a point of this quality over all such raters and items."""
    return float(np.interp(quality, QUALITIES, _curve(raters)))
