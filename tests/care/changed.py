"""Ways to change an archive after it was made."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

Change = Callable[[dict[str, bytes]], None]


def rewritten(file: Path, change: Change) -> Path:
    with zipfile.ZipFile(file) as old:
        members = {name: old.read(name) for name in old.namelist()}
    change(members)
    with zipfile.ZipFile(file, "w") as new:
        for name, body in members.items():
            new.writestr(name, body)
    return file


def manifest(**new: object) -> Change:
    def change(members: dict[str, bytes]) -> None:
        members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | new).encode()

    return change


def line(table: str, **new: object) -> Change:
    """Change fields of a table's first line."""

    def change(members: dict[str, bytes]) -> None:
        first, rest = members[f"rows/{table}.jsonl"].split(b"\n", 1)
        members[f"rows/{table}.jsonl"] = json.dumps(json.loads(first) | new).encode() + b"\n" + rest

    return change


def emptied(table: str) -> Change:
    """Take all lines of a table away, and say so in the manifest."""

    def change(members: dict[str, bytes]) -> None:
        members[f"rows/{table}.jsonl"] = b""
        made = json.loads(members["manifest.json"])
        made["rows"][table] = 0
        members["manifest.json"] = json.dumps(made).encode()

    return change


def without(name: str) -> Change:
    def change(members: dict[str, bytes]) -> None:
        del members[next(member for member in members if member.startswith(name))]

    return change


def added(name: str) -> Change:
    return lambda members: members.update({name: b"x"})


def spoilt(members: dict[str, bytes]) -> None:
    outputs = [name for name in members if name.startswith("objects/outputs/")]
    members[outputs[0]] = members[outputs[0]] + b"x"


def shortened(members: dict[str, bytes]) -> None:
    lines = members["rows/enhancement_ratings.jsonl"].splitlines(keepends=True)
    members["rows/enhancement_ratings.jsonl"] = b"".join(lines[:-1])
