"""Charts of raters and of what they make of the items: levels, noise, checks, times, agreement, opinion scores."""

from collections.abc import Mapping, Sequence
from math import ceil

from markupsafe import Markup

from ml_service.wire.contract import Interval
from web.domain.rating.figures import AgreementStep, Level, RaterFigures, Share
from web.domain.rating.standing import ScoredItem
from web.pages.drawing.rows import START, Row, ShareRow, bounds, interval_figure
from web.pages.drawing.svg import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Cell,
    Scale,
    banded,
    bar,
    compact_percent,
    dot,
    figure,
    line,
    number,
    path,
    stamp,
    tag,
    text,
    value_axis,
)
from web.pages.rating import words as rater_words

Named = tuple[str, RaterFigures]
GOOD, USABLE = 0.8, 0.667  # alpha, by custom
FASTEST, SLOWEST, TIMES = 0.25, 64.0, 16  # seconds, and pieces of that range on a scale of doublings


def levels(raters: Sequence[Named]) -> Markup | None:
    """Draw how much kinder or stricter than the others each rater is, the kindest first."""
    known = [(name, one.judge) for name, one in raters if one.judge]
    if not known:
        return None
    known.sort(key=lambda item: -item[1].bias.mean)
    rows = [Row(name, judge.bias, judge.ratings, more=bounds(judge.scale)) for name, judge in known]
    bound = max(0.5, *(abs(value) for _, judge in known for value in (judge.bias.low, judge.bias.high)))
    head = ("Rater", "Use of the scale", "from", "to")
    words = "Stars above or below the others; right of the middle is kinder. Scores are corrected for it."
    return interval_figure("How kind or strict raters are", words, head, rows, Scale(-bound, bound, START, RIGHT))


def noise(raters: Sequence[Named]) -> Markup | None:
    """Draw each rater's noise with its interval against how much they have rated."""
    known = [(name, one.ratings, one.noise) for name, one in raters if one.noise]
    if not known:
        return None
    most = max(ratings for _, ratings, _ in known)
    across = Scale(min(ratings for _, ratings, _ in known), max(most, 2), LEFT + 8, RIGHT - 8, log=True)
    up = Scale(0, max(1.0, min(ceil(max(one.high for *_, one in known) * 2) / 2, 2.5)), BOTTOM, TOP)
    shapes = [*_lines(up), *value_axis([(across(value), number(value, 0)) for value in across.ticks()], "ratings")]
    for name, ratings, one in known:
        x, (mean, low, high) = across(ratings), (min(value, up.high) for value in bounds(one))
        shapes.append(line(x, up(low), x, up(high), "whisker"))
        said = tag("title", f"{name}: ± {one.mean:.2f} stars in {ratings} ratings")
        shapes.append(tag("circle", said, class_="dot", cx=x, cy=up(mean), r=4))
    table = [(name, ratings, *bounds(one)) for name, ratings, one in sorted(known, key=lambda item: -item[2].mean)]
    words = f"From ± {min(one.mean for *_, one in known):.2f} to ± {max(one.mean for *_, one in known):.2f} stars; "
    words += "noisier raters weigh less."
    return figure("Noise by volume", words, shapes, ("Rater", "Ratings", "± stars", "Low", "High"), table)


def shares(title: str, words: str, named: Sequence[tuple[str, Share]]) -> Markup | None:
    """Draw which share of some checks each rater passed, in percent, the lowest first."""
    known = sorted(((name, share) for name, share in named if share.of), key=lambda item: item[1].interval.mean)
    if not known:
        return None
    rows = [ShareRow.of(name, share) for name, share in known]
    return interval_figure(title, words, ("Rater",), rows, Scale(0, 100, START, RIGHT))


def agreement(steps: Sequence[AgreementStep], zone: str = "UTC") -> Markup | None:
    """Draw how far raters agree, alpha with its 95 % interval, of all ratings up to each moment."""
    if not steps:
        return None
    words = rater_words.agreement(steps[-1].alpha)
    found = [(step, step.alpha) for step in steps]
    return _over_ratings("Agreement of raters", words, "Alpha", found, (USABLE, GOOD), zone)


