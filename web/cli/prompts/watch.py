"""`enhance IN OUT --watch`: enhance each photo that comes, with the version that is live at that moment."""

import hashlib
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from client.palate_client import PalateClient, PalateError, Version
from ml_service.errors import ServiceError
from web.adapters.images.cleaner import BYTE_LIMIT
from web.cli.batch import PASSING
from web.cli.prompts.journal import Entry, Journal
from web.domain.day import written
from web.ports.making import GenerateRequest, ImageCleaner, Maker

IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".avif")
JPEGS = (".jpg", ".jpeg")
Mark = tuple[int, int, int]
Say = Callable[[str, dict[str, Any]], None]


@dataclass
class Watcher:
    """Looks after one folder of photos; `again` makes it do all of them again whenever the version changes."""

    client: PalateClient
    cleaner: ImageCleaner
    generator: Maker
    source: Path
    journal: Journal
    say: Say
    again: bool = False
    enhanced: int = 0
    marks: dict[Path, Mark] = field(default_factory=dict)
    hashes: dict[Path, tuple[Mark, str]] = field(default_factory=dict)
    complaint: str = ""

    def run(self, stop: threading.Event, seconds: float) -> None:
        """Watch until told to stop; a photo in hand is finished first."""
        while not stop.is_set():
            for path in self._settled():
                if stop.is_set():
                    return
                with suppress(FileNotFoundError):  # it was taken away meanwhile
                    self._attend(path, stop)
            stop.wait(seconds)

    def _settled(self) -> list[Path]:
        """Return the photos that are as they were at the last look, oldest first; others may still be being written."""
        seen = self._look()
        settled = [path for path, mark in seen.items() if self.marks.get(path) == mark]
        self.marks = seen
        self.hashes = {path: known for path, known in self.hashes.items() if path in seen}
        return sorted(settled, key=lambda path: (seen[path], path))

    def _look(self) -> dict[Path, Mark]:
        try:
            return {path: mark for path in photos(self.source) if (mark := _mark(path)) is not None}
        except OSError as error:
            self._complain(f"{self.source} cannot be read: {error.strerror}.")
            return {}

    def _attend(self, path: Path, stop: threading.Event) -> None:
        mark, version = self.marks[path], self._version()
        if version is None or not self._may_be_due(path, mark, version):
            return
        try:
            with path.open("rb") as file:
                body = file.read(BYTE_LIMIT + 1)
        except PermissionError as error:
            self._complain(f"{path} cannot be read: {error.strerror}.")
            return
        if _mark(path) != mark:
            return
        sha256 = hashlib.sha256(body).hexdigest()
        self.hashes[path] = mark, sha256
        if self.journal.is_due(path.name, sha256, version.sha256, self.again):
            try:
                entry = self._enhance(path.name, body, sha256, version)
            except PASSING as error:
                self._complain(f"{path.name} waits: {error}")
                return
            if entry.outcome == "enhanced" or not stop.is_set():  # Ctrl+C ends the image worker too
                self._note(entry)

    def _may_be_due(self, path: Path, mark: Mark, version: Version) -> bool:
        known, sha256 = self.hashes.get(path, (None, ""))
        return known != mark or self.journal.is_due(path.name, sha256, version.sha256, self.again)

    def _enhance(self, name: str, body: bytes, sha256: str, version: Version) -> Entry:
        entry = Entry(_now(), name, sha256, version.prompt_key, version.name, version.sha256, "enhanced")
        output = output_name(name)
        try:
            self.journal.refuse_taken(name, output)
            image = self.cleaner.clean(body)
        except PASSING:
            raise
        except ServiceError as error:
            return replace(entry, outcome="refused", error=str(error))
        point = self.generator.space().default() | version.parameters(self.generator.name)
        seed = int(sha256[:8], 16)
        try:
            prompt = version.prompt(self.generator.name)
            made = self.generator.generate(GenerateRequest(image.body, image.media_type, prompt, point, seed)).body
        except PASSING:
            raise
        except (ServiceError, PalateError) as error:
            failure = error.slug() if isinstance(error, ServiceError) else "no-prompt"
            self.client.report(version, failure=failure, comment=str(error))
            return replace(entry, outcome="failed", parameters=point, error=str(error))
        self.journal.put(output, made)
        digest = hashlib.sha256(made).hexdigest()
        return replace(entry, output=output, output_sha256=digest, parameters=point, seed=seed)

    def _note(self, entry: Entry) -> None:
        self.journal.note(entry)
        self.enhanced += entry.outcome == "enhanced"
        became = f"became {entry.output}" if entry.output else f"{entry.outcome}: {entry.error}"
        self.say(f"{entry.version}: {entry.input} {became}", entry.facts())

    def _version(self) -> Version | None:
        try:
            return self.client.version
        except PalateError as error:
            self._complain(str(error))
            return None

    def _complain(self, words: str) -> None:
        if words != self.complaint:
            self.say(words, {"at": _now(), "error": words})
        self.complaint = words


def photos(folder: Path) -> list[Path]:
    """Return the photos of a folder by name; hidden files are none."""
    found = (path for path in folder.iterdir() if not path.name.startswith("."))
    return sorted(path for path in found if path.suffix.lower() in IMAGES)


def output_name(name: str) -> str:
    """Return what a photo's result is called, which is always a JPEG: two photos never have the same."""
    return name if Path(name).suffix.lower() in JPEGS else f"{name}.jpg"


def _mark(path: Path) -> Mark | None:
    """Return what changes when a file does; None where it is no file of this folder's own."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def _now() -> str:
    return written(datetime.now(UTC))
