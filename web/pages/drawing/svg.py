"""What charts are drawn with: escaped elements, scales with round ticks, and a figure with its table twin."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup, escape

from ml_service.wire.contract import Interval
from web.domain.day import there

WIDTH, HEIGHT = 340, 200  # of the view box; drawn about as large on screen, so that text keeps its size
LEFT, RIGHT, TOP, BOTTOM = 30, 332, 12, 174
ROW = 40  # of a row that has its label above what it shows
_STEPS = tuple(timedelta(minutes=m) for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)) + tuple(
    timedelta(days=d) for d in (1, 2, 4, 7, 14, 28, 56, 91, 182, 364, 728)
)

Cell = str | int | float


def number(value: float, digits: int = 2) -> str:
    """Return a number as people write it: rounded, without zeros that say nothing."""
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def compact_percent(share: float) -> str:
    """Return a share in percent as it fits on a drawing; what is there is not told as nothing, nor most as all."""
    if 0 < share < 0.005:
        return "< 1 %"
    return "> 99 %" if 0.995 <= share < 1 else f"{share * 100:.0f} %"


def tag(name: str, *inside: str, **attributes: object) -> Markup:
    """Return an element with everything in it escaped; `class_` and `text_anchor` become `class` and `text-anchor`."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_attribute(value))}"' for key, value in attributes.items()
    )
    # A page has thousands of elements, and Markup's own formatting takes three times as long.
    return Markup(f"<{name}{pairs}>{''.join(map(escape, inside))}</{name}>")  # noqa: S704  each part is escaped here


def _attribute(value: object) -> str:
    return number(value, 1) if isinstance(value, float) else str(value)


