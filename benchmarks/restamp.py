"""Stamp kept results anew where their code differs in imports alone: `python -m benchmarks.restamp COMMIT`.

COMMIT is the one whose code the results are of, stamped by the bytes of its files. A file counts as the same only where
its syntax tree without imports equals today's.
"""

import ast
import hashlib
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.digests import digest
from benchmarks.games import THE_GAME
from benchmarks.kept import PLAYED
from benchmarks.runs import THE_PEERS, THE_WORLD

MOVED = {"images/colour": "colour", "images/faults": "faults", "demo/raters": "raters"}


def main(commit: str) -> None:
    """Prove that the code of kept results is today's, and stamp them by today's digest."""
    for name, paths in {"restoration": THE_GAME, "sessions": (*THE_WORLD, *THE_PEERS)}.items():
        before = [_shown(commit, path) for path in paths]
        for path, old in zip(paths, before, strict=True):
            if _bare(old) != _bare(Path(path).read_bytes()):
                sys.exit(f"{path} does something else than at {commit}.")
        _stamp(PLAYED / f"{name}.jsonl", hashlib.sha256(b"".join(before)).hexdigest()[:12], digest(paths))


def _shown(commit: str, path: str) -> bytes:
    old = re.sub("|".join(MOVED), lambda found: MOVED[found[0]], path)
    return subprocess.run(["git", "show", f"{commit}:{old}"], capture_output=True, check=True).stdout


def _bare(source: bytes) -> str:
    class Without(ast.NodeTransformer):
        def visit_Import(self, node: ast.Import) -> None:
            """Leave an import out."""

        def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
            """Leave an import out."""

    return ast.dump(Without().visit(ast.parse(source)))


def _stamp(file: Path, old: str, new: str) -> None:
    lines: Sequence[str] = file.read_text().splitlines()
    changed = [line.replace(f'"code": "{old}', f'"code": "{new}', 1) for line in lines]
    file.write_text("".join(f"{line}\n" for line in changed))
    print(f"{file}: {sum(a != b for a, b in zip(lines, changed, strict=True))} of {len(lines)} from {old} to {new}")


if __name__ == "__main__":
    main(sys.argv[1])
