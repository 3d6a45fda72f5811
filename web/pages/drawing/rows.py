"""Charts of rows, a label above what it shows: named intervals and named bars; a long list goes on in the table."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ml_service.wire.contract import Interval
from web.domain.rating.figures import Share
from web.pages.drawing.svg import RIGHT, ROW, TWIN, WIDTH, Cell, Scale, bar, dot, figure, line, number, short, tag, text

BAR_ROW = 29
MOST = 12  # rows that are drawn
START = 8


@dataclass(frozen=True)
class Row:
    """One line of a chart of intervals: its name, its interval, how many ratings are behind it where that is known.

    A marked row has a star and a larger dot, a hollow one a ring; `more` are further cells of its table row.
    """

    name: str
    interval: Interval
    ratings: int | None = None
    marked: bool = False
    hollow: bool = False
    more: tuple[Cell, ...] = ()

    def note(self, *, signed: bool) -> str:
        """Return what stands at the right end of the line."""
        mean = f"{self.interval.mean:+.2f}" if signed else f"{self.interval.mean:.2f}"
        return mean if self.ratings is None else f"{mean} · {counted(self.ratings)}"


@dataclass(frozen=True, kw_only=True)
class ShareRow(Row):
    """One line of a chart of shares, in percent."""

    share: Share

    @classmethod
    def of(cls, name: str, share: Share) -> "ShareRow":
        """Return the line of a share that is known."""
        mean, low, high = (value * 100 for value in bounds(share.interval))
        told = share.interval.model_copy(update={"mean": mean, "low": low, "high": high})
        return cls(name, told, share.of, share=share)

    def note(self, *, signed: bool) -> str:
        """Return what stands at the right end of the line."""
        return f"{self.interval.mean:.0f} % · {self.share.right} of {self.share.of}"


@dataclass(frozen=True)
class Bar:
    """One line of a chart of bars: its name, what stands at its end, its share, and a wider share behind it."""

    name: str
    note: str
    share: float
    behind: float = 0


def counted(ratings: int) -> str:
    """Return a number of ratings in words."""
    return f"{ratings} rating{'' if ratings == 1 else 's'}"


def bounds(one: Interval) -> tuple[float, float, float]:
    """Return the cells of an interval: its mean and its ends."""
    return one.mean, one.low, one.high


def interval_figure(
    title: str, summary: str, head: Sequence[str], rows: Sequence[Row], scale: Scale | None = None
) -> Markup:
    """Draw named means with their intervals, on the scale of 1 to 5 where no other is given.

    `head` names the first column of the table and those of what the rows have more.
    """
    across = scale or Scale(1, 5, START, RIGHT)
    drawn = rows[:MOST]
    bottom = len(drawn) * ROW + 6.0
    shapes = grid(across, bottom)
    for index, row in enumerate(drawn):
        shapes += interval_row(row, across, index * ROW + 16.0)
    shapes += _rest(len(rows), bottom + 32)
    known = all(row.ratings is not None for row in rows)
    columns = (head[0], *(("Ratings",) if known else ()), "Mean", "Low", "High", *head[1:])
    table = [(row.name, *((row.ratings or 0,) if known else ()), *bounds(row.interval), *row.more) for row in rows]
    return figure(title, summary, shapes, columns, table, bottom + (38 if len(rows) > MOST else 22))


def grid(scale: Scale, bottom: float) -> list[Markup]:
    """Return the vertical grid lines of a horizontal scale, with their labels below."""
    shapes = []
    for value in scale.ticks():
        x = scale(value)
        anchor = "end" if x > RIGHT - 8 else "middle"
        shapes += [line(x, 4, x, bottom, "grid"), text(x, bottom + 15, number(value), anchor)]
    return shapes


def interval_row(row: Row, scale: Scale, y: float) -> list[Markup]:
    """Return a label, what stands at its end, and below them the interval with its mean, cut to the scale."""
    note = row.note(signed=scale.low < 0)
    name = short(row.name, 42 - len(note))
    return [
        text(0, y, f"★ {name}" if row.marked else name),
        text(WIDTH, y, note, "end"),
        *whisker(row.interval, scale, y + 13, 6 if row.marked else 4.5, hollow=row.hollow),
    ]


def whisker(one: Interval, scale: Scale, y: float, radius: float = 4.5, *, hollow: bool = False) -> list[Markup]:
    """Return an interval as a line and its mean as a dot or a ring, both cut to the scale."""
    low, high, at = (scale(min(max(value, scale.low), scale.high)) for value in (one.low, one.high, one.mean))
    mean = tag("circle", class_="ring", cx=at, cy=y, r=radius) if hollow else dot(at, y, radius)
    return [line(low, y, high, y, "whisker"), mean] if high > low else [mean]


def bar_figure(
    title: str, summary: str, bars: Sequence[Bar], head: Sequence[str], table: Sequence[Sequence[Cell]]
) -> Markup:
    """Draw named shares as bars, each before the wider share behind it."""
    shapes = []
    for index, one in enumerate(bars[:MOST]):
        y = index * BAR_ROW + 12.0
        shapes += [text(0, y, short(one.name, 42 - len(one.note))), text(WIDTH, y, one.note, "end")]
        shapes += [line(0, y + 9, WIDTH, y + 9, "grid")]
        shapes += [bar(0, y + 6, one.behind * WIDTH, 6, "bar behind")] if one.behind > one.share else []
        shapes.append(bar(0, y + 6, one.share * WIDTH, 6))
    bottom = min(len(bars), MOST) * BAR_ROW + 4.0
    return figure(
        title,
        summary,
        [*shapes, *_rest(len(bars), bottom + 12)],
        head,
        table,
        bottom + (18 if len(bars) > MOST else 0),
    )


def _rest(count: int, y: float) -> list[Markup]:
    if count <= MOST:
        return []
    words = f"and {min(count, TWIN) - MOST} more in the table"
    return [text(0, y, f"{words}, of {count:,}" if count > TWIN else words)]
