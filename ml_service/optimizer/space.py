"""ParameterSpace to the unit cube and back: whatever comes back lies in the space.

Values are written as people write them: on a step's grid with the decimals of the step and of its start, so that a grid
around zero holds 0 itself.

Rows are `points × free parameters` in [0, 1]; the parameters are in the order of their names, so that the order in
which a request lists them changes nothing. A parameter with one possible value is not free and has no column.

What was rated before a range or the choices changed is read too: a number outside lies beyond [0, 1], by at most FAR
of the range, so that it teaches by its distance; a choice that is gone has a place of its own, equal to no other.
"""

import hashlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from ml_service.wire.contract import (
    CategoryParameter,
    FloatParameter,
    IntParameter,
    Parameter,
    ParameterSpace,
    Point,
    Value,
)

Array = npt.NDArray[np.float64]
Key = tuple[Value, ...]

ENUMERABLE = 1000  # a space of at most so many points is listed whole instead of being drawn from
SPREADS = (0.02, 0.07, 0.2)  # standard deviations of a neighbour's steps, as parts of a parameter's range
SAME = 1e-9  # of the unit cube: closer rows are one point
DIGITS = 12  # decimals of a place at which a number is written down where no step says how fine it is
FAR = 2  # ranges: numbers that lie further outside are read as that far
FINEST = 1e-14  # of a number: what has smaller steps is as good as continuous
HUGE, TINY = 1e300, 5e-324  # the largest and the smallest number that is read
NARROWEST = 1e-7  # of a number: in smaller ranges, floats are so few that places are moved to them


@dataclass(frozen=True)
class Axis:
    """One free parameter as a column of the unit cube: evenly spaced choices, or a number on its scale."""

    parameter: Parameter

    @cached_property
    def levels(self) -> float:
        """Count the values; a number without a step has infinitely many."""
        if isinstance(self.parameter, CategoryParameter):
            return len(self.parameter.choices)
        step, span = _step(self.parameter), self.parameter.high - self.parameter.low
        return math.inf if step is None else math.floor(span / step * (1 + 1e-12)) + 1

    @cached_property
    def ends(self) -> tuple[float, float]:
        """Return both ends on the scale of the parameter."""
        if isinstance(self.parameter, CategoryParameter):
            return 0, 1
        low, high = float(self.parameter.low), float(self.parameter.high)
        return (math.log(low), math.log(high)) if self.is_log else (low, high)

    @cached_property
    def is_log(self) -> bool:
        """Tell whether the scale is one of logs; where those of both ends are hardly apart, it is as good as linear."""
        one = self.parameter
        return not isinstance(one, CategoryParameter) and one.scale == "log" and not self._is_narrow

    def at(self, place: int) -> Value:
        """Return a value by its number."""
        if isinstance(self.parameter, CategoryParameter):
            return self.parameter.choices[place]
        low, step = self.parameter.low, _step(self.parameter) or 0
        if isinstance(self.parameter, IntParameter):
            return int(low + place * step)
        written = float(Decimal(repr(low)) + place * Decimal(repr(step)))
        return min(max(written, low), self.parameter.high)

    def unit(self, values: Sequence[Value]) -> Array:
        """Return where values lie: in [0, 1], or beyond where they are not values of today's."""
        if isinstance(self.parameter, CategoryParameter):
            choices = self.parameter.choices
            known = {choice: place / (len(choices) - 1) for place, choice in enumerate(choices)}
            return np.array([known[v] if v in known else _own(v) for v in map(str, values)])
        numbers = np.array([v if isinstance(v, float) else _number(v) for v in values]).clip(-HUGE, HUGE)
        inside = (self.parameter.low <= numbers) & (numbers <= self.parameter.high)
        places = self._scaled(numbers)
        return np.asarray(np.where(inside, places.clip(0, 1), places.clip(-FAR, 1 + FAR)))

    def _scaled(self, numbers: Array) -> Array:
        low, high = self.ends
        if self.is_log:
            return np.asarray((np.log(np.maximum(numbers, TINY)) - low) / (high - low))
        beyond = (FAR + 1) * (high - low)  # in a narrow range, what lies further off would be too large a number
        return np.asarray((np.clip(numbers, low - beyond, high + beyond) - low) / (high - low))

    def value(self, place: float) -> Value:
        """Return the value nearest to a place: on the grid of steps from `low`, never outside."""
        if isinstance(self.parameter, CategoryParameter):
            return self.at(round(place * (len(self.parameter.choices) - 1)))
        low, high = self.ends
        number = math.exp(low + place * (high - low)) if self.is_log else low + place * (high - low)
        step = _step(self.parameter)
        if step is None:
            return min(max(self._written(number), self.parameter.low), self.parameter.high)
        return self.at(min(max(round((number - self.parameter.low) / step), 0), int(self.levels) - 1))

    def _written(self, number: float) -> float:
        """Return a number without the digits that arithmetic left: rounded finer than places are told apart."""
        low, high = self.ends
        for_one = (high - low) * (abs(number) if self.is_log else 1)  # how far a number goes from place 0 to place 1
        # numpy's own rounding goes by powers of ten, which overflow; and + 0.0 makes 0 of -0
        return round(float(number), DIGITS - math.floor(math.log10(for_one))) + 0.0

    def snap(self, column: Array) -> Array:
        """Move places to those of the nearest values."""
        if math.isinf(self.levels) and not self._is_narrow:
            return column
        if self.levels > ENUMERABLE:
            return self._snap_many(column)
        places = self.unit([self.at(k) for k in range(int(self.levels))])
        return np.asarray(places[np.searchsorted((places[1:] + places[:-1]) / 2, column)])

    @cached_property
    def _is_narrow(self) -> bool:
        if isinstance(self.parameter, CategoryParameter):
            return False
        low, high = self.parameter.low, self.parameter.high
        return high - low < NARROWEST * max(abs(low), abs(high))

    def _snap_many(self, column: Array) -> Array:
        """Snap to more values than are worth listing."""
        if isinstance(self.parameter, CategoryParameter):
            return column
        (low, high), start, step = self.ends, float(self.parameter.low), _step(self.parameter)
        numbers = np.exp(low + column * (high - low)) if self.is_log else low + column * (high - low)
        if step is not None:
            numbers = start + np.clip(np.rint((numbers - start) / step), 0, self.levels - 1) * step
        numbers = np.clip(numbers, start, float(self.parameter.high))
        return np.asarray(np.clip(((np.log(numbers) if self.is_log else numbers) - low) / (high - low), 0, 1))


