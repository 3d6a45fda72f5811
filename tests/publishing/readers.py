"""Readers of what is published, who never stop asking, keep what they were told, and find out what they should have."""

import hashlib
import json
import threading
import time
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import httpx
import jsonschema_rs

from tests.publishing.press import SHIPPED
from web.domain.prompts.prompt import DEFAULT_KEY, content_hash

SCHEMA = jsonschema_rs.Draft202012Validator(json.loads((SHIPPED / "schema.json").read_bytes()))
PAUSE = 0.001


@dataclass(frozen=True)
class Read:
    """One read of what is live: when it began and ended, and which version it told of."""

    began: float
    ended: float
    name: str


class Reader(threading.Thread):
    """Reads what is live over and over, and looks at all that is new to it."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.reads: list[Read] = []
        self.faults: list[str] = []
        self.over = threading.Event()
        self.known: dict[bytes, str] = {}

    def run(self) -> None:
        """Read until it is over."""
        while not self.over.wait(PAUSE) and not self.faults:
            began = time.time()
            try:
                body = self.read()
            except (OSError, httpx.HTTPError) as error:
                self.faults.append(f"A read failed: {error!r}")
                return
            ended = time.time()
            if body not in self.known:
                self.known[body] = self._look(body)
            self.reads.append(Read(began, ended, self.known[body]))

    def stop(self) -> None:
        """Make an end of it."""
        self.over.set()
        self.join()

    def read(self) -> bytes:
        """Return what is live."""
        raise NotImplementedError

    def pinned(self, name: str) -> bytes:
        """Return a version by its name."""
        raise NotImplementedError

    def _look(self, body: bytes) -> str:
        """Return the version that was read, and keep what is wrong with its bytes."""
        try:
            document = json.loads(body)
        except ValueError:
            self.faults.append(f"This is torn: {body[:200]!r}")
            return ""
        name = str(document.get("version"))
        self.faults += [f"{name}: {error.message}" for error in SCHEMA.iter_errors(document)]
        if content_hash(document) != document.get("sha256") or document.get("prompt_key") != DEFAULT_KEY:
            self.faults.append(f"{name} is not what its hash and its key say.")
        if self.pinned(name) != body:
            self.faults.append(f"{name} at its own address is another one than the live one.")
        return name


class FileReader(Reader):
    """Reads the file, as a program beside Palate does."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.versions = folder / "versions"

    def read(self) -> bytes:
        """Return the bytes of the live file."""
        return (self.versions / "current.json").read_bytes()

    def pinned(self, name: str) -> bytes:
        """Return the bytes of a version's file."""
        return (self.versions / f"{name}.json").read_bytes()


class HttpReader(Reader):
    """Asks a server, as production does: with the tag of what it has."""

    def __init__(self, url: str, key: str) -> None:
        super().__init__()
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        self.tag, self.body, self.unchanged = "", b"", 0

    def stop(self) -> None:
        """Make an end of it, and hang up."""
        super().stop()
        self.http.close()

    def read(self) -> bytes:
        """Return the bytes of the live version, which are those at hand where nothing has changed."""
        answer = self.http.get("/prompts/current.json", headers={"If-None-Match": self.tag} if self.tag else {})
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            self.unchanged += 1
            return self.body
        self.body, self.tag = answer.raise_for_status().content, answer.headers["ETag"]
        if self.tag != f'"{hashlib.sha256(self.body).hexdigest()}"':
            self.faults.append(f"{self.tag} is not the tag of these bytes: {self.body[:200]!r}")
        return self.body

    def pinned(self, name: str) -> bytes:
        """Return the bytes of a version at its own address."""
        return self.http.get(f"/prompts/versions/{name}.json").raise_for_status().content


@dataclass(frozen=True)
class Acknowledged:
    """One promotion that a writer was told of: when, the revision, and which version became live."""

    at: float
    revision: int
    name: str


def stale(reads: list[Read], moves: list[tuple[float, str]], told: list[Acknowledged]) -> list[str]:
    """Say which reads were older than the last promotion acknowledged before they began, or told what never was.

    `moves` are, by revision, the moments from which a version could be live, and its name.
    """
    told = sorted(told, key=lambda one: one.at)
    times, latest = [one.at for one in told], list(accumulate((one.revision for one in told), max, initial=0))
    begun, names = [at for at, _ in moves], [name for _, name in moves]
    wrong = []
    for read in reads:
        least, most = latest[bisect_left(times, read.began)], bisect_right(begun, read.ended)
        if read.name not in names[least:most]:
            wrong.append(f"{read.name} was read at {read.began}, when {names[least]} (revision {least}) was live")
    return wrong
