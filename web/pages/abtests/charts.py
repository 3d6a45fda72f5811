"""Charts of A/B tests: evidence over pairs, and the mean difference with what of it is not refuted."""

import math
from collections.abc import Sequence
from itertools import accumulate

from markupsafe import Markup

from web.domain.abtests.abtest import ABTest, Evidence, Pair
from web.domain.abtests.evidence import bounds, course
from web.pages.abtests.words import signed, strength
from web.pages.drawing.svg import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Scale,
    figure,
    line,
    number,
    path,
    text,
    thinned,
    value_axis,
)

LOWEST = 0.05  # evidence that is drawn; less is at the bottom


def differences(pairs: Sequence[Pair], one: Evidence) -> list[float]:
    """Return the differences that a challenger's evidence rests on, in the order in which pairs were closed."""
    mine = [pair.difference for pair in pairs if pair.challenger == one.challenger and pair.difference is not None]
    return mine[: one.pairs]


def evidence_plot(test: ABTest, given: Sequence[float], name: str) -> Markup:
    """Draw the evidence that a challenger is better, and that it is worse, after each pair."""
    better, worse = course(given), course([-one for one in given])
    high = max(test.threshold * 2, *better, *worse)
    scale = Scale(LOWEST, min(high, 1e6), BOTTOM, TOP, log=True)
    across = Scale(1, len(given), LEFT, RIGHT)
    shapes = [shape for value in scale.ticks() for shape in _rung(scale(value), _short(value))]
    shapes += _bar(scale, test.threshold, f"better {test.threshold:g}")
    shapes += _bar(scale, test.design.harm, f"worse {test.design.harm:g}") if test.design.harm != test.threshold else []
    shapes += [*value_axis(_marks(across), "pairs")]
    shapes += [_course(worse, across, scale, "usual"), _course(better, across, scale, "line")]
    rows = [
        (at, strength(up), strength(down)) for at, (up, down) in enumerate(zip(better, worse, strict=True), start=1)
    ]
    return figure(
        f"Evidence for and against {name}",
        f"After {len(given)} pairs the evidence that it is better is {strength(better[-1])} of {test.threshold:g}, "
        f"and that it is worse {strength(worse[-1])} of {test.design.harm:g}.",
        shapes,
        ("Pairs", "Better", "Worse"),
        rows[::-1],
    )


def gain_plot(test: ABTest, given: Sequence[float], name: str) -> Markup:
    """Draw the mean difference after each pair, within the bounds of those that are not refuted."""
    means = [total / at for at, total in enumerate(accumulate(given), start=1)]
    held = bounds(given, test.threshold)
    reach = min(4.0, max(1.0, math.ceil(2 * max(abs(held[-1][0]), abs(held[-1][1]), abs(means[-1]))) / 2))
    scale = Scale(-reach, reach, BOTTOM, TOP)
    across = Scale(1, len(given), LEFT, RIGHT)
    shapes = [shape for value in scale.ticks() for shape in _rung(scale(value), number(value).replace("-", "−"))]
    places = [across(at) for at in range(1, len(given) + 1)]
    upper = [(x, _within(scale, high)) for x, (_, high) in zip(places, held, strict=True)]
    lower = [(x, _within(scale, low)) for x, (low, _) in zip(places, held, strict=True)]
    shapes += [line(LEFT, scale(0), RIGHT, scale(0), "over"), *value_axis(_marks(across), "pairs")]
    shapes.append(path([*thinned(upper), *reversed(thinned(lower))], "band", closed=True))
    shapes.append(path(thinned([(x, _within(scale, mean)) for x, mean in zip(places, means, strict=True)]), "line"))
    rows = [
        (at, signed(mean), signed(low), signed(high))
        for at, (mean, (low, high)) in enumerate(zip(means, held, strict=True), start=1)
    ]
    return figure(
        f"Difference of {name}, in stars",
        f"After {len(given)} pairs it is {signed(means[-1])} stars; "
        f"{signed(held[-1][0])} to {signed(held[-1][1])} is not refuted.",
        shapes,
        ("Pairs", "Mean", "Low", "High"),
        rows[::-1],
    )


def _rung(y: float, label: str) -> list[Markup]:
    return [line(LEFT, y, RIGHT, y, "grid"), text(LEFT - 5, y + 4, label, "end")]


def _bar(scale: Scale, value: float, label: str) -> list[Markup]:
    y = scale(value)
    return [line(LEFT, y, RIGHT, y, "target"), text(LEFT + 4, y - 4, label)]


def _course(values: Sequence[float], across: Scale, scale: Scale, class_: str) -> Markup:
    return path(thinned([(across(at), _within(scale, value)) for at, value in enumerate(values, start=1)]), class_)


def _within(scale: Scale, value: float) -> float:
    return scale(min(max(value, scale.low), scale.high))


def _marks(across: Scale) -> list[tuple[float, str]]:
    return [(across(value), number(value, 0)) for value in across.ticks() if value == int(value)]


def _short(value: float) -> str:
    """Return evidence as it fits beside an axis."""
    return f"{value / 1000:g}k" if 1000 <= value < 1e6 else f"{value / 1e6:g}M" if value >= 1e6 else f"{value:g}"
