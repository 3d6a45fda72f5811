"""How much higher raters score and inputs are scored than the average: simple means, shrunken towards zero."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml_service.contract import Observation

Array = npt.NDArray[np.float64]

RATER_VARIANCE = 0.20  # stars², of raters' levels, before any rating is seen
ITEM_VARIANCE = 0.15  # stars², of inputs' levels
REST_VARIANCE = 0.90  # stars², of a rating once its rater's and its input's level are known
SWEEPS = 20


@dataclass(frozen=True)
class Level:
    """The level of one rater or input against the average, in stars, and its standard deviation."""

    ratings: int
    mean: float
    sd: float


@dataclass(frozen=True)
class Effects:
    """The average level of the ratings, and by how much each rater and each input lies off it."""

    level: float
    raters: dict[str, Level]
    items: dict[str, Level]

    def corrected(self, seen: Observation) -> float:
        """Return a rating as the average rater would have given it on the average input."""
        return seen.rating - self.raters[seen.rater].mean - self.items[seen.item].mean


def estimate(seen: Sequence[Observation]) -> Effects:
    """Estimate both kinds of level by turns, each from what the other leaves over."""
    if not seen:
        return Effects(level=3.0, raters={}, items={})
    ratings = np.array([o.rating for o in seen], dtype=float)
    raters, by_rater = np.unique([o.rater for o in seen], return_inverse=True)
    items, by_item = np.unique([o.item for o in seen], return_inverse=True)
    rater, item = np.zeros(len(raters)), np.zeros(len(items))
    level = float(ratings.mean())
    for _ in range(SWEEPS):
        level = float(np.mean(ratings - rater[by_rater] - item[by_item]))
        rater = _shrunken(ratings - level - item[by_item], by_rater, RATER_VARIANCE)
        item = _shrunken(ratings - level - rater[by_rater], by_item, ITEM_VARIANCE)
    return Effects(
        level, _levels(raters, by_rater, rater, RATER_VARIANCE), _levels(items, by_item, item, ITEM_VARIANCE)
    )


def _shrunken(rest: Array, group: npt.NDArray[np.intp], variance: float) -> Array:
    return np.bincount(group, weights=rest) / (np.bincount(group) + REST_VARIANCE / variance)


def _levels(
    names: npt.NDArray[np.str_], group: npt.NDArray[np.intp], means: Array, variance: float
) -> dict[str, Level]:
    counts = np.bincount(group)
    sds = np.sqrt(REST_VARIANCE / (counts + REST_VARIANCE / variance))
    return {
        str(name): Level(int(n), float(mean), float(sd))
        for name, n, mean, sd in zip(names, counts, means, sds, strict=True)
    }
