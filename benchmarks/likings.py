"""Tastes: each rater likes more or less of every number, and some choices better than others, whatever others say."""

import numpy as np
from numpy.typing import NDArray

from ml_service.optimizer.space import SearchSpace
from ml_service.wire.contract import CategoryParameter, Point

Floats = NDArray[np.float64]
EVEN = np.sqrt(12)  # 1 ÷ the standard deviation of a number that may be anything from 0 to 1


class Likings:
    """What each rater likes about the points of a space, drawn so that random points differ by `taste` stars.

    Each parameter has an equal share: a line for a number, a worth of its own for each choice of a category.
    """

    def __init__(self, search: SearchSpace, raters: int, taste: float, random: np.random.Generator) -> None:
        self.search = search
        self.taste = taste / np.sqrt(len(search.free))
        self.worths = [
            [random.normal(size=_size(axis.parameter)) for axis in search.free.values()] for _ in range(raters)
        ]

    def of(self, rater: int, point: Point) -> float:
        """Return by how many stars a rater likes a point more than others do."""
        row = self.search.unit([point])[0]
        return float(self.taste * sum(map(_worth, self.worths[rater], row)))


def _size(parameter: object) -> int:
    return len(parameter.choices) if isinstance(parameter, CategoryParameter) else 1


def _worth(own: Floats, place: float) -> float:
    """Return what a rater makes of one parameter, from 0 to 1 in its column of the unit cube."""
    if len(own) == 1:
        return float(EVEN * own[0] * (place - 0.5))
    return float(own[round(place * (len(own) - 1))])
