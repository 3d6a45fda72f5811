"""Parameters as small pictures: where a value lies in its range, and how it moves there."""

from markupsafe import Markup

from ml_service.wire.contract import CategoryParameter, FloatParameter, IntParameter, Parameter, Value
from web.pages.drawing.svg import Scale, dot, line, number, tag

WIDTH, HEIGHT, MIDDLE = 200, 20, 10
START, END = 7, 193


def shown(value: Value) -> str:
    """Return a value as people write it."""
    return value if isinstance(value, str) else number(float(value), 3)


def bar(name: str, parameter: Parameter, value: Value) -> Markup:
    """Draw where a value lies in its range, as a bar from the generator's default, which a tick marks."""
    if not parameter.accepts(value):
        return _outside(value)
    if isinstance(parameter, CategoryParameter):
        return _choices(parameter, value, value)
    scale = _scale(parameter)
    default, at = scale(parameter.default), scale(float(value))
    words = f"{name} {shown(value)}, default {shown(parameter.default)}, "
    words += f"from {shown(parameter.low)} to {shown(parameter.high)}"
    return _drawing(words, line(default, MIDDLE, at, MIDDLE, "fill"), _tick(default), dot(at, MIDDLE, 5))


def change(name: str, parameter: Parameter, old: Value, new: Value) -> Markup:
    """Draw how a value moves in its range: a ring where it was, a line, a dot where it is."""
    if not (parameter.accepts(old) and parameter.accepts(new)):
        return _outside(new)
    if isinstance(parameter, CategoryParameter):
        return _choices(parameter, old, new)
    scale = _scale(parameter)
    was, now, tick = scale(float(old)), scale(float(new)), _tick(scale(parameter.default))
    if old == new:
        return _drawing(f"{name} stays at {shown(new)}", tick, dot(now, MIDDLE, 5))
    ring = tag("circle", class_="ring", cx=was, cy=MIDDLE, r=5)
    path = line(was, MIDDLE, now, MIDDLE, "fill")
    return _drawing(f"{name} moves from {shown(old)} to {shown(new)}", tick, path, ring, dot(now, MIDDLE, 5))


def _scale(parameter: FloatParameter | IntParameter) -> Scale:
    return Scale(parameter.low, parameter.high, START, END, log=parameter.scale == "log")


def _drawing(words: str, *shapes: Markup) -> Markup:
    track = line(START, MIDDLE, END, MIDDLE, "track")
    box = f"0 0 {WIDTH} {HEIGHT}"
    return tag("svg", tag("title", words), track, *shapes, class_="plot range", role="img", viewBox=box)


def _tick(place: float) -> Markup:
    return line(place, MIDDLE - 7, place, MIDDLE + 7, "tick")


def _outside(value: Value) -> Markup:
    return tag("span", f"{shown(value)} is outside the generator's range", class_="error")


def _choices(parameter: CategoryParameter, old: Value, new: Value) -> Markup:
    return tag("ul", *(_choice(choice, choice == old, choice == new) for choice in parameter.choices), class_="ways")


def _choice(choice: str, was: bool, now: bool) -> Markup:
    if now:
        return tag("li", tag("strong", choice))
    return tag("li", tag("s", choice) if was else choice)
