"""Where the ratings lie in each parameter's range, as rows of shaded boxes: what is empty was never tried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from ml_service.wire.contract import CategoryParameter, Parameter
from web.domain.reports.report import Coverage
from web.pages.drawing.bars import shown
from web.pages.drawing.svg import WIDTH, Cell, Scale, figure, short, tag, text

PIECES = 12  # that a number's range is cut into
SHADES = 5
LINE = 44  # of a row: its name above, its boxes below
GAP = 2


@dataclass(frozen=True)
class Piece:
    """One box: what values it holds, how many ratings, and their mean where there are any."""

    name: str
    ratings: int
    mean: float | None


def coverage_map(space: Mapping[str, Parameter], coverage: Mapping[str, Sequence[Coverage]]) -> Markup | None:
    """Draw how many ratings lie in each piece of each parameter's range; None where there are none."""
    rows = {name: pieces(one, coverage.get(name, ())) for name, one in space.items()}
    most = max((piece.ratings for row in rows.values() for piece in row), default=0)
    if not most:
        return None
    shapes: list[Markup] = []
    for index, (name, row) in enumerate(rows.items()):
        shapes += _row(name, row, index * LINE + 12.0, most)
    table: list[Sequence[Cell]] = [
        (name, piece.name, piece.ratings, "–" if piece.mean is None else piece.mean)
        for name, row in rows.items()
        for piece in row
    ]
    head = ("Setting", "Values", "Ratings", "Mean")
    return figure("Where ratings lie", words(rows), shapes, head, table, len(rows) * LINE + 2.0)


def pieces(parameter: Parameter, coverage: Sequence[Coverage]) -> tuple[Piece, ...]:
    """Return the pieces of a parameter's range from low to high, or its choices in their order."""
    if isinstance(parameter, CategoryParameter):
        known = {one.value: one for one in coverage}
        return tuple(_piece(choice, [known[choice]] if choice in known else []) for choice in parameter.choices)
    into = Scale(parameter.low, parameter.high, 0, PIECES, log=parameter.scale == "log")
    held: list[list[Coverage]] = [[] for _ in range(PIECES)]
    for one in coverage:
        held[min(max(int(into(float(one.value))), 0), PIECES - 1)].append(one)
    ends = [_at(into, place) for place in range(PIECES + 1)]
    names = [f"{shown(low)} to {shown(high)}" for low, high in pairwise(ends)]
    return tuple(_piece(name, some) for name, some in zip(names, held, strict=True))


def words(rows: Mapping[str, Sequence[Piece]]) -> str:
    """Say which parameters have parts of their range that nobody has rated yet."""
    bare = [(name, sum(not piece.ratings for piece in row), len(row)) for name, row in rows.items()]
    missing = sorted((one for one in bare if one[1]), key=lambda one: -one[1] / one[2])
    if not missing:
        return "Every part of every setting's range has ratings."
    told = "; ".join(f"{name}: {empty} of {of} parts" for name, empty, of in missing[:3])
    more = f"; and {len(missing) - 3} more" if len(missing) > 3 else ""
    return f"Not rated yet: {told}{more}."


def _at(into: Scale, place: float) -> float:
    share = place / PIECES
    if into.log:
        return float(into.low * (into.high / into.low) ** share)
    return into.low + share * (into.high - into.low)


def _piece(name: str, some: Sequence[Coverage]) -> Piece:
    ratings = sum(one.ratings for one in some)
    return Piece(name, ratings, sum(one.mean * one.ratings for one in some) / ratings if ratings else None)


def _row(name: str, row: Sequence[Piece], y: float, most: int) -> list[Markup]:
    wide = WIDTH / len(row)
    ends = f"{row[0].name.partition(' to ')[0]} … {row[-1].name.rpartition(' to ')[2]}"
    shapes = [text(0, y, short(name, 40 - len(ends))), text(WIDTH, y, ends, "end")]
    for index, piece in enumerate(row):
        said = tag("title", f"{name} {piece.name}: {piece.ratings} ratings")
        place = {"x": index * wide, "y": y + 6, "width": wide - GAP, "height": 18.0, "rx": 2}
        shapes.append(tag("rect", said, class_=f"heat heat-{_shade(piece.ratings, most)}", **place))
    return shapes


def _shade(ratings: int, most: int) -> int:
    """Return how dark a box is: 0 where there is nothing, and else by the square root, so that few are seen too."""
    return 0 if not ratings else max(1, round((ratings / most) ** 0.5 * SHADES))