def correlation(steps: Sequence[AgreementStep], zone: str = "UTC") -> Markup | None:
    """Draw how much a single rating tells, the intraclass correlation, of all ratings up to each moment."""
    if not steps:
        return None
    words = rater_words.correlation(steps[-1].icc)
    return _over_ratings("What one rating tells", words, "ICC", [(step, step.icc) for step in steps], (), zone)


def _over_ratings(
    title: str,
    words: str,
    name: str,
    found: Sequence[tuple[AgreementStep, Interval]],
    guides: Sequence[float],
    zone: str,
) -> Markup:
    """Draw a share with its interval by the ratings that it is of, with lines that mark what is good."""
    low = min(0.0, max(-1.0, *(one.low for _, one in found)))
    up = Scale(-0.5 if low < -0.05 else 0, 1, BOTTOM, TOP)
    first, last = found[0][0].ratings, found[-1][0].ratings
    across = Scale(first, max(last, first + 1), LEFT, RIGHT)
    marks = [(across(value), number(value, 0)) for value in across.ticks() if value == int(value)]
    band = [(across(step.ratings), one) for step, one in found]
    shapes = [*_lines(up), *value_axis(marks, "ratings"), *banded(band, up)]
    shapes += [line(LEFT, up(value), RIGHT, up(value), "target") for value in guides]
    shapes += [dot(x, up(max(one.mean, up.low)), 3) for x, one in band]
    rows = [(stamp(step.at, zone), step.ratings, *bounds(one)) for step, one in reversed(found)]
    return figure(title, words, shapes, ("Until", "Ratings", name, "Low", "High"), rows)


def scores_beside(mine: Mapping[int, int], others: Mapping[int, int]) -> Markup:
    """Draw which share of a rater's scores each score has, with its interval, beside the others' shares."""
    total, pool = sum(mine.values()), sum(others.values())
    told = {score: Share(mine.get(score, 0), total).interval for score in range(1, 6)}
    usual = {score: others.get(score, 0) / pool if pool else 0.0 for score in range(1, 6)}
    up = Scale(0, max(0.2, *(one.high for one in told.values()), *usual.values()), BOTTOM, TOP)
    wide, shapes = (RIGHT - LEFT) / 5, _percents(up)
    for score, one in told.items():
        x, tall = LEFT + (score - 1) * wide, BOTTOM - up(one.mean)
        shapes += [
            bar(x + 10, BOTTOM - tall, wide - 20, tall),
            line(x + wide / 2, up(one.low), x + wide / 2, up(one.high), "whisker over"),
            text(x + wide / 2, BOTTOM + 15, f"{score} ★", "middle"),
        ]
        shapes += [line(x + 3, up(usual[score]), x + wide - 3, up(usual[score]), "usual")] if pool else []
    rows: list[Sequence[Cell]] = [
        (str(score), mine.get(score, 0), *map(compact_percent, bounds(one)), _of(usual[score], pool))
        for score, one in told.items()
    ]
    words = "Bars: this rater's shares, with their 95 % intervals; lines across: the others' shares."
    head = ("Score", "Ratings", "Share", "Low", "High", "Others")
    return figure("Scores beside the others'", words, shapes, head, rows, BOTTOM + 22)


