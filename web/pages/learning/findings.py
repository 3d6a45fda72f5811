"""Charts of what was learnt: the best settings, what is left, responses, importance, raters, variance."""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ml_service.wire.contract import (
    Best,
    GroupEffect,
    Interval,
    PairReport,
    ParameterReport,
    RaterEffect,
    VarianceParts,
)
from web.domain.reports.report import BestStep
from web.pages.drawing.rows import START, Bar, Row, bar_figure, bounds, grid, interval_figure, interval_row, whisker
from web.pages.drawing.svg import (
    BOTTOM,
    LEFT,
    RIGHT,
    ROW,
    WIDTH,
    Cell,
    Scale,
    bar,
    compact_percent,
    dot,
    figure,
    line,
    number,
    path,
    short,
    tag,
    text,
    thinned,
    value_axis,
)
from web.pages.learning import words as wording

STARS = Scale(1, 5, START, RIGHT)
NEAR = 0.1  # stars: so close to the best there is counts as there
LEAST = 0.01  # of what settings do: less is not known from nothing
PART = 26.0  # height of a line of the legend of variances
SOURCES = (
    ("setting", "the settings"),
    ("rater", "who rates"),
    ("item", "which photo"),
    ("luck", "luck of the making"),
    ("noise", "mood of the moment"),
)


def best_rating(best: Best, goal: float | None = None) -> Markup:
    """Draw the rating of the best settings, the default beside it, and the gain as it lies from the default."""
    default = best.rating.mean - best.gain.mean
    bottom = 3 * ROW + 6.0
    shapes = [*grid(STARS, bottom), *_goal(goal, bottom)]
    shapes += interval_row(Row("Best settings", best.rating, marked=True), STARS, 16.0)
    shapes += [*_default(default, ROW + 16.0, bottom), *_gain(best.gain, default, 2 * ROW + 16.0)]
    table: list[Sequence[Cell]] = [
        ("Best settings", *bounds(best.rating)),
        ("Default settings", default, "", ""),
        ("Gain over the default", *bounds(best.gain)),
    ]
    title, words, head = "The best settings, in stars", wording.best_rating(best), ("What", "Mean", "Low", "High")
    return figure(title, words, shapes, head, table, bottom + (22 if goal is None else 38))


def _goal(goal: float | None, bottom: float) -> list[Markup]:
    if goal is None:
        return []
    x = STARS(goal)
    side = "start" if x < 40 else "end" if x > WIDTH - 40 else "middle"
    return [line(x, 4, x, bottom + 18, "target"), text(x, bottom + 31, f"goal {number(goal)}", side)]


def _default(default: float, y: float, bottom: float) -> list[Markup]:
    x = STARS(min(max(default, 1.0), 5.0))
    ring = tag("circle", class_="ring", cx=x, cy=y + 13, r=5)
    words = [text(0, y, "Default settings"), text(WIDTH, y, f"{default:.2f}", "end")]
    return [line(x, y + 13, x, bottom, "default"), *words, ring]


def _gain(gain: Interval, default: float, y: float) -> list[Markup]:
    won = Interval(mean=default + gain.mean, low=default + gain.low, high=default + gain.high)
    words = [text(0, y, "Gain, from the default on"), text(WIDTH, y, f"{gain.low:+.2f} to {gain.high:+.2f}", "end")]
    return [*words, *whisker(won, STARS, y + 13)]


def convergence(steps: Sequence[BestStep]) -> Markup | None:
    """Draw how many stars were still to be had, and how sure it was to be there, against the ratings behind it."""
    known = [(step.ratings, step.gain_left, step.near_best) for step in steps]
    points = [(n, left, near) for n, left, near in known if left is not None and near is not None]
    if not points:
        return None
    across = Scale(points[0][0], points[-1][0], LEFT, RIGHT)
    most = max(0.2, math.ceil(max(left for _, left, _ in points) * 10) / 10)
    upper, lower = Scale(0, most, 92, 22), Scale(0, 1, BOTTOM, 126)
    shapes = [text(0, 10, "stars still to be had"), text(0, 114, "sure to be within 0.1 star of the best")]
    for value in upper.ticks(3):
        shapes += [*_level(upper(value), number(value))]
    for value in (0, 0.5, 1):
        shapes += [*_level(lower(value), compact_percent(value))]
    shapes.append(line(LEFT, upper(NEAR), RIGHT, upper(NEAR), "target"))
    marks = [(across(value), number(value, 0)) for value in across.ticks() if value == int(value)]
    shapes += value_axis(marks, "ratings")
    shapes += _followed([(across(n), upper(min(max(left, 0), most))) for n, left, _ in points])
    shapes += _followed([(across(n), lower(near)) for n, _, near in points])
    ratings, left, near = points[-1]
    words = f"After {ratings} ratings {number(left)} stars are still to be had; it is {wording.percent(near)} sure "
    words += "that the best settings are within 0.1 star of the best there is."
    rows = [(n, left, wording.percent(near)) for n, left, near in reversed(points)]
    return figure("What is still to be had", words, shapes, ("Ratings", "Stars left", "Sure to be near"), rows)


def _level(y: float, label: str) -> list[Markup]:
    return [line(LEFT, y, RIGHT, y, "grid"), text(LEFT - 5, y + 4, label, "end")]


def _followed(places: Sequence[tuple[float, float]]) -> list[Markup]:
    return [path(thinned(places), "line"), dot(*places[-1])]


