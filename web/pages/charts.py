"""Charts as server-made SVG, each with a table twin: colours come from classes, so themes and print just work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ml_service.contract import (
    CategoryParameter,
    CurvePoint,
    Interval,
    Parameter,
    ParameterReport,
    RaterEffect,
    Value,
    VarianceParts,
)
from web.domain.report import BestStep, TrendStep, VersionMean
from web.pages.svg import (
    BOTTOM,
    LEFT,
    RIGHT,
    ROW,
    TOP,
    WIDTH,
    Cell,
    Scale,
    dot,
    figure,
    line,
    number,
    path,
    rating_axis,
    rating_scale,
    short,
    tag,
    text,
    time_ticks,
    value_axis,
)


@dataclass(frozen=True)
class Row:
    """One line of a chart of intervals: its name, its interval, how many ratings are behind it where that is known."""

    name: str
    interval: Interval
    ratings: int | None = None
    marked: bool = False

    def note(self, *, signed: bool) -> str:
        """Return what stands at the right end of the line."""
        mean = f"{self.interval.mean:+.2f}" if signed else f"{self.interval.mean:.2f}"
        return mean if self.ratings is None else f"{mean} · {_count(self.ratings)}"


def trend(steps: Sequence[TrendStep]) -> Markup:
    """Draw the mean score of each minute, hour or day as dots, and the smoothed mean with its 95 % band."""
    scale = rating_scale([v for s in steps for v in (s.smooth.low, s.smooth.high, s.mean)])
    start, end = steps[0].at, steps[-1].at
    across = Scale(start.timestamp(), end.timestamp(), LEFT, RIGHT)
    marks = [(across(at.timestamp()), label) for at, label in time_ticks(start, end)]
    band = [(across(step.at.timestamp()), step.smooth) for step in steps]
    shapes = [*rating_axis(scale), *value_axis(marks, "time (UTC)"), *_banded(band, scale)]
    shapes += [dot(across(step.at.timestamp()), scale(step.mean), 2.5) for step in steps]
    last = steps[-1].smooth
    rows = [(s.at.strftime("%Y-%m-%d %H:%M"), s.ratings, s.mean, *_bounds(s.smooth)) for s in reversed(steps)]
    return figure(
        "Mean rating over time",
        f"The smoothed mean is now {number(last.mean)} stars, between {number(last.low)} and {number(last.high)}.",
        shapes,
        ("From", "Ratings", "Mean", "Smoothed", "Low", "High"),
        rows,
    )


def best_so_far(steps: Sequence[BestStep]) -> Markup:
    """Draw what the best point was expected to score, with its 95 % interval, against the ratings behind it."""
    scale = rating_scale([v for s in steps for v in _within(s.rating)])
    across = Scale(steps[0].ratings, steps[-1].ratings, LEFT, RIGHT)
    marks = [(across(value), number(value, 0)) for value in across.ticks() if value == int(value)]
    band = [(across(step.ratings), step.rating) for step in steps]
    shapes = [*rating_axis(scale), *value_axis(marks, "ratings"), *_banded(band, scale)]
    shapes.append(dot(across(steps[-1].ratings), scale(steps[-1].rating.mean)))
    last = steps[-1]
    return figure(
        "Best expected rating so far",
        f"After {last.ratings} ratings the best settings are expected to score {number(last.rating.mean)} stars.",
        shapes,
        ("Ratings", "Expected", "Low", "High"),
        [(step.ratings, *_bounds(step.rating)) for step in reversed(steps)],
    )


def response(name: str, parameter: Parameter, report: ParameterReport, best: Value) -> Markup:
    """Draw the expected rating against one parameter, the others at the best point, and mark its best value."""
    if isinstance(parameter, CategoryParameter):
        rows = [Row(str(at.value), at.rating, marked=at.value == best) for at in report.curve]
        return intervals(f"Expected rating by {name}", f"The best choice is {best}.", "Choice", rows)
    curve = [(float(at.value), at.rating) for at in report.curve]
    scale = rating_scale([v for _, rating in curve for v in _within(rating)])
    across = Scale(parameter.low, parameter.high, LEFT, RIGHT, log=parameter.scale == "log")
    marks = [(across(value), number(value, 3)) for value in across.ticks()]
    unit = f"{name} ({parameter.unit})" if parameter.unit else name
    shapes = [*rating_axis(scale), *value_axis(marks, unit)]
    shapes += _banded([(across(value), rating) for value, rating in curve], scale)
    shapes += _best_value(across(float(best)), number(float(best), 3))
    return figure(
        f"Expected rating by {name}",
        f"The best value of {name} is {number(float(best), 3)}.",
        shapes,
        (unit, "Expected", "Low", "High"),
        [_curve_row(at) for at in report.curve],
    )


def _best_value(x: float, value: str) -> list[Markup]:
    anchor = "end" if x > (LEFT + RIGHT) / 2 else "start"
    return [
        line(x, TOP, x, BOTTOM, "target"),
        text(x - 5 if anchor == "end" else x + 5, TOP + 8, f"best {value}", anchor),
    ]


def _curve_row(at: CurvePoint) -> tuple[str, float, float, float]:
    value = at.value if isinstance(at.value, str) else number(float(at.value), 3)
    return (value, *_bounds(at.rating))


def means(versions: Sequence[VersionMean]) -> Markup:
    """Draw the mean score of each generator and version with its 95 % interval."""
    rows = [Row(f"{one.generator} {one.version}", one.rating, one.ratings) for one in versions]
    words = "; ".join(f"{row.name}: {row.note(signed=False)}" for row in rows)
    return intervals("Mean rating by generator and version", words, "Version", rows)


def effects(raters: Sequence[tuple[str, RaterEffect]]) -> Markup:
    """Draw how much higher or lower than the others each rater scores, by rater's name."""
    bound = max(0.5, *(abs(v) for _, one in raters for v in (one.effect.low, one.effect.high)))
    scale = Scale(-bound, bound, 8, RIGHT)
    rows = [Row(name, one.effect, one.ratings) for name, one in raters]
    words = "Each rater's scores against the others', in stars; right of the middle is kinder."
    return _interval_figure("How raters differ", words, "Rater", rows, scale)


