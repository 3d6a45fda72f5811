"""Which version of a prompt was live when, drawn."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from markupsafe import Markup

from web.domain.day import there
from web.pages.drawing.svg import RIGHT, Scale, bar, dot, figure, line, stamp, tag, text, time_ticks
from web.services.prompts.promotion import ROLLED_BACK, Move

STEP, TOP, START = 36, 26, 8
MOST = 12  # moves that are drawn


def course(history: Sequence[Move], words: Mapping[str, str], now: datetime, zone: str = "UTC") -> Markup | None:
    """Draw which version was live when, the newest at the top, and each rollback; None before anything was moved.

    `history` has the newest move first; `words` say what each kind of move is.
    """
    drawn = history[:MOST]
    if len(drawn) < 2:
        return None
    names = list(dict.fromkeys(move.to_version for move in drawn))
    rows = {name: TOP + at * STEP for at, name in enumerate(names)}
    first = drawn[-1].at
    across = Scale(first.timestamp(), max(now, first + timedelta(minutes=1)).timestamp(), START, RIGHT - 6)
    foot = TOP + len(names) * STEP
    shapes = [*_axis(there(first, zone), there(now, zone), across, foot), *_stays(drawn, rows, across, now)]
    shapes += [tag("text", name, class_="label named", x=START, y=y - 10) for name, y in rows.items()]
    table = [(stamp(one.at, zone), one.to_version, one.from_version or "–", words[one.action]) for one in history]
    told = f"{names[0]} is live since {stamp(drawn[0].at, zone)}, after {len(history) - 1} changes."
    return figure("What was live when", told, shapes, ("When", "Live", "Before", "How"), table, foot + 6.0)


def _stays(drawn: Sequence[Move], rows: Mapping[str, int], across: Scale, now: datetime) -> Iterator[Markup]:
    """Draw each stay as a bar, and each move as a line from the version before: dotted, or solid for a rollback."""
    until = now
    for move in drawn:
        start, end, y = across(move.at.timestamp()), across(until.timestamp()), rows[move.to_version]
        if move.from_version in rows:
            kind = "over" if move.action == ROLLED_BACK else "default"
            yield line(start, rows[move.from_version], start, y, kind)
        yield bar(start, y - 4, max(end - start, 2.0), 8)
        yield dot(start, y, 5)
        until = move.at


def _axis(first: datetime, now: datetime, across: Scale, foot: int) -> Iterator[Markup]:
    for at, label in time_ticks(first, now):
        x = across(at.timestamp())
        anchor = "start" if x < START + 20 else "end" if x > RIGHT - 20 else "middle"
        yield line(x, 4, x, foot - 16, "grid")
        yield text(x, foot, label, anchor)
