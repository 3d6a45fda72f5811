"""What the pages of prompts show: texts with their variables marked, and parameters as lines with pictures."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from markupsafe import Markup

from ml_service.wire.contract import Interval, Parameter, Point, Value
from web.domain.prompts.diff import Piece, PieceKind
from web.domain.prompts.prompt import PromptVersion
from web.pages.drawing.bars import bar, change, shown
from web.pages.drawing.svg import tag
from web.ports.parts import Parts

_BLANK = re.compile(r"(\{\{\s*[\w.-]+\s*\}\})")
# What keeps a version back, in a word or two: the gates, edits that do not fit, and a test that is full.
GATES = {
    "schema": "form",
    "placeholders": "variables",
    "length": "length",
    "no_op": "nothing new",
    "near_duplicate": "nothing new",
    "copying": "copied words",
    "safety": "safety",
    "render": "filling in",
    "drift": "locked",
    "edits": "edits that do not fit",
    "room": "no room",
}


@dataclass(frozen=True)
class ParameterLine:
    """One parameter of a version; `own` tells whether the version sets it to something else than the default."""

    generator: str
    name: str
    unit: str
    value: str
    default: str
    own: bool
    picture: Markup


@dataclass(frozen=True)
class ChangeLine:
    """One parameter before and after."""

    generator: str
    name: str
    unit: str
    old: str
    new: str
    changed: bool
    picture: Markup


def parameters(parts: Parts, version: PromptVersion) -> list[ParameterLine]:
    """Return every parameter of a version's generators as the version sets it, those it moves first."""
    lines = [
        _line(generator, name, parameter, _effective(version, generator, name, parameter))
        for generator in _generators(version)
        for name, parameter in _space(parts, generator).items()
    ]
    return sorted(lines, key=lambda line: not line.own)


def changes(parts: Parts, old: PromptVersion, new: PromptVersion) -> list[ChangeLine]:
    """Return every parameter of two versions' generators, those that move first."""
    lines = [
        _change(
            generator,
            name,
            parameter,
            _effective(old, generator, name, parameter),
            _effective(new, generator, name, parameter),
        )
        for generator in dict.fromkeys([*_generators(new), *_generators(old)])
        for name, parameter in _space(parts, generator).items()
    ]
    return sorted(lines, key=lambda line: not line.changed)


def moves(parts: Parts, generator: str, before: Point, after: Point) -> list[ChangeLine]:
    """Return every parameter of a generator before and after, those that move first."""
    space = _space(parts, generator)
    lines = [_change(generator, name, one, before[name], after[name]) for name, one in space.items()]
    return sorted(lines, key=lambda line: not line.changed)


def marked(text: str, variables: Collection[str]) -> Markup:
    """Return a prompt's text with its variables set apart, and those that nothing fills set apart as wrong."""
    return Markup().join(
        _variable(part, part[2:-2].strip() in variables) if number % 2 else Markup("{}").format(part)
        for number, part in enumerate(_BLANK.split(text))
    )


def side(pieces: Iterable[Piece], other: PieceKind) -> Markup:
    """Return one side of a comparison: what is not on the other one stands out by a word, a line and a colour."""
    return Markup().join(_piece(piece) for piece in pieces if piece.kind != other)


def merged(pieces: Iterable[Piece]) -> Markup:
    """Return both sides of a comparison in one: what went, and what came in its place."""
    return Markup().join(_piece(piece) for piece in pieces)


def verdict(gain: Interval | None, ratings: int) -> tuple[str, str]:
    """Say what an expected gain means, after a class for how to show it."""
    if gain is None:
        return "warn", (
            "How much better these settings are than the live ones cannot be told: the study did not try settings "
            "like the live ones. Compare the pictures before you publish."
        )
    if gain.low > 0:
        return "good", f"Raters are expected to like them better. This rests on {_ratings(ratings)}."
    if gain.mean > 0:
        return "warn", (
            f"This may be no gain at all: after {_ratings(ratings)} the interval reaches below zero. "
            "More ratings would tell."
        )
    return "bad", f"No gain is expected: after {_ratings(ratings)} the live settings look at least as good."


def _ratings(count: int) -> str:
    return f"{count} rating{'' if count == 1 else 's'}"


def _generators(version: PromptVersion) -> list[str]:
    return list(dict.fromkeys([*version.components, *version.parameter_defaults]))


def _space(parts: Parts, generator: str) -> dict[str, Parameter]:
    known = parts.generators.get(generator)
    return dict(known.space().parameters) if known else {}


def _effective(version: PromptVersion, generator: str, name: str, parameter: Parameter) -> Value:
    return version.parameter_defaults.get(generator, {}).get(name, parameter.default)


def _line(generator: str, name: str, parameter: Parameter, value: Value) -> ParameterLine:
    own, picture = value != parameter.default, bar(name, parameter, value)
    return ParameterLine(generator, name, parameter.unit, shown(value), shown(parameter.default), own, picture)


def _change(generator: str, name: str, parameter: Parameter, old: Value, new: Value) -> ChangeLine:
    picture = change(name, parameter, old, new)
    return ChangeLine(generator, name, parameter.unit, shown(old), shown(new), old != new, picture)


def _variable(text: str, known: bool) -> Markup:
    return tag("mark", text, class_="variable" if known else "variable unknown")


def _piece(piece: Piece) -> Markup:
    if piece.kind == "same":
        return Markup("{}").format(piece.text)
    word = tag("span", f"[{piece.kind}: ", class_="visually-hidden")
    return tag("ins" if piece.kind == "added" else "del", word, piece.text, tag("span", "]", class_="visually-hidden"))