def text(x: float, y: float, words: str, anchor: str = "start") -> Markup:
    """Return a label."""
    return tag("text", words, class_="label", x=x, y=y, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Return a straight line."""
    return tag("line", class_=class_, x1=x1, y1=y1, x2=x2, y2=y2)


def path(places: Iterable[tuple[float, float]], class_: str, *, closed: bool = False) -> Markup:
    """Return a line through places, or the area that it encloses."""
    steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    return tag("path", class_=class_, d=f"M{steps}{'Z' if closed else ''}")


def dot(x: float, y: float, radius: float = 4) -> Markup:
    """Return a dot."""
    return tag("circle", class_="dot", cx=x, cy=y, r=radius)


def bar(x: float, y: float, width: float, height: float, class_: str = "bar") -> Markup:
    """Return a rectangle."""
    return tag("rect", class_=class_, x=float(x), y=float(y), width=float(width), height=float(height), rx=2)


def short(words: str, limit: int = 34) -> str:
    """Return words cut to what fits above a row."""
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


@dataclass(frozen=True)
class Scale:
    """From values to places on the drawing; a range of one value is put in the middle."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        share = (at - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)

    def ticks(self, about: int = 4) -> tuple[float, ...]:
        """Return round values within the range: multiples of 1, 2 or 5 times a power of ten."""
        if self.high <= self.low:
            return (self.low,)
        return self._decades() if self.log and self.high / self.low >= 10 else self._multiples(about)

    def _multiples(self, about: int) -> tuple[float, ...]:
        rough = (self.high - self.low) / about
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(round(k * step, 10) for k in range(first, last + 1))

    def _decades(self) -> tuple[float, ...]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        many = last - first > 2
        rounds = [m * 10.0**k for k in range(first, last + 1) for m in ((1,) if many else (1, 2, 5))]
        return tuple(value for value in rounds if self.low <= value * 1.000001 and value <= self.high * 1.000001)


def time_ticks(start: datetime, end: datetime, most: int = 4) -> tuple[tuple[datetime, str], ...]:
    """Return round moments between two, with their labels: both by the clock of their time zone."""
    step = next((step for step in _STEPS if (end - start) / step <= most), _STEPS[-1])
    origin = datetime(2001, 1, 1, tzinfo=start.tzinfo)  # a Monday
    first = origin + math.ceil((start - origin) / step) * step
    form = "%H:%M" if step < timedelta(days=1) else "%-d %b"
    moments = [first + k * step for k in range(most + 1) if first + k * step <= end]
    return tuple((at, at.strftime(form)) for at in moments) or ((start, start.strftime(form)),)


def stamp(at: datetime, zone: str) -> str:
    """Return a moment by the clock of a time zone, to the minute."""
    return there(at, zone).strftime("%Y-%m-%d %H:%M %Z")


def rating_scale(values: Iterable[float]) -> Scale:
    """Return the vertical scale that holds these scores, in half stars within 1 to 5 and at least one star high."""
    known = list(values)
    low, high = math.floor(min(known) * 2) / 2, math.ceil(max(known) * 2) / 2
    if high - low < 1:
        low, high = max(low - 0.5, 1.0), min(high + 0.5, 5.0)
    return Scale(low, high, BOTTOM, TOP)


def rating_axis(scale: Scale) -> list[Markup]:
    """Return the grid lines of scores with their labels on the left."""
    shapes = []
    for value in scale.ticks():
        shapes += [
            line(LEFT, scale(value), RIGHT, scale(value), "grid"),
            text(LEFT - 5, scale(value) + 4, number(value), "end"),
        ]
    return shapes


def banded(band: Sequence[tuple[float, Interval]], scale: Scale) -> list[Markup]:
    """Return the line of means over the area of their intervals, both cut to the vertical scale."""
    upper = [(x, scale(min(max(one.high, scale.low), scale.high))) for x, one in band]
    lower = [(x, scale(min(max(one.low, scale.low), scale.high))) for x, one in reversed(band)]
    middle = [(x, scale(min(max(one.mean, scale.low), scale.high))) for x, one in band]
    return [path([*upper, *lower], "band", closed=True), path(middle, "line")]


def within(one: Interval) -> tuple[float, float, float]:
    """Return the bounds and the mean of an interval, cut to the scale of 1 to 5."""
    low, mean, high = (min(max(value, 1.0), 5.0) for value in (one.low, one.mean, one.high))
    return low, mean, high


def value_axis(places: Sequence[tuple[float, str]], title: str) -> list[Markup]:
    """Return the horizontal axis: a line, marks with labels, and what it shows."""
    shapes = [line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis")]
    for x, label in places:
        anchor = "start" if x < LEFT + 12 else "end" if x > RIGHT - 12 else "middle"
        shapes += [line(x, BOTTOM, x, BOTTOM + 4, "axis"), text(x, BOTTOM + 15, label, anchor)]
    return [*shapes, text((LEFT + RIGHT) / 2, HEIGHT + 6, title, "middle")]


def figure(
    title: str,
    summary: str,
    shapes: Iterable[str],
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    height: float = HEIGHT + 12,
) -> Markup:
    """Return a chart that says in words what it shows, and its numbers as a table that can be opened."""
    drawing = tag(
        "svg",
        tag("title", title),
        tag("desc", summary),
        *shapes,
        class_="plot",
        role="img",
        viewBox=f"0 0 {WIDTH} {number(height, 0)}",
    )
    return tag("figure", drawing, _twin(title, head, rows), class_="chart")


def _twin(title: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Markup:
    top = tag("tr", *(tag("th", name, scope="col") for name in head))
    body = (tag("tr", *(_cell(value) for value in row)) for row in rows)
    table = tag("table", tag("caption", title, class_="visually-hidden"), tag("thead", top), tag("tbody", *body))
    scroller = tag("div", table, class_="table-wrap", tabindex=0, role="region", aria_label=f"{title}, table")
    return tag("details", tag("summary", "Show table"), scroller, data_key=title)


def _cell(value: Cell) -> Markup:
    return tag("td", value) if isinstance(value, str) else tag("td", number(value), class_="num")
