"""ParameterSpace to the unit cube and back: whatever comes back lies in the space.

Rows are `points × free parameters` in [0, 1]; the parameters are in the order of their names, so that the order in
which a request lists them changes nothing. A parameter with one possible value is not free and has no column.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from ml_service.contract import CategoryParameter, FloatParameter, IntParameter, Parameter, ParameterSpace, Point, Value

Array = npt.NDArray[np.float64]
Key = tuple[Value, ...]

ENUMERABLE = 1000  # a space of at most so many points is listed whole instead of being drawn from
SPREADS = (0.02, 0.07, 0.2)  # standard deviations of a neighbour's steps, as parts of a parameter's range
SAME = 1e-9  # of the unit cube: closer rows are one point


@dataclass(frozen=True)
class Axis:
    """One free parameter as a column of the unit cube: evenly spaced choices, or a number on its scale."""

    parameter: Parameter

    @property
    def levels(self) -> float:
        """Count the values; a number without a step has infinitely many."""
        if isinstance(self.parameter, CategoryParameter):
            return len(self.parameter.choices)
        step, span = _step(self.parameter), self.parameter.high - self.parameter.low
        return math.inf if step is None else math.floor(span / step * (1 + 1e-12)) + 1

    def at(self, place: int) -> Value:
        """Return a value by its number."""
        if isinstance(self.parameter, CategoryParameter):
            return self.parameter.choices[place]
        low, step = self.parameter.low, _step(self.parameter) or 0
        if isinstance(self.parameter, IntParameter):
            return int(low + place * step)
        return min(max(float(f"{low + place * step:.15g}"), low), self.parameter.high)

    def unit(self, value: Value) -> float:
        """Return where a value lies."""
        if isinstance(self.parameter, CategoryParameter):
            return self.parameter.choices.index(str(value)) / (len(self.parameter.choices) - 1)
        low, high = self.parameter.low, self.parameter.high
        if self.parameter.scale == "log":
            return min(max(math.log(float(value) / low) / math.log(high / low), 0), 1)
        return min(max((float(value) - low) / (high - low), 0), 1)

    def value(self, place: float) -> Value:
        """Return the value nearest to a place: on the grid of steps from `low`, never outside."""
        if isinstance(self.parameter, CategoryParameter):
            return self.at(round(place * (len(self.parameter.choices) - 1)))
        low, high = float(self.parameter.low), float(self.parameter.high)
        number = low * (high / low) ** place if self.parameter.scale == "log" else low + place * (high - low)
        step = _step(self.parameter)
        if step is None:
            return min(max(number, low), high)
        return self.at(min(max(round((number - low) / step), 0), int(self.levels) - 1))

    def snap(self, column: Array) -> Array:
        """Move places to those of the nearest values."""
        if math.isinf(self.levels):
            return column
        if self.levels > ENUMERABLE:
            return np.array([self.unit(self.value(place)) for place in column.tolist()])
        places = np.array([self.unit(self.at(k)) for k in range(int(self.levels))])
        return np.asarray(places[np.searchsorted((places[1:] + places[:-1]) / 2, column)])


class SearchSpace:
    """The points of one generator as what can be drawn, listed, moved about in and fitted on."""

    def __init__(self, space: ParameterSpace) -> None:
        self.parameters = dict(sorted(space.parameters.items()))
        self.free = {name: Axis(parameter) for name, parameter in self.parameters.items() if _is_free(parameter)}
        self.default: Point = {name: parameter.default for name, parameter in self.parameters.items()}
        self.is_category = np.array(
            [isinstance(axis.parameter, CategoryParameter) for axis in self.free.values()] or [False]
        )

    def key(self, point: Point) -> Key:
        """Return what two equal points have in common: their values in the order of the names."""
        return tuple(point[name] for name in self.parameters)

    def unit(self, points: Sequence[Point]) -> Array:
        """Place points in the unit cube; a space without free parameters has one column of zeros."""
        rows = np.zeros((len(points), len(self.is_category)))
        for column, (name, axis) in enumerate(self.free.items()):
            rows[:, column] = [axis.unit(point[name]) for point in points]
        return rows

    def points(self, rows: Array) -> list[Point]:
        """Read rows of the unit cube as points; the default's own values are found again even beside their steps."""
        default = self.unit([self.default])[0]
        at_default = np.abs(rows - default) < SAME
        return [
            self.default
            | {
                name: axis.value(place)
                for (name, axis), place, is_default in zip(self.free.items(), row, where, strict=False)
                if not is_default
            }
            for row, where in zip(rows.tolist(), at_default.tolist(), strict=True)
        ]

    def snap(self, rows: Array) -> Array:
        """Move rows of the unit cube to the nearest ones that are points: onto steps and choices."""
        snapped = np.clip(rows, 0, 1)
        for column, axis in enumerate(self.free.values()):
            snapped[:, column] = axis.snap(snapped[:, column])
        return snapped if self.free else np.zeros_like(snapped)

    def every(self) -> Array | None:
        """List all points where they are few, else None; a default beside the steps is one of them."""
        levels = [axis.levels for axis in self.free.values()]
        if math.prod(levels) > ENUMERABLE:
            return None
        axes = [
            [axis.unit(axis.at(k)) for k in range(int(n))] for axis, n in zip(self.free.values(), levels, strict=True)
        ]
        default = self.unit([self.default])
        return distinct(np.vstack([default, list(itertools.product(*axes))])) if axes else default

    def random(self, random: np.random.Generator, count: int) -> Array:
        """Draw points evenly, with replacement."""
        return self.snap(self._on_choices(random.random((count, len(self.is_category)))))

    def near(self, random: np.random.Generator, centres: Array, each: int, size: float = 1) -> Array:
        """Draw `each` neighbours of every centre: about a third of its values moved, by small and by larger steps."""
        centre = np.repeat(centres, each, axis=0)
        steps = random.normal(size=centre.shape) * (size * random.choice(SPREADS, size=(len(centre), 1)))
        drawn = self._on_choices(random.random(centre.shape))
        moved = self.snap(np.where(self.is_category, drawn, centre + steps))
        chosen = random.random(centre.shape) < max(1 / 3, 1 / centre.shape[1])
        return np.where(chosen, moved, centre)

    def initial(self, seed: int, count: int) -> list[Point]:
        """Return the first points to be tried: the default, then a scrambled Sobol sequence, each point once.

        Sobol points are drawn in a power of two; choices come in permuted blocks, so that each choice of a category
        has been shown before one comes again.
        """
        random = np.random.default_rng(seed)
        rows = 1 << (count - 1).bit_length()
        sobol = qmc.Sobol(len(self.is_category), scramble=True, rng=random).random_base2(rows.bit_length() - 1)
        for column, axis in enumerate(self.free.values()):
            if isinstance(axis.parameter, CategoryParameter):
                sobol[:, column] = _permuted_blocks(random, len(axis.parameter.choices), rows)
        return self.points(distinct(np.vstack([self.unit([self.default]), self.snap(sobol)]))[:count])

    def _on_choices(self, rows: Array) -> Array:
        """Spread even draws over the choices, so that those at both ends are drawn as often as the others."""
        counts = np.array(
            [axis.levels if is_one else 2 for axis, is_one in zip(self.free.values(), self.is_category, strict=False)]
        )
        counts = counts if self.free else np.array([2.0])
        return np.where(self.is_category, np.floor(rows * counts) / (counts - 1), rows)


def distinct(rows: Array) -> Array:
    """Return the rows in their order, each once."""
    first = np.unique(np.round(rows / SAME), axis=0, return_index=True)[1]
    return rows[np.sort(first)]


def _permuted_blocks(random: np.random.Generator, choices: int, rows: int) -> Array:
    blocks = [random.permutation(choices) for _ in range(math.ceil(rows / choices))]
    return np.asarray(np.concatenate(blocks)[:rows] / (choices - 1), dtype=float)


def _is_free(parameter: Parameter) -> bool:
    if isinstance(parameter, CategoryParameter):
        return len(parameter.choices) > 1
    return parameter.low < parameter.high


def _step(parameter: FloatParameter | IntParameter) -> float | None:
    return parameter.step or (1 if isinstance(parameter, IntParameter) else None)
