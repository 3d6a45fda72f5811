"""What every command is, and how it speaks: words for people, JSON for machines, an exit code for scripts."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Command:
    """A name, a sentence of help, the function that runs it and returns the exit code, and its arguments."""

    name: str
    help: str
    run: Callable[[Namespace], int]
    arguments: Callable[[ArgumentParser], None] = lambda _: None
    needs_settings: bool = True


def say(arguments: Namespace, words: str, **facts: Any) -> None:
    """Print a line of words, or the same facts as one JSON object where --json was given."""
    print(json.dumps(facts, default=str) if arguments.json else words, flush=True)


def table(arguments: Namespace, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows in columns, or one JSON object a line where --json was given."""
    listed = list(rows)
    if arguments.json:
        for row in listed:
            print(json.dumps(row, default=str))
        return
    if not listed:
        return
    widths = {name: max(len(name), *(len(str(row[name])) for row in listed)) for name in listed[0]}
    print("  ".join(name.ljust(width) for name, width in widths.items()).rstrip())
    for row in listed:
        print("  ".join(str(row[name]).ljust(width) for name, width in widths.items()).rstrip())


def progress(items: Iterable[T], label: str, total: int) -> Iterator[T]:
    """Yield items, showing on a terminal how many are done."""
    shown = sys.stderr.isatty()
    for done, item in enumerate(items, start=1):
        yield item
        if shown:
            print(f"\r{label} {done}/{total}", end="" if done < total else "\n", file=sys.stderr, flush=True)