def importance(reports: Mapping[str, ParameterReport]) -> Markup | None:
    """Draw how much of what settings do is each parameter's alone and with its interactions, the largest first.

    None where no parameter does a hundredth: then nothing is known yet of what matters.
    """
    ordered = sorted(reports.items(), key=lambda item: (-max(item[1].total, item[1].importance), item[0]))
    most = max((max(one.total, one.importance) for _, one in ordered), default=0.0)
    if most < LEAST:
        return None
    full = _full(most)
    bars = [_share(name, report, full) for name, report in ordered]
    table = [
        (
            name,
            compact_percent(one.importance),
            compact_percent(max(one.total, one.importance)),
            compact_percent(one.settled),
        )
        for name, one in ordered
    ]
    words = "; ".join(f"{one.name} {one.note}" for one in bars[:3])
    return bar_figure("What matters most", words, bars, ("Parameter", "Alone", "With others", "Settled"), table)


def _share(name: str, report: ParameterReport, full: float) -> Bar:
    alone, total = compact_percent(report.importance), compact_percent(max(report.total, report.importance))
    note = alone if alone == total else f"{alone}, with others {total}"
    return Bar(name, note, min(report.importance / full, 1), min(max(report.total, report.importance) / full, 1))


def _full(most: float) -> float:
    """Return the share that fills the drawing, so that small ones can be told apart too."""
    return next(share for share in (0.1, 0.25, 0.5, 1.0) if most <= share or share == 1)


def pairs(found: Sequence[PairReport]) -> Markup | None:
    """Draw how much pairs of parameters do beyond what both do alone; None where no pair does a hundredth."""
    known = [one for one in found if one.importance >= LEAST]
    if not known:
        return None
    full = _full(max(one.importance for one in known))
    bars = [Bar(" × ".join(one.parameters), compact_percent(one.importance), one.importance / full) for one in known]
    words = "; ".join(f"{one.name} {one.note}" for one in bars[:3])
    table = [(one.name, one.note) for one in bars]
    return bar_figure("Settings that depend on each other", words, bars, ("Pair", "Share"), table)


def effects(raters: Sequence[tuple[str, RaterEffect]]) -> Markup:
    """Draw how much higher or lower than the others each rater scores, by rater's name, the kindest first."""
    ordered = sorted(raters, key=lambda item: -item[1].effect.mean)
    rows = [Row(name, one.effect, one.ratings, more=(one.scale, one.noise)) for name, one in ordered]
    words = "Each rater's scores against the others', in stars; right of the middle is kinder."
    head = ("Rater", "Spread", "Noise")
    return interval_figure("How raters differ", words, head, rows, _around_zero([one.effect for _, one in ordered]))


def groups(title: str, of: str, found: Sequence[tuple[str, GroupEffect]]) -> Markup:
    """Draw how much higher or lower than the others each version or generator is rated, the best first."""
    ordered = sorted(found, key=lambda item: -item[1].effect.mean)
    rows = [Row(name, one.effect, one.ratings) for name, one in ordered]
    words = "Against the others, in stars; right of the middle is better."
    return interval_figure(title, words, (of,), rows, _around_zero([one.effect for _, one in ordered]))


def _around_zero(intervals: Sequence[Interval]) -> Scale:
    bound = max(0.5, *(abs(value) for one in intervals for value in (one.low, one.high)))
    return Scale(-bound, bound, START, RIGHT)


def variance(parts: VarianceParts) -> Markup | None:
    """Draw where the differences between ratings come from, as one bar of shares with its legend below.

    None where fewer than two sources are told apart: a share of one alone says nothing.
    """
    known: list[tuple[str, str, float | None]] = [(key, name, getattr(parts, key)) for key, name in SOURCES]
    sizes = [(key, name, size) for key, name, size in known if size is not None]
    if len(sizes) < 2:
        return None
    total = sum(size for _, _, size in sizes) or 1
    shapes: list[Markup] = []
    x = 0.0
    for index, (key, name, size) in enumerate(sizes):
        share, y = size / total, 60.0 + index * PART
        wide = share * WIDTH
        shapes.append(bar(x, 4, max(wide - 2, 0.5), 28, f"share {key}"))
        if wide > 42:
            shapes.append(
                tag("text", compact_percent(share), class_="inside", x=x + wide / 2 - 1, y=22, text_anchor="middle")
            )
        shapes += [bar(0, y - 10, 12, 12, f"share {key}"), text(20, y, name)]
        shapes.append(text(WIDTH, y, f"{compact_percent(share)} · ± {math.sqrt(size):.2f} stars", "end"))
        x += wide
    table = [(name, compact_percent(size / total), math.sqrt(size)) for _, name, size in sizes]
    head = ("Source", "Share", "± stars")
    bottom, missing = 60 + len(sizes) * PART - 14, [name for _, name, size in known if size is None]
    if missing:
        shapes.append(text(0, bottom + 12, short(f"not told apart: {', '.join(missing)}", 60)))
    return figure("Why ratings differ", wording.varies(parts), shapes, head, table, bottom + (20 if missing else 0))


def expected(one: Interval, best: float | None) -> Markup:
    """Draw what an option was expected to score on the scale of 1 to 5, and with a mark the best known then."""
    words = f"Expected {one.mean:.1f} stars, between {one.low:.1f} and {one.high:.1f}"
    words += "" if best is None else f"; the best known then: {best:.1f}"
    shapes = [tag("title", words), line(START, 10, RIGHT, 10, "track")]
    for value in (1, 2, 3, 4, 5):
        shapes += [line(STARS(value), 6, STARS(value), 14, "track"), text(STARS(value), 30, str(value), "middle")]
    shapes += [] if best is None else [line(STARS(best), 1, STARS(best), 19, "target")]
    shapes += whisker(one, STARS, 10, 5)
    return tag("svg", *shapes, class_="plot range", role="img", viewBox=f"0 0 {WIDTH} 34")