class SearchSpace:
    """The points of one generator as what can be drawn, listed, moved about in and fitted on."""

    def __init__(self, space: ParameterSpace) -> None:
        self.parameters = dict(sorted(space.parameters.items()))
        self.free = {name: Axis(parameter) for name, parameter in self.parameters.items() if _is_free(parameter)}
        self.default: Point = {name: parameter.default for name, parameter in self.parameters.items()}
        self.is_word = {name: isinstance(one, CategoryParameter) for name, one in self.parameters.items()}
        self.is_category = np.array([self.is_word[name] for name in self.free] or [False])

    def key(self, point: Point) -> Key:
        """Return what two equal points have in common: their values in the order of the names."""
        return tuple(point[name] for name in self.parameters)

    def accepts(self, point: Point) -> bool:
        """Tell whether all values of a point are of today's ranges and choices."""
        return all(parameter.accepts(point[name]) for name, parameter in self.parameters.items())

    def unit(self, points: Sequence[Point]) -> Array:
        """Place points in the unit cube; a space without free parameters has one column of zeros."""
        rows = np.zeros((len(points), len(self.is_category)))
        for column, (name, axis) in enumerate(self.free.items()):
            rows[:, column] = axis.unit([point[name] for point in points])
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

    def holds(self, rows: Array) -> npt.NDArray[np.bool_]:
        """Tell which rows are points of this space; the default's own values are, even beside their steps."""
        off_default = np.abs(rows - self.unit([self.default]))
        return np.asarray(np.minimum(np.abs(rows - self.snap(rows)), off_default).max(axis=1) < SAME)

    def snap(self, rows: Array) -> Array:
        """Move rows of the unit cube to the nearest ones that are points: onto steps and choices."""
        snapped = np.clip(rows, 0, 1)
        for column, axis in enumerate(self.free.values()):
            snapped[:, column] = axis.snap(snapped[:, column])
        return snapped if self.free else np.zeros_like(snapped)

    def every(self) -> Array | None:
        """List all points where they are few, else None; a default beside the steps is one of them."""
        levels = [min(axis.levels, ENUMERABLE + 1) for axis in self.free.values()]
        if math.prod(levels) > ENUMERABLE:
            return None
        axes = [
            axis.unit([axis.at(k) for k in range(int(n))]) for axis, n in zip(self.free.values(), levels, strict=True)
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
    if isinstance(parameter, IntParameter):
        return parameter.step or 1
    finest = FINEST * max(abs(parameter.low), abs(parameter.high))
    return parameter.step if parameter.step and parameter.step > finest else None


def _number(value: Value) -> float:
    if isinstance(value, str):
        raise TypeError(f"{value!r} is not a number")
    return float(min(max(value, -HUGE), HUGE))  # whole numbers of any length are cut before they become floats


def _own(choice: Value) -> float:
    """Return a place in [2, 3) for a choice that is none of today's: its own, whatever else there is."""
    return 2 + int.from_bytes(hashlib.sha256(str(choice).encode()).digest()[:6]) / 2**48
