"""Charts of response: the expected rating against each parameter, the others at their best, and where ratings lie."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ml_service.wire.contract import CategoryParameter, FloatParameter, IntParameter, Parameter, ParameterReport, Value
from web.domain.reports.report import Coverage
from web.pages.drawing.bars import shown
from web.pages.drawing.rows import START, Row, bounds, interval_figure
from web.pages.drawing.svg import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Scale,
    banded,
    dot,
    figure,
    line,
    number,
    rating_axis,
    rating_scale,
    tag,
    text,
    value_axis,
    within,
)

RUG = 22.0  # height of the bar where most ratings lie
WIDE = 10.0  # of such a bar


@dataclass(frozen=True)
class Curve:
    """What is drawn of one parameter: its report, its best value, and where the ratings lie."""

    name: str
    parameter: Parameter
    report: ParameterReport
    best: Value
    rated: Sequence[Coverage] = ()


def responses(curves: Sequence[Curve]) -> dict[str, Markup]:
    """Draw the expected rating against each parameter, all on one scale: what is flat matters little."""
    if not curves:
        return {}
    scale = rating_scale([v for one in curves for at in one.report.curve for v in within(at.rating)])
    return {one.name: _drawn(one, scale) for one in curves}


def _drawn(one: Curve, scale: Scale) -> Markup:
    if isinstance(one.parameter, CategoryParameter):
        return _choices(one, one.parameter, scale)
    return _numbers(one, one.parameter, scale)


def _choices(one: Curve, parameter: CategoryParameter, scale: Scale) -> Markup:
    rated = {str(at.value): at.ratings for at in one.rated}
    rows = [
        Row(
            f"{at.value} (default)" if at.value == parameter.default else str(at.value),
            at.rating,
            rated.get(str(at.value), 0) if one.rated else None,
            marked=at.value == one.best,
            hollow=at.value == parameter.default,
        )
        for at in sorted(one.report.curve, key=lambda at: -at.rating.mean)
    ]
    words = f"The best choice is {one.best}; the default is {parameter.default}."
    across = Scale(scale.low, scale.high, START, RIGHT)
    return interval_figure(f"Expected rating by {one.name}", words, ("Choice",), rows, across)


def _numbers(one: Curve, parameter: FloatParameter | IntParameter, scale: Scale) -> Markup:
    across = Scale(parameter.low, parameter.high, LEFT, RIGHT, log=parameter.scale == "log")
    curve = [(float(at.value), at.rating) for at in one.report.curve]
    unit = f"{one.name} ({parameter.unit})" if parameter.unit else one.name
    best, default = float(one.best), float(parameter.default)
    at_best = next((rating.mean for value, rating in curve if value == best), None)
    marks = [(across(value), number(value, 3)) for value in across.ticks()]
    shapes = [*rating_axis(scale), _rug(one.rated, across), *value_axis(marks, unit)]
    shapes += [*banded([(across(value), rating) for value, rating in curve], scale), *_marks(across, best, default)]
    shapes += [] if at_best is None else [dot(across(best), scale(min(max(at_best, scale.low), scale.high)), 5)]
    words = f"The best value of {one.name} is {shown(one.best)}; the default is {shown(parameter.default)}."
    near = _near([value for value, _ in curve], one.rated, across)
    rows = [(number(value, 3), *bounds(rating), near[value]) for value, rating in curve]
    head = (unit, "Expected", "Low", "High", "Ratings near")
    return figure(f"Expected rating by {one.name}", words, shapes, head, rows)


def _marks(across: Scale, best: float, default: float) -> list[Markup]:
    """Return the lines of the best value and of the default, one where they are the same."""
    if best == default:
        return _mark(across(best), "target", f"best, as by default: {number(best, 3)}", TOP + 8)
    return [
        *_mark(across(default), "default", f"default {number(default, 3)}", TOP + 22),
        *_mark(across(best), "target", f"best {number(best, 3)}", TOP + 8),
    ]


def _mark(x: float, class_: str, words: str, y: float) -> list[Markup]:
    left = x > (LEFT + RIGHT) / 2
    return [line(x, TOP, x, BOTTOM, class_), text(x - 5 if left else x + 5, y, words, "end" if left else "start")]


def _rug(rated: Sequence[Coverage], across: Scale) -> Markup:
    """Return light bars on the axis, as high as ratings are many there."""
    most = max((at.ratings for at in rated), default=1)
    bars = []
    for at in rated:
        x = min(max(across(float(at.value)) - WIDE / 2, LEFT), RIGHT - WIDE)
        top = BOTTOM - at.ratings / most * RUG
        bars.append(f"M{x:.1f} {BOTTOM}V{top:.1f}H{x + WIDE:.1f}V{BOTTOM}Z")
    return tag("path", class_="rug", d="".join(bars)) if bars else Markup()


def _near(values: Sequence[float], rated: Sequence[Coverage], across: Scale) -> Counter[float]:
    """Count the ratings nearest to each value of a curve."""
    near: Counter[float] = Counter()
    for at in rated:
        place = across(float(at.value))
        near[min(values, key=lambda value: abs(across(value) - place))] += at.ratings
    return near
