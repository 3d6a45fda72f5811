"""ParameterSpace to scikit-optimize's Space and the unit cube, and back: whatever comes back lies in the space.

Arrays are `points × free parameters` in [0, 1]; the parameters are in the order of their names, so that the order
in which a request lists them changes nothing. A parameter with one possible value is not free and has no column.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc
from skopt.space import Categorical, Dimension, Integer, Real, Space

from ml_service.contract import CategoryParameter, IntParameter, Parameter, ParameterSpace, Point, Value

Array = npt.NDArray[np.float64]
Key = tuple[Value, ...]

ENUMERABLE = 1000  # a space of at most so many points is listed whole instead of being drawn from
SPREADS = (0.02, 0.07, 0.2)  # standard deviations of a neighbour's steps, as parts of a parameter's range


class SearchSpace:
    """The points of one generator as what can be drawn, listed, moved about in and fitted on."""

    def __init__(self, space: ParameterSpace) -> None:
        self.parameters = dict(sorted(space.parameters.items()))
        self.free = {name: parameter for name, parameter in self.parameters.items() if _is_free(parameter)}
        self.default: Point = {name: parameter.default for name, parameter in self.parameters.items()}
        self.is_category = np.array([isinstance(p, CategoryParameter) for p in self.free.values()] or [False])
        self._dimensions = Space([_dimension(p) for p in self.free.values()])

    def key(self, point: Point) -> Key:
        """Return what two equal points have in common: their values in the order of the names."""
        return tuple(point[name] for name in self.parameters)

    def unit(self, points: Sequence[Point]) -> Array:
        """Place points in the unit cube; a space without free parameters has one column of zeros."""
        if not self.free or not points:
            return np.zeros((len(points), len(self.is_category)))
        rows = [[point[name] for name in self.free] for point in points]
        return np.asarray(np.clip(self._dimensions.transform(rows), 0, 1), dtype=float)

    def points(self, unit: Array) -> list[Point]:
        """Read rows of the unit cube as points, each value snapped to its step and held inside its range."""
        if not self.free:
            return [dict(self.default) for _ in unit]
        rows = self._dimensions.inverse_transform(np.clip(unit, 0, 1))
        named = ({name: snap(p, v) for (name, p), v in zip(self.free.items(), row, strict=True)} for row in rows)
        return [{**self.default, **values} for values in named]

    def distinct(self, points: Sequence[Point]) -> list[Point]:
        """Return the points in their order, each once."""
        first: dict[Key, Point] = {}
        for point in points:
            first.setdefault(self.key(point), point)
        return list(first.values())

    def every(self) -> list[Point] | None:
        """List all points where they are few, else None; a default beside the steps is one of them."""
        levels = [_levels(parameter) for parameter in self.free.values()]
        if math.prod(levels) > ENUMERABLE:
            return None
        axes = [
            [_at(parameter, k) for k in range(int(n))] for parameter, n in zip(self.free.values(), levels, strict=True)
        ]
        listed = [{**self.default, **dict(zip(self.free, row, strict=True))} for row in itertools.product(*axes)]
        return self.distinct([self.default, *listed])

    def random(self, random: np.random.Generator, count: int) -> list[Point]:
        """Draw points evenly, with replacement."""
        unit = random.random((count, len(self.is_category)))
        return self.points(self._on_choices(unit))

    def near(self, random: np.random.Generator, centres: Sequence[Point], each: int) -> list[Point]:
        """Draw `each` neighbours of every centre: about a third of its values moved, by small and by larger steps."""
        centre = np.repeat(self.unit(centres), each, axis=0)
        steps = random.normal(size=centre.shape) * random.choice(SPREADS, size=(len(centre), 1))
        drawn = self._on_choices(random.random(centre.shape))
        moved = np.where(self.is_category, drawn, np.clip(centre + steps, 0, 1))
        chosen = random.random(centre.shape) < max(1 / 3, 1 / centre.shape[1])
        return self.points(np.where(chosen, moved, centre))

    def initial(self, seed: int, count: int) -> list[Point]:
        """Return the first points to be tried: the default, then a scrambled Sobol sequence, each point once.

        Sobol points are drawn in a power of two; choices come in permuted blocks, so that each choice of a category
        has been shown before one comes again.
        """
        random = np.random.default_rng(seed)
        rows = 1 << (count - 1).bit_length()
        sobol = qmc.Sobol(len(self.is_category), scramble=True, rng=random).random_base2(rows.bit_length() - 1)
        for column, parameter in enumerate(self.free.values()):
            if isinstance(parameter, CategoryParameter):
                sobol[:, column] = _permuted_blocks(random, len(parameter.choices), rows)
        return self.distinct([self.default, *self.points(sobol)])[:count]

    def _on_choices(self, unit: Array) -> Array:
        counts = np.array(
            [len(p.choices) if isinstance(p, CategoryParameter) else 2 for p in self.free.values()] or [2]
        )
        return np.where(self.is_category, np.floor(unit * counts) / (counts - 1), unit)


def snap(parameter: Parameter, value: Value) -> Value:
    """Return the nearest value that the parameter may have: on its grid of steps from `low`, never outside."""
    if isinstance(parameter, CategoryParameter):
        return str(value)
    step = _step(parameter)
    if step is None:
        return min(max(float(value), float(parameter.low)), float(parameter.high))
    place = round((float(value) - parameter.low) / step)
    return _at(parameter, min(max(place, 0), int(_levels(parameter)) - 1))


def _permuted_blocks(random: np.random.Generator, choices: int, rows: int) -> Array:
    blocks = [random.permutation(choices) for _ in range(math.ceil(rows / choices))]
    return np.asarray(np.concatenate(blocks)[:rows] / (choices - 1), dtype=float)


def _is_free(parameter: Parameter) -> bool:
    if isinstance(parameter, CategoryParameter):
        return len(parameter.choices) > 1
    return parameter.low < parameter.high


def _dimension(parameter: Parameter) -> Dimension:
    if isinstance(parameter, CategoryParameter):
        return Categorical(list(parameter.choices), transform="normalize")
    prior = "uniform" if parameter.scale == "linear" else "log-uniform"
    kind = Integer if isinstance(parameter, IntParameter) else Real
    return kind(parameter.low, parameter.high, prior=prior, transform="normalize")


def _step(parameter: Parameter) -> float | None:
    if isinstance(parameter, CategoryParameter):
        return None
    return parameter.step or (1 if isinstance(parameter, IntParameter) else None)


def _levels(parameter: Parameter) -> float:
    """Count the values of a parameter; a number without a step has infinitely many."""
    if isinstance(parameter, CategoryParameter):
        return len(parameter.choices)
    step = _step(parameter)
    if step is None:
        return math.inf
    return math.floor((parameter.high - parameter.low) / step * (1 + 1e-12)) + 1


def _at(parameter: Parameter, place: int) -> Value:
    if isinstance(parameter, CategoryParameter):
        return parameter.choices[place]
    if isinstance(parameter, IntParameter):
        return parameter.low + place * (parameter.step or 1)
    value = float(f"{parameter.low + place * (parameter.step or 0):.15g}")
    return min(max(value, parameter.low), parameter.high)
