"""Charts as server-made SVG, each with a table twin: colours come from classes, so themes and print just work."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from web.domain.day import there
from web.domain.rating.figures import TrendStep
from web.domain.reports.report import BestStep, VersionMean
from web.pages.drawing.rows import MOST, Bar, Row, bar_figure, bounds, counted, interval_figure
from web.pages.drawing.svg import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Scale,
    banded,
    bar,
    compact_percent,
    dot,
    figure,
    line,
    number,
    rating_axis,
    rating_scale,
    short,
    stamp,
    tag,
    text,
    time_ticks,
    value_axis,
    within,
)


def trend(steps: Sequence[TrendStep], zone: str = "UTC") -> Markup:
    """Draw the mean score of each minute, hour, day or more as dots, and the smoothed mean with its 95 % band."""
    scale = rating_scale([v for s in steps for v in (s.smooth.low, s.smooth.high, s.mean)])
    start, end = there(steps[0].at, zone), there(steps[-1].at, zone)
    across = Scale(start.timestamp(), end.timestamp(), LEFT, RIGHT)
    marks = [(across(at.timestamp()), label) for at, label in time_ticks(start, end)]
    band = [(across(step.at.timestamp()), step.smooth) for step in steps]
    shapes = [*rating_axis(scale), *value_axis(marks, f"time ({zone})"), *banded(band, scale)]
    shapes += [dot(across(step.at.timestamp()), scale(step.mean), 2.5) for step in steps]
    last = steps[-1].smooth
    rows = [(stamp(s.at, zone), s.ratings, s.mean, *bounds(s.smooth)) for s in reversed(steps)]
    return figure(
        "Mean rating over time",
        f"The smoothed mean is now {number(last.mean)} stars, between {number(last.low)} and {number(last.high)}.",
        shapes,
        ("From", "Ratings", "Mean", "Smoothed", "Low", "High"),
        rows,
    )


def best_so_far(steps: Sequence[BestStep]) -> Markup:
    """Draw what the best point was expected to score, with its 95 % interval, against the ratings behind it."""
    scale = rating_scale([v for s in steps for v in within(s.rating)])
    across = Scale(steps[0].ratings, steps[-1].ratings, LEFT, RIGHT)
    marks = [(across(value), number(value, 0)) for value in across.ticks() if value == int(value)]
    band = [(across(step.ratings), step.rating) for step in steps]
    shapes = [*rating_axis(scale), *value_axis(marks, "ratings"), *banded(band, scale)]
    shapes.append(dot(across(steps[-1].ratings), scale(steps[-1].rating.mean)))
    last = steps[-1]
    return figure(
        "Best expected rating so far",
        f"After {last.ratings} ratings the best settings are expected to score {number(last.rating.mean)} stars.",
        shapes,
        ("Ratings", "Expected", "Low", "High"),
        [(step.ratings, *bounds(step.rating)) for step in reversed(steps)],
    )


def best_of_each(named: Sequence[tuple[str, Sequence[BestStep]]]) -> Markup | None:
    """Draw what the best points of some studies were expected to score; None where no study has any."""
    if not named:
        return None
    every = [step for _, steps in named for step in steps]
    scale = rating_scale([v for s in every for v in within(s.rating)])
    across = Scale(min(s.ratings for s in every), max(s.ratings for s in every), LEFT, RIGHT)
    marks = [(across(value), number(value, 0)) for value in across.ticks() if value == int(value)]
    shapes = [*rating_axis(scale), *value_axis(marks, "ratings")]
    for place, (name, steps) in enumerate(named):
        last = across(steps[-1].ratings), scale(steps[-1].rating.mean)
        drawn = [*banded([(across(step.ratings), step.rating) for step in steps], scale), dot(*last)]
        drawn.append(text(last[0] - 8, last[1] + (16 if place else -8), short(name, 24), "end"))
        shapes.append(tag("g", *drawn, class_="second" if place else "first"))
    last_of = [(name, steps[-1]) for name, steps in named]
    words = "; ".join(f"{name}: {number(one.rating.mean)} stars after {one.ratings} ratings" for name, one in last_of)
    rows = [(name, step.ratings, *bounds(step.rating)) for name, steps in named for step in reversed(steps)]
    return figure(
        "Best expected rating so far", f"{words}.", shapes, ("Study", "Ratings", "Expected", "Low", "High"), rows
    )


def means(versions: Sequence[VersionMean]) -> Markup:
    """Draw the mean score of each generator and version with its 95 % interval."""
    rows = [Row(f"{one.generator} {one.version}", one.rating, one.ratings) for one in versions]
    words = "; ".join(f"{row.name}: {row.note(signed=False)}" for row in rows[:MOST])
    return interval_figure("Mean rating by generator and version", words, ("Version",), rows)


def counts(title: str, numbers: Mapping[str, int]) -> Markup:
    """Draw how often each of some things was named, in the order given."""
    most = max(numbers.values())
    bars = [Bar(name, str(count), count / most) for name, count in numbers.items()]
    words = "; ".join(f"{one.name} {one.note}" for one in bars[:3])
    return bar_figure(title, words, bars, ("What", "Times"), list(numbers.items()))


def histogram(scores: Mapping[int, int]) -> Markup:
    """Draw how often each score was given."""
    most, total = max(scores.values(), default=0) or 1, sum(scores.values())
    wide = (RIGHT - LEFT) / 5
    shapes = [line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis")]
    for score in range(1, 6):
        count, x = scores.get(score, 0), LEFT + (score - 1) * wide
        tall = count / most * (BOTTOM - TOP - 16)
        shapes += [
            bar(x + 8, BOTTOM - tall, wide - 16, tall),
            text(x + wide / 2, BOTTOM - tall - 6, str(count), "middle"),
            text(x + wide / 2, BOTTOM + 15, str(score), "middle"),
        ]
    words = f"Of {counted(total)}, " + ", ".join(f"{scores.get(score, 0)} gave {score}" for score in range(1, 6)) + "."
    rows = [
        (str(score), scores.get(score, 0), compact_percent(scores.get(score, 0) / (total or 1)))
        for score in range(1, 6)
    ]
    return figure("Scores given", words, shapes, ("Score", "Ratings", "Share"), rows, BOTTOM + 22)
