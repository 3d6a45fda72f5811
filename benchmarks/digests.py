"""Which code a kept result is of."""

import ast
import hashlib
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from benchmarks.raters import Raters

OPTIMIZER = tuple(
    f"ml_service/optimizer/{name}.py"
    for name in ("additive", "likelihood", "rating_gp", "acquisition", "space", "known", "suggest", "diagnosis")
)


def digest(paths: Iterable[str]) -> str:
    """Return a digest of what some files do: where they lie and whom they import leaves it as it is."""
    return hashlib.sha256("".join(without_imports(Path(path).read_text()) for path in paths).encode()).hexdigest()[:12]


def of_raters(raters: Raters) -> str:
    """Return a digest of what sets these raters apart: fields at their default count for nothing."""
    own = {field.name: getattr(raters, field.name) for field in fields(raters)}
    said = {field.name: own[field.name] for field in fields(raters) if own[field.name] != field.default}
    return hashlib.sha256(repr(said).encode()).hexdigest()[:12]


def without_imports(text: str) -> str:
    """Return the lines of a module that are neither blank nor part of an import."""
    imports = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom))
    gone = {line for node in imports for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    lines = enumerate(text.splitlines(), start=1)
    return "".join(f"{line}\n" for number, line in lines if line.strip() and number not in gone)
