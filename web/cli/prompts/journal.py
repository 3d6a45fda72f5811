"""`palate.jsonl`: what was made of which photo with which version, a line of JSON each."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import TypeAdapter, ValidationError

from ml_service.errors import Conflict
from ml_service.objects.local import Folder
from ml_service.wire.contract import Point

Outcome = Literal["enhanced", "refused", "failed"]
FILE = "palate.jsonl"


@dataclass(frozen=True)
class Entry:
    """What became of one photo: enhanced; refused, because of the photo; failed, because of the version."""

    at: str
    input: str
    input_sha256: str
    prompt_key: str
    version: str
    sha256: str
    outcome: Outcome
    output: str = ""
    output_sha256: str = ""
    parameters: Point | None = None
    seed: int | None = None
    error: str = ""

    def facts(self) -> dict[str, Any]:
        """Return what is known."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}


_ENTRY = TypeAdapter(Entry)


class Journal:
    """The log beside the results; who opens it is the only one to write into its folder until it is closed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.results = Folder(folder)
        self.last: dict[str, Entry] = {}
        self.owners: dict[str, str] = {}
        self._handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._handle)
            raise Conflict(f"Another `enhance --watch` writes to {folder}; stop it, or name another folder.") from error
        self._recall(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)

    def is_due(self, name: str, sha256: str, version: str, again: bool) -> bool:
        """Tell whether a photo is new or changed, failed with another version, or is to be done again with this one."""
        last = self.last.get(name)
        if last is None or last.input_sha256 != sha256:
            return True
        return last.sha256 != version and (last.outcome == "failed" or (again and last.outcome == "enhanced"))

    def refuse_taken(self, name: str, output: str) -> None:
        """Refuse a result's name that another photo's result has."""
        if self.owners.get(output, name) != name:
            raise Conflict(f"{output} is already the result of {self.owners[output]}; rename one of the two.")

    def put(self, output: str, body: bytes) -> None:
        """Put a result in place whole."""
        self.results.replace(output, body, self.results.tag(output))

    def note(self, entry: Entry) -> None:
        """Write an entry down for good."""
        os.write(self._handle, f"{json.dumps(entry.facts())}\n".encode())
        os.fsync(self._handle)
        self._remember(entry)

    def _remember(self, entry: Entry) -> None:
        self.last[entry.input] = entry
        if entry.output:
            self.owners[entry.output] = entry.input

    def _recall(self, folder: Path) -> None:
        """Read what a former watcher wrote, and clear away what it was about to write when it was killed."""
        body = (folder / FILE).read_bytes()
        for line in body.splitlines():
            try:
                self._remember(_ENTRY.validate_json(line))
            except ValidationError:  # cut off by a crash, or of a later form
                continue
        if body and not body.endswith(b"\n"):
            os.write(self._handle, b"\n")
        for draft in folder.glob(".new-*"):
            draft.unlink(missing_ok=True)