def intervals(title: str, summary: str, of: str, rows: Sequence[Row]) -> Markup:
    """Draw named means with their intervals on the scale of 1 to 5; a marked one stands out."""
    return _interval_figure(title, summary, of, rows, Scale(1, 5, 8, RIGHT))


def _interval_figure(title: str, summary: str, of: str, rows: Sequence[Row], scale: Scale) -> Markup:
    bottom = len(rows) * ROW + 6.0
    shapes = []
    for value in scale.ticks():
        x = scale(value)
        anchor = "end" if x > RIGHT - 8 else "middle"
        shapes += [line(x, 4, x, bottom, "grid"), text(x, bottom + 15, number(value), anchor)]
    for index, row in enumerate(rows):
        shapes += _interval_row(row, scale, index * ROW + 16.0)
    counted = all(row.ratings is not None for row in rows)
    head = (of, *(("Ratings",) if counted else ()), "Mean", "Low", "High")
    table = [(row.name, *((row.ratings or 0,) if counted else ()), *_bounds(row.interval)) for row in rows]
    return figure(title, summary, shapes, head, table, bottom + 22)


def _interval_row(row: Row, scale: Scale, y: float) -> list[Markup]:
    low, high, at = scale(row.interval.low), scale(row.interval.high), scale(row.interval.mean)
    note = row.note(signed=scale.low < 0)
    name = short(row.name, 42 - len(note))
    return [
        text(0, y, f"★ {name}" if row.marked else name),
        text(WIDTH, y, note, "end"),
        line(max(low, 2), y + 13, min(high, WIDTH), y + 13, "whisker"),
        dot(at, y + 13, 6 if row.marked else 4.5),
    ]


def importance(reports: Mapping[str, ParameterReport]) -> Markup:
    """Draw how much of the difference in ratings each parameter makes, the largest first."""
    ordered = sorted(reports.items(), key=lambda item: -item[1].importance)
    bars = [(name, f"{report.importance:.0%}", report.importance) for name, report in ordered]
    table = [(name, f"{report.importance:.0%}", f"{report.settled:.0%}") for name, report in ordered]
    return _bars("What matters most", bars, ("Parameter", "Share", "Settled"), table)


