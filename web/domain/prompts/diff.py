"""What differs between two versions of a prompt: their texts word by word, their variables, their parameters."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from ml_service.wire.contract import Point, Value
from web.domain.prompts.prompt import PromptVersion, Variable

PieceKind = Literal["same", "removed", "added"]
_WORDS = re.compile(r"(?:\{\{[^{}\n]*\}\}|\{%[^{}\n]*%\}|\w+|[^\w\s])\s*|\s+")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
MOST_WORDS = 2_000  # comparing takes the square of it; longer texts are compared line by line


@dataclass(frozen=True)
class Piece:
    """A stretch of text that both versions have, or one of them."""

    kind: PieceKind
    text: str


@dataclass(frozen=True)
class TextChange:
    """One component in both versions; None where a version does not have it."""

    generator: str
    slot: str
    old: str | None
    new: str | None
    pieces: tuple[Piece, ...]

    @property
    def is_changed(self) -> bool:
        """Tell whether the versions differ here."""
        return self.old != self.new


@dataclass(frozen=True)
class ParameterChange:
    """One parameter in both versions; None where a version leaves it at the generator's default."""

    generator: str
    name: str
    old: Value | None
    new: Value | None

    @property
    def is_changed(self) -> bool:
        """Tell whether the versions differ here."""
        return self.old != self.new


@dataclass(frozen=True)
class VariableChange:
    """One variable in both versions; None where a version does not have it."""

    name: str
    old: Variable | None
    new: Variable | None

    @property
    def is_changed(self) -> bool:
        """Tell whether the versions differ here."""
        return self.old != self.new


@dataclass(frozen=True)
class Comparison:
    """Everything of two versions side by side, what is equal too."""

    texts: tuple[TextChange, ...]
    variables: tuple[VariableChange, ...]
    parameters: tuple[ParameterChange, ...]


def compare(old: PromptVersion, new: PromptVersion) -> Comparison:
    """Set two versions side by side."""
    return Comparison(
        texts=tuple(_texts(old.components, new.components)),
        variables=tuple(
            VariableChange(name, old.variables.get(name), new.variables.get(name))
            for name in _either(old.variables, new.variables)
        ),
        parameters=tuple(_parameters(old.parameter_defaults, new.parameter_defaults)),
    )


def differing(old: PromptVersion, new: PromptVersion, generators: Sequence[str]) -> Sequence[str]:
    """Return those of some generators whose own texts or parameters differ; all where only what they share does."""

    def own(version: PromptVersion, generator: str) -> tuple[Mapping[str, str], Point]:
        return version.components.get(generator, {}), version.parameter_defaults.get(generator, {})

    return [name for name in generators if own(old, name) != own(new, name)] or generators


def pieces(old: str, new: str) -> tuple[Piece, ...]:
    """Return the stretches that two texts share, and between them what was removed and what was added."""
    left, right = _tokens(old), _tokens(new)
    if max(len(left), len(right)) > MOST_WORDS:
        left, right = _LINES.findall(old), _LINES.findall(new)
    return tuple(_merged(left, right))


def _texts(old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]) -> Iterator[TextChange]:
    for generator in _either(old, new):
        before, after = old.get(generator, {}), new.get(generator, {})
        for slot in _either(before, after):
            was, now = before.get(slot), after.get(slot)
            yield TextChange(generator, slot, was, now, pieces(was or "", now or ""))


def _parameters(old: Mapping[str, Point], new: Mapping[str, Point]) -> Iterator[ParameterChange]:
    for generator in _either(old, new):
        before, after = old.get(generator, {}), new.get(generator, {})
        for name in _either(before, after):
            yield ParameterChange(generator, name, before.get(name), after.get(name))


def _either(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Return the names of both, the new ones' order first."""
    return list(dict.fromkeys([*new, *old]))


def _tokens(text: str) -> list[str]:
    return _WORDS.findall(text)


def _merged(left: Sequence[str], right: Sequence[str]) -> Iterator[Piece]:
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    for kind, start, end, begin, stop in matcher.get_opcodes():
        if kind == "equal":
            yield Piece("same", "".join(left[start:end]))
            continue
        if end > start:
            yield Piece("removed", "".join(left[start:end]))
        if stop > begin:
            yield Piece("added", "".join(right[begin:stop]))
