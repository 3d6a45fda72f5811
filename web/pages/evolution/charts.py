"""The family tree of a prompt's versions and how often raters complain, drawn."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from web.pages.drawing.rows import ShareRow, interval_figure
from web.pages.drawing.svg import RIGHT, Scale, dot, figure, line, number, path, short, tag, text
from web.services.evolution.evolving import Complaints, Node

STEP, LANE, START = 34, 16, 10
MOST = 24  # versions that are drawn
LANES = 5


def tree(nodes: Sequence[Node]) -> Markup:
    """Draw versions below each other, the newest at the top, with lines to those that they were made from."""
    drawn = nodes[:MOST]
    lanes = _lanes(drawn)
    places = {
        node.version.id: (START + lanes[node.version.id] * LANE, at * STEP + 14.0) for at, node in enumerate(drawn)
    }
    edges = [
        _edge(places[node.version.id], places[parent])
        for node in drawn
        for parent in node.version.parents
        if parent in places
    ]
    left = START + (max(lanes.values(), default=0) + 1) * LANE
    rows = [shape for node in drawn for shape in _row(node, places[node.version.id], left)]
    names = {node.version.id: node.version.label for node in nodes}
    table = [
        (
            node.version.label,
            ", ".join(names.get(parent, "?") for parent in node.version.parents) or "–",
            number(node.mean) if node.mean is not None else "–",
            node.ratings,
            ", ".join(node.marks),
        )
        for node in nodes
    ]
    live = next((node.version.label for node in nodes if "live" in node.marks), "none")
    return figure(
        "Versions and what they were made from",
        f"{len(nodes)} versions; live is {live}.",
        [*edges, *rows],
        ("Version", "Made from", "Mean", "Ratings", "State"),
        table,
        max(len(drawn) * STEP, STEP) + 4.0,
    )


def complaints(title: str, found: Complaints, tags: Mapping[str, str]) -> Markup:
    """Draw which share of ratings made each complaint, in percent, with its 95 % interval."""
    rows = [ShareRow.of(tags.get(name, name), share) for name, share in found.tags.items()]
    most = max((row.interval.high for row in rows), default=10.0)
    words = "; ".join(f"{row.name}: {row.interval.mean:.0f} %" for row in rows[:3])
    return interval_figure(title, words, ("Complaint",), rows, Scale(0, min(100.0, max(most, 10.0)), 8, RIGHT))


def _lanes(nodes: Sequence[Node]) -> dict[str, int]:
    """Give each version a lane: its first parent's where no older sibling has that, else the next one."""
    lanes: dict[str, int] = {}
    heirs: set[str] = set()
    for node in reversed(nodes):
        parent = next((one for one in node.version.parents if one in lanes), None)
        if parent is None:
            lanes[node.version.id] = 0
        elif parent in heirs:
            siblings = max(lanes.values()) + 1
            lanes[node.version.id] = min(siblings, LANES - 1)
        else:
            heirs.add(parent)
            lanes[node.version.id] = lanes[parent]
    return lanes


def _edge(child: tuple[float, float], parent: tuple[float, float]) -> Markup:
    (x, y), (to_x, to_y) = child, parent
    if x == to_x:
        return line(x, y, to_x, to_y, "axis")
    return path([(x, y), (x, to_y - STEP / 2), (to_x, to_y)], "default")


def _row(node: Node, place: tuple[float, float], left: float) -> list[Markup]:
    x, y = place
    mean = f"{node.mean:.2f} ★" if node.mean is not None else ""
    mark = " · ".join(mark for mark in node.marks if mark != "released")
    name = tag("text", node.version.label, class_="label named", x=left, y=y + 1.0)
    shape = dot(x, y, 6) if "live" in node.marks else tag("circle", class_="ring", cx=x, cy=y, r=4.5)
    shapes = [shape, name, text(RIGHT, y + 1, mean, "end")]
    return [*shapes, text(left, y + 14, short(mark, 40))] if mark else shapes
