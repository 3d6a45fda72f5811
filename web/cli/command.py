"""What every command is, and how it speaks: words for people, JSON for machines, an exit code for scripts."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from math import inf, isfinite
from threading import Event
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar, cast

if TYPE_CHECKING:  # they cost more than a command that needs neither
    from web.ports.parts import Parts
    from web.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True)
class Desk:
    """What commands work with, each made when it is first asked for.

    `listen` serves at a host and a port until it is stopped, calls what it is given once it can be reached, and sets
    the event at its end; `work` does jobs in so many threads until the event, and tells whether all have ended;
    `documented` returns the reference in Markdown.
    """

    settings: Callable[[], "Settings"]
    parts: Callable[[], "Parts"]
    listen: Callable[[str, int, Callable[[], None], Event], None]
    work: Callable[[Event, int], bool]
    documented: Callable[[], str]


class Parser(ArgumentParser):
    """Says in one line what is wrong with the words of a command."""

    def error(self, message: str) -> NoReturn:
        """Stop with exit code 2."""
        self.exit(2, f"{message}; see `{self.prog} --help`.\n")


def whole(least: int, most: float = inf) -> Callable[[str], int]:
    """Return what reads a whole number of a command within limits."""

    def read(text: str) -> int:
        value = int(text) if text.removeprefix("-").isdecimal() else None
        if value is None or not least <= value <= most:
            wanted = f"from {least} to {most:g}" if isfinite(most) else f"of at least {least}"
            raise ArgumentTypeError(f"{text} is not a whole number {wanted}")
        return value

    return read


def real(least: float) -> Callable[[str], float]:
    """Return what reads a finite number of a command that is not below a limit."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = inf
        if not (isfinite(value) and value >= least):
            raise ArgumentTypeError(f"{text} is not a number of at least {least:g}")
        return value

    return read


class Body(Protocol):
    """What the module of a command holds."""

    def arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments to its parser."""

    def run(self, arguments: Namespace, desk: Desk) -> int:
        """Do it, and return the exit code."""


@dataclass(frozen=True)
class Command:
    """A name, a sentence of help, and the module below `web.cli` that is imported once the command is asked for."""

    name: str
    help: str
    module: str
    needs_settings: bool = True

    def body(self) -> Body:
        """Import what the command does."""
        return cast(Body, import_module(f"web.cli.{self.module}"))


@dataclass(frozen=True)
class Group:
    """Commands that share their first word, and a sentence that says what they are about."""

    name: str
    help: str
    commands: "tuple[Command | Group, ...]"


def add_commands(parser: ArgumentParser, commands: Iterable[Command | Group], words: list[str]) -> None:
    """Add commands to a parser that is to read these words: only the one that they name is imported."""
    places = parser.add_subparsers(required=True, metavar="COMMAND")
    for each in commands:
        place = places.add_parser(each.name, help=each.help, description=f"{each.help.capitalize()}.")
        if isinstance(each, Group):
            add_commands(place, each.commands, words[1:] if words[:1] == [each.name] else [])
        elif words[:1] == [each.name]:
            place.add_argument("--json", action="store_true", help="print JSON for machines")
            each.body().arguments(place)
            place.set_defaults(command=each)


def every(commands: Iterable[Command | Group], above: str = "") -> Iterator[tuple[str, Command]]:
    """Go through commands with the words that ask for each, those of groups too."""
    for each in commands:
        words = f"{above} {each.name}".strip()
        if isinstance(each, Group):
            yield from every(each.commands, words)
        else:
            yield words, each


def address(settings: "Settings", port: int | None = None) -> str:
    """Return where people reach Palate: PUBLIC_URL, or where a browser on this machine finds it."""
    return settings.public_url or nearby(settings, port)


def nearby(settings: "Settings", port: int | None = None) -> str:
    """Return where a program on this machine reaches Palate, whatever stands in front of it."""
    return f"http://localhost:{settings.port if port is None else port}{settings.base}"


def say(arguments: Namespace, words: str, **facts: Any) -> None:
    """Print a line of words, or the same facts as one JSON object where --json was given."""
    print(json.dumps(facts, default=_plain) if arguments.json else words, flush=True)


def table(arguments: Namespace, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows in columns, or one JSON object a line where --json was given."""
    listed = list(rows)
    if arguments.json:
        for row in listed:
            print(json.dumps(row, default=_plain))
        return
    if not listed:
        return
    widths = {name: max(len(name), *(len(str(row[name])) for row in listed)) for name in listed[0]}
    print("  ".join(name.ljust(width) for name, width in widths.items()).rstrip())
    for row in listed:
        print("  ".join(str(row[name]).ljust(width) for name, width in widths.items()).rstrip())


def _plain(value: object) -> str:
    from web.domain.day import written  # here: `--help` has no times to tell

    return written(value) if isinstance(value, datetime) else str(value)


def progress(items: Iterable[T], label: str, total: int) -> Iterator[T]:
    """Yield items, showing on a terminal how many are done."""
    shown = sys.stderr.isatty()
    for done, item in enumerate(items, start=1):
        yield item
        if shown:
            print(f"\r{label} {done}/{total}", end="" if done < total else "\n", file=sys.stderr, flush=True)