def times(mine: Sequence[float], others: Sequence[float]) -> Markup | None:
    """Draw how long a rater looks at a picture, by doublings of seconds, beside how long the others do."""
    if not mine:
        return None
    across = Scale(FASTEST, SLOWEST, LEFT, RIGHT, log=True)
    own, usual = _spread(mine), _spread(others)
    tell = [Share(count, len(mine)).interval for count in own]
    pool = [count / max(len(others), 1) for count in usual]
    up = Scale(0, max(0.2, *(one.high for one in tell), *pool), BOTTOM, TOP)
    marks = [(across(value), number(value)) for value in (0.25, 1, 4, 16, 64)]
    wide, shapes = (RIGHT - LEFT) / TIMES, [*_percents(up), *value_axis(marks, "seconds looked at a picture")]
    for at, one in enumerate(tell):
        x, tall = LEFT + at * wide, BOTTOM - up(one.mean)
        shapes.append(bar(x + 1, BOTTOM - tall, wide - 2, tall))
        if one.mean:
            shapes.append(line(x + wide / 2, up(one.low), x + wide / 2, up(one.high), "whisker over"))
    if others:
        shapes.append(path([(LEFT + (at + 0.5) * wide, up(share)) for at, share in enumerate(pool)], "usual"))
    ends = [FASTEST * (SLOWEST / FASTEST) ** (at / TIMES) for at in range(TIMES + 1)]
    rows: list[Sequence[Cell]] = [
        (
            f"{number(ends[at])} to {number(ends[at + 1])}",
            own[at],
            compact_percent(one.mean),
            _of(pool[at], len(others)),
        )
        for at, one in enumerate(tell)
    ]
    words = "Bars: this rater; the line: the others. What took longer or shorter is counted at the ends."
    head = ("Seconds", "Ratings", "Share", "Others")
    return figure("Time on a picture", words, shapes, head, rows)


def level_over_time(steps: Sequence[Level], zone: str = "UTC") -> Markup | None:
    """Draw how far above the others a rater was, smoothed over some ten ratings, with its 95 % band."""
    if not steps:
        return None
    bound = max(1.0, min(ceil(max(abs(v) for s in steps for v in (s.above.low, s.above.high)) * 2) / 2, 3.0))
    up = Scale(-bound, bound, BOTTOM, TOP)
    across = Scale(steps[0].ratings, max(steps[-1].ratings, 2), LEFT, RIGHT)
    marks = [(across(value), number(value, 0)) for value in across.ticks() if value == int(value)]
    shapes = [*_lines(up), line(LEFT, up(0), RIGHT, up(0), "axis"), *value_axis(marks, "ratings")]
    shapes += banded([(across(step.ratings), step.above) for step in steps], up)
    rows = [(stamp(step.at, zone), step.ratings, *bounds(step.above)) for step in reversed(steps)]
    words = f"Now {number(steps[-1].above.mean)} stars above the others."
    return figure("Level over time", words, shapes, ("At", "Rating", "Above the others", "Low", "High"), rows)


def items(found: Sequence[ScoredItem]) -> Markup | None:
    """Draw the opinion scores of the best items with their 95 % intervals."""
    if not found:
        return None
    rows = []
    for one in found:
        score = one.score
        interval = rater_words.interval(score)
        rows.append(Row(one.input, interval, score.ratings, more=(compact_percent(one.best), one.generator)))
    words = "; ".join(f"{row.name}: {row.note(signed=False)}" for row in rows[:3])
    return interval_figure("Opinion scores", words, ("Photo", "Is the best", "Made by"), rows)


def _of(share: float, all_of_them: int) -> str:
    """Return a share of what there is, in percent, and that of nothing as not known."""
    return compact_percent(share) if all_of_them else "–"


def _lines(up: Scale) -> list[Markup]:
    return [
        shape
        for value in up.ticks()
        for shape in (
            line(LEFT, up(value), RIGHT, up(value), "grid"),
            text(LEFT - 5, up(value) + 4, number(value), "end"),
        )
    ]


def _percents(up: Scale) -> list[Markup]:
    shapes = [line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis")]
    for value in up.ticks(3):
        shapes += [
            line(LEFT, up(value), RIGHT, up(value), "grid"),
            text(LEFT - 4, up(value) + 4, f"{value * 100:.0f}", "end"),
        ]
    return shapes


def _spread(seconds: Sequence[float]) -> list[int]:
    """Count times by the piece of the scale that they lie in, what is beyond it at its ends."""
    into, counts = Scale(FASTEST, SLOWEST, 0, TIMES, log=True), [0] * TIMES
    for one in seconds:
        counts[min(max(int(into(max(one, 1e-3))), 0), TIMES - 1)] += 1
    return counts
