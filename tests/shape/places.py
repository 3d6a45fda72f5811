"""Where the sources lie."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def modules() -> Iterator[tuple[Path, str]]:
    """Go through the modules that ship, with their text."""
    for package in ("ml_service", "web"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT), path.read_text()


def nodes(text: str) -> Iterator[ast.AST]:
    """Go through the syntax of a module."""
    return ast.walk(ast.parse(text))
