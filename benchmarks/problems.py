"""Families of problems with a known answer: what a perfect rater would say of every point of a mixed space.

Each family makes one kind of landscape out of a random draw. All are shifted and stretched alike, so that a random
point is worth 2.6 stars on average and the best one 4.4. STEPS and TWO_TASTES were used for no choice of the optimizer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_service.optimizer.space import SearchSpace
from ml_service.wire.contract import CategoryParameter, FloatParameter, IntParameter, ParameterSpace, Point

Array = NDArray[np.float64]
Landscape = Callable[[Array], Array]  # rows of the unit cube to what they are worth, in any unit

RANDOM_POINT, BEST_POINT = 2.6, 4.4  # stars
SEARCHED, CLIMBS = 20_000, 12


def _number(steps: float | None = None) -> FloatParameter:
    return FloatParameter(low=0, high=1, step=steps, default=0.5)


def _category(count: int) -> CategoryParameter:
    choices = tuple(f"way-{i}" for i in range(count))
    return CategoryParameter(choices=choices, default=choices[0])


SPACE = ParameterSpace(
    parameters={
        "a": _number(),
        "b": _number(),
        "strength": FloatParameter(low=0.05, high=5, default=0.5, scale="log"),
        "count": IntParameter(low=1, high=12, default=4),
        "style": _category(5),
        "tone": _category(6),
    }
)
WIDE = ParameterSpace(
    parameters={**{f"x{i}": _number() for i in range(6)}, "steps": _number(0.1), "style": _category(3)}
)


@dataclass(frozen=True)
class Problem:
    """A space with the true mean rating of every point, in stars; `best` and `random`: of the best, of a random one."""

    family: str
    space: ParameterSpace
    search: SearchSpace
    landscape: Landscape
    shift: float
    stretch: float
    best: float
    random: float

    def quality(self, point: Point) -> float:
        """Return the true mean rating of a point, in stars."""
        return float(self.shift + self.stretch * self.landscape(self.search.unit([point]))[0])

    def regret(self, point: Point) -> float:
        """Return how far a point is from the best one: 0 for the best, 1 for what a random point is worth."""
        return (self.best - self.quality(point)) / (self.best - self.random)


def problem(family: str, seed: int) -> Problem:
    """Draw a problem of a family."""
    space, make = FAMILIES[family]
    search = SearchSpace(space)
    random = np.random.default_rng([seed, list(FAMILIES).index(family)])
    landscape = make(search, random)
    rows = search.random(random, SEARCHED)
    values = landscape(rows)
    average, best = float(values.mean()), rows[np.argsort(-values)[:25]]
    for climb in range(CLIMBS):
        near = np.vstack([best, search.near(random, best, 40, 0.7**climb)])
        best = near[np.argsort(-landscape(near))[:25]]
    top = float(landscape(best[:1])[0])
    stretch = (BEST_POINT - RANDOM_POINT) / (top - average)
    return Problem(
        family, space, search, landscape, RANDOM_POINT - stretch * average, stretch, BEST_POINT, RANDOM_POINT
    )


def _columns(search: SearchSpace) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the columns of numbers, and those of categories with how many choices each has."""
    numbers = [i for i, is_one in enumerate(search.is_category) if not is_one]
    parameters = enumerate(axis.parameter for axis in search.free.values())
    sizes = [(i, len(p.choices)) for i, p in parameters if isinstance(p, CategoryParameter)]
    return numbers, sizes


def _choice(rows: Array, column: int, size: int) -> NDArray[np.intp]:
    return np.rint(rows[:, column] * (size - 1)).astype(np.intp)


def _bumps(search: SearchSpace, random: np.random.Generator) -> Landscape:
    """A best value of each number by itself, and a worth of each choice: purely additive."""
    numbers, categories = _columns(search)
    centre, width, height = (
        random.random(len(numbers)),
        random.uniform(0.15, 0.5, len(numbers)),
        random.gamma(2, 1, len(numbers)),
    )
    worth = [random.normal(0, 0.6, size) for _, size in categories]

    def value(rows: Array) -> Array:
        total = (height * np.exp(-(((rows[:, numbers] - centre) / width) ** 2) / 2)).sum(1)
        return np.asarray(total + sum(w[_choice(rows, c, s)] for w, (c, s) in zip(worth, categories, strict=True)))

    return value


def _shifting(search: SearchSpace, random: np.random.Generator) -> Landscape:
    """A tilted bowl whose bottom moves with the choice of a category, the other one being a matter of pairs."""
    numbers, categories = _columns(search)
    tilt = random.normal(0, 0.5, (len(numbers), len(numbers))) + np.eye(len(numbers)) * 1.5
    (first, size), *others = categories
    centres = random.random((1, len(numbers))) + random.normal(0, 0.2, (size, len(numbers)))
    pairs = [random.normal(0, 0.5, (size, other)) for _, other in others]

    def value(rows: Array) -> Array:
        picked = _choice(rows, first, size)
        away = (rows[:, numbers] - centres[picked]) @ tilt
        total = -np.sqrt(0.1 + (away**2).sum(1))
        return np.asarray(total + sum(p[picked, _choice(rows, c, s)] for p, (c, s) in zip(pairs, others, strict=True)))

    return value


