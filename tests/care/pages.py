"""The commands that the README and the pages show, in their order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.shape.places import ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


@dataclass(frozen=True)
class Block:
    """Commands that follow each other on a page."""

    name: str
    lines: tuple[str, ...]


def blocks() -> Iterator[Block]:
    """Go through the blocks of commands, without their comments."""
    for page in PAGES:
        for number, text in enumerate(re.findall(r"```(?:bash|sh)\n(.*?)```", page.read_text(), re.DOTALL), 1):
            lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
            yield Block(f"{page.stem} {number}", tuple(line for line in lines if line))


def benchmarks() -> Iterator[str]:
    """Go through the benchmarks that are shown as commands, by name."""
    for line in (line for block in blocks() for line in block.lines):
        if found := re.fullmatch(r"make bench NAME=(\w+) ARGS=--quick", line):
            yield found[1]