def variance(parts: VarianceParts) -> Markup:
    """Draw where the differences between ratings come from, as shares of their variance."""
    named = (
        ("the settings", parts.setting),
        ("who rates", parts.rater),
        ("which photo", parts.item),
        ("luck of the making", parts.luck),
        ("mood of the moment", parts.noise),
    )
    total = sum(part for _, part in named) or 1
    bars = [(name, f"{part / total:.0%}", part / total) for name, part in named]
    table = [(name, f"{part / total:.0%}", part) for name, part in named]
    return _bars("Why ratings differ", bars, ("Source", "Share", "Stars²"), table)


def counts(title: str, numbers: Mapping[str, int]) -> Markup:
    """Draw how often each of some things was named, in the order given."""
    most = max(numbers.values())
    bars = [(name, str(count), count / most) for name, count in numbers.items()]
    return _bars(title, bars, ("What", "Times"), list(numbers.items()))


def _bars(
    title: str, bars: Sequence[tuple[str, str, float]], head: Sequence[str], table: Sequence[Sequence[Cell]]
) -> Markup:
    shapes = []
    for index, (name, note, share) in enumerate(bars):
        y = index * 29 + 12.0
        shapes += [text(0, y, short(name)), text(WIDTH, y, note, "end")]
        shapes += [line(0, y + 9, WIDTH, y + 9, "grid"), _bar(0, y + 6, share * WIDTH, 6)]
    words = "; ".join(f"{name} {note}" for name, note, _ in bars[:3])
    return figure(title, words, shapes, head, table, len(bars) * 29 + 4)


def histogram(scores: Mapping[int, int]) -> Markup:
    """Draw how often each score was given."""
    most, total = max(scores.values(), default=0) or 1, sum(scores.values())
    wide = (RIGHT - LEFT) / 5
    shapes = [line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis")]
    for score in range(1, 6):
        count, x = scores.get(score, 0), LEFT + (score - 1) * wide
        tall = count / most * (BOTTOM - TOP - 16)
        shapes += [
            _bar(x + 8, BOTTOM - tall, wide - 16, tall),
            text(x + wide / 2, BOTTOM - tall - 6, str(count), "middle"),
            text(x + wide / 2, BOTTOM + 15, str(score), "middle"),
        ]
    words = f"Of {_count(total)}, " + ", ".join(f"{scores.get(score, 0)} gave {score}" for score in range(1, 6)) + "."
    rows = [(str(score), scores.get(score, 0), f"{scores.get(score, 0) / (total or 1):.0%}") for score in range(1, 6)]
    return figure("Scores given", words, shapes, ("Score", "Ratings", "Share"), rows, BOTTOM + 22)


def _bar(x: float, y: float, width: float, height: float) -> Markup:
    return tag("rect", class_="bar", x=float(x), y=float(y), width=float(width), height=float(height), rx=2)


def _banded(band: Sequence[tuple[float, Interval]], scale: Scale) -> list[Markup]:
    """Return the line of means over the area of their intervals, both cut to the scale."""
    upper = [(x, scale(min(one.high, scale.high))) for x, one in band]
    lower = [(x, scale(max(one.low, scale.low))) for x, one in reversed(band)]
    middle = [(x, scale(min(max(one.mean, scale.low), scale.high))) for x, one in band]
    return [path([*upper, *lower], "band", closed=True), path(middle, "line")]


def _within(one: Interval) -> tuple[float, float, float]:
    """Return the bounds and the mean of an interval, cut to the scale of 1 to 5."""
    low, mean, high = (min(max(value, 1.0), 5.0) for value in (one.low, one.mean, one.high))
    return low, mean, high


def _bounds(one: Interval) -> tuple[float, float, float]:
    return one.mean, one.low, one.high


def _count(ratings: int) -> str:
    return f"{ratings} rating{'' if ratings == 1 else 's'}"