def _waves(search: SearchSpace, random: np.random.Generator) -> Landscape:
    """A smooth random function of all parameters, each choice a random place on two axes of its own."""
    numbers, categories = _columns(search)
    places = [random.normal(0, 0.5, (size, 2)) for _, size in categories]
    width = len(numbers) + 2 * len(categories)
    frequencies = random.normal(0, 1 / 0.6, (200, width)) * np.sqrt(4 / width)
    phases, weights = random.uniform(0, 2 * np.pi, 200), random.normal(0, 1, 200)

    def value(rows: Array) -> Array:
        placed = [p[_choice(rows, c, s)] for p, (c, s) in zip(places, categories, strict=True)]
        return np.asarray(np.cos(np.hstack([rows[:, numbers], *placed]) @ frequencies.T + phases) @ weights)

    return value


def _gate(search: SearchSpace, random: np.random.Generator) -> Landscape:
    """Every choice of the first category has settings of its own that make it good, some far better than others."""
    numbers, categories = _columns(search)
    (first, size), *others = categories
    centres, gain = random.random((size, len(numbers))), np.sort(random.uniform(0.4, 1.6, size))
    worth = [random.normal(0, 0.15, other) for _, other in others]

    def value(rows: Array) -> Array:
        picked = _choice(rows, first, size)
        away = ((rows[:, numbers] - centres[picked]) ** 2).sum(1) / len(numbers)
        total = gain[picked] * np.exp(-away / 0.08)
        return np.asarray(total + sum(w[_choice(rows, c, s)] for w, (c, s) in zip(worth, others, strict=True)))

    return value


def _overdone(search: SearchSpace, random: np.random.Generator) -> Landscape:
    """More is better up to a limit that other numbers set; beyond it all is spoilt, by some choices sooner."""
    numbers, categories = _columns(search)
    main, rest = numbers[-1], numbers[:-1]
    slope, limit = random.uniform(-0.3, 0.3, len(rest)), random.uniform(0.45, 0.75)
    sooner = [random.uniform(-0.15, 0.15, size) for _, size in categories]
    gain = [random.normal(0, 0.12, size) for _, size in categories]
    centre = random.random(len(rest))

    def value(rows: Array) -> Array:
        picked = [_choice(rows, c, s) for c, s in categories]
        edge = limit + (rows[:, rest] - 0.5) @ slope + sum(s[p] for s, p in zip(sooner, picked, strict=True))
        over = np.clip(rows[:, main] - edge, 0, None)
        side = -0.5 * ((rows[:, rest] - centre) ** 2).mean(1)
        return np.asarray(rows[:, main] - 5 * over + side + sum(g[p] for g, p in zip(gain, picked, strict=True)))

    return value


def _all_at_once(search: SearchSpace, random: np.random.Generator) -> Landscape:
    """A product of desirabilities: one bad parameter spoils the rest (Derringer and Suich 1980)."""
    numbers, categories = _columns(search)
    centre, width = random.random(len(numbers)), random.uniform(0.25, 0.6, len(numbers))
    worth = [random.uniform(0.45, 1, size) for _, size in categories]

    def value(rows: Array) -> Array:
        total = np.exp(-(((rows[:, numbers] - centre) / width) ** 2) / 2).prod(1)
        for w, (c, s) in zip(worth, categories, strict=True):
            total = total * w[_choice(rows, c, s)]
        return np.asarray(total ** (2 / rows.shape[1]))

    return value


def _steps(search: SearchSpace, random: np.random.Generator) -> Landscape:
    """A sum of random trees: constant in boxes, with a smooth tendency below."""
    numbers, _ = _columns(search)
    cuts = [(random.choice(rows_of(search), 3), random.uniform(0.2, 0.8, 3), random.normal(0, 1, 8)) for _ in range(12)]
    tendency = random.normal(0, 1.2, len(numbers))

    def value(rows: Array) -> Array:
        total = rows[:, numbers] @ tendency
        for columns, at, leaves in cuts:
            total = total + leaves[((rows[:, columns] > at) * (1, 2, 4)).sum(1)]
        return total

    return value


def rows_of(search: SearchSpace) -> int:
    """Return how many columns a space has."""
    return len(search.is_category)


def _two_tastes(search: SearchSpace, random: np.random.Generator) -> Landscape:
    """Two good places far apart, one a little better; which choices suit depends on the place."""
    numbers, categories = _columns(search)
    centres = random.random((2, len(numbers)))
    suits = [random.normal(0, 0.35, (2, size)) for _, size in categories]
    height = np.array([1.0, 0.8])

    def value(rows: Array) -> Array:
        both = []
        for k in range(2):
            near = np.exp(-((rows[:, numbers] - centres[k]) ** 2).mean(1) / 0.06)
            both.append(
                near * (height[k] + sum(s[k, _choice(rows, c, n)] for s, (c, n) in zip(suits, categories, strict=True)))
            )
        return np.asarray(np.logaddexp(4 * both[0], 4 * both[1]) / 4)

    return value


Family = tuple[ParameterSpace, Callable[[SearchSpace, np.random.Generator], Landscape]]
FAMILIES: Mapping[str, Family] = {
    "bumps": (SPACE, _bumps),
    "shifting": (SPACE, _shifting),
    "waves": (WIDE, _waves),
    "gate": (SPACE, _gate),
    "overdone": (WIDE, _overdone),
    "all at once": (SPACE, _all_at_once),
    "steps": (SPACE, _steps),
    "two tastes": (WIDE, _two_tastes),
}
KEPT_OUT = ("steps", "two tastes")
