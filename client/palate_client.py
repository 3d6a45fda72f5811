"""Read the live version of a prompt from Palate and report how it does: one file, on the standard library alone.

    client = PalateClient("https://palate.example.org", os.environ["PALATE_KEY"], cache="/var/lib/app/palate")
    version = client.version
    text = version.prompt("local", subject="a kitchen")["prompt"]
    client.report(version, score=4)
    ratings = client.load("ratings")  # of a key with the scope exports:read; needs pandas and pyarrow

Once a version was had, `client.version` neither raises nor waits beyond `timeout`: whatever network, server or disk do,
the last good version stays. Only what is whole replaces it: SHA-256, schema, prompt key and types are verified.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import hashlib
import http.client
import json
import logging
import os
import random
import re
import shutil
import socket
import ssl
import sys
import tempfile
import threading
import time
import uuid
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.message import Message
from pathlib import Path
from typing import IO, Any, Union
from urllib import request
from urllib.parse import quote, urlencode, urlsplit

DEFAULT_KEY, CURRENT, PROBLEM = "photo-enhance", "current", "application/problem+json"
SCHEMA_VERSION, BYTE_LIMIT, QUEUE_LIMIT = 1, 1 << 20, 1000
PINNED_SECONDS, LONGEST_WAIT = 3600.0, 60.0
TABLE_PATIENCE = 300.0  # seconds until more of a table must have come
FINAL = (400, 404, 409, 410, 413, 422)
NAME = re.compile(r"v([0-9]{1,6})\.[0-9]{1,6}\.[0-9]{1,6}")
FAULTS = (OSError, ValueError, RuntimeError, http.client.HTTPException)
REFUSED = {401: "the key is missing, unknown or revoked", 403: "the key lacks the scope that this needs"}
Value = Union[float, int, str]
Renderer = Callable[[str, Mapping[str, str]], str]
log = logging.getLogger("palate.client")
chance = random.Random()  # so that a program that seeds its own random numbers gets those it would have had
codecs.lookup("idna")  # read now: where a thread is just reading it, a forked child would never find a host again
clients: weakref.WeakSet[PalateClient] = weakref.WeakSet()  # all that a forked child has to begin anew


class PalateError(Exception):
    """There is no version to go on with, or what was asked of one is not in it."""


class Withdrawn(PalateError):
    """The pinned version is unknown to Palate, or was taken down."""


@dataclass(frozen=True)
class Version:
    """A verified version of a prompt; `body` holds its bytes as they were published."""

    prompt_key: str
    name: str
    sha256: str
    components: Mapping[str, Mapping[str, str]]
    variables: Mapping[str, str]
    parameter_defaults: Mapping[str, Mapping[str, Value]]
    body: bytes = field(repr=False)

    def prompt(self, generator: str, /, render: Renderer | None = None, **variables: object) -> dict[str, str]:
        """Return a generator's slots with each `{{variable}}` as given, else at its default.

        Texts that hold more than such blanks are Jinja2 templates: `render`, given text and values, fills those.
        """
        if generator not in self.components or set(variables) - set(self.variables):
            has = f"prompts for {', '.join(self.components)} with the variables {', '.join(self.variables)}"
            raise PalateError(f"{self.name} has {has}; asked was {generator} with {', '.join(variables)}.")
        values = {name: str(value) for name, value in {**self.variables, **variables}.items()}
        return {slot: self._filled(text, values, render) for slot, text in self.components[generator].items()}

    def _filled(self, text: str, values: dict[str, str], render: Renderer | None) -> str:
        blanks = re.compile(r"\{\{\s*(" + ("|".join(map(re.escape, values)) or "(?!)") + r")\s*\}\}")
        if not re.search(r"\{\{|\{%|\{#", blanks.sub(" ", text)):
            return blanks.sub(lambda at: values[at[1]], text)
        if render is None:
            raise PalateError(f"{self.name} is a template of more than {{{{name}}}}; pass render=, such as Jinja2's.")
        return render(text, values)

    def parameters(self, generator: str) -> dict[str, Value]:
        """Return the parameters that this version sets; a generator's others are at its own defaults."""
        return dict(self.parameter_defaults.get(generator, {}))


def read_version(body: bytes, prompt_key: str = DEFAULT_KEY, name: str = CURRENT, major: int | None = None) -> Version:
    """Verify published bytes; a ValueError says why they are not the version that was asked for."""
    document = json.loads(body.decode()) if len(body) <= BYTE_LIMIT else None
    if not isinstance(document, dict):
        raise ValueError(f"it is no JSON object of at most {BYTE_LIMIT} bytes")
    if type(document.get("schema_version")) is not int or document["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"its schema_version is not {SCHEMA_VERSION}, which this client reads; copy a newer client")
    digest, found = document.pop("sha256", None), NAME.fullmatch(str(document.get("version")))
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if digest != hashlib.sha256(canonical.encode()).hexdigest():
        raise ValueError("it does not match its sha256: it is torn, or was changed")
    if document.get("prompt_key") != prompt_key or not found or name not in (CURRENT, found[0]):
        raise ValueError("it is another version than was asked for")
    if major is not None and int(found[1]) != major:
        raise ValueError(f"{found[0]} is not of major {major}, which this program was made for")
    variables = {name: {"default": row.get("default", "")} for name, row in _table(document, "variables").items()}
    defaults = {name: row["default"] for name, row in _table({"variables": variables}, "variables", str).items()}
    components, points = _table(document, "components", str), _table(document, "parameter_defaults", int, float, str)
    return Version(prompt_key, found[0], digest, components, defaults, points, body)


def _table(document: Mapping[str, Any], name: str, *kinds: type) -> dict[str, dict[str, Any]]:
    table = document.get(name)
    if not isinstance(table, dict) or not all(isinstance(row, dict) for row in table.values()):
        raise ValueError(f"its {name} are no object of objects")
    if kinds and any(type(value) not in kinds for row in table.values() for value in row.values()):
        raise ValueError(f"its {name} hold a value of a wrong type")
    return table


class _Folder:
    """Versions in a folder laid out like PROMPTS_DIR; the cache is one too."""

    def __init__(self, root: Path, prompt_key: str) -> None:
        self.folder = root / "versions" / ("" if prompt_key == DEFAULT_KEY else prompt_key)

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def fetch(self, name: str, tag: str = "") -> tuple[bytes, str]:
        try:
            with self.path(name).open("rb") as file:
                return file.read(BYTE_LIMIT + 1), ""
        except FileNotFoundError as error:  # a folder that is not mounted is an outage, not an answer
            if name != CURRENT and self.path(CURRENT).exists():
                raise Withdrawn(f"{self.path(name)} is not there") from error
            raise

    def keep(self, name: str, body: bytes) -> None:
        draft = self.path(f".{name}-{uuid.uuid4()}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with draft.open("xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path(name))
        finally:
            draft.unlink(missing_ok=True)


class _Server:
    """Palate over HTTP; a redirect is a refusal like any other, so that the key goes nowhere else."""

    def __init__(self, url: str, key: str, prompt_key: str, timeout: float, allow_http: bool) -> None:
        self.parts, self.timeout = urlsplit(url.rstrip("/")), timeout
        if self.parts.scheme not in ("http", "https") or not self.parts.hostname or set(url) & set("@?#"):
            raise ValueError("Give the address alone, such as https://palate.example.org, and the key by itself.")
        local = self.parts.hostname in ("localhost", "127.0.0.1", "::1")
        if self.parts.scheme == "http" and not local and not allow_http:
            raise ValueError("Over http anybody on the way reads the key; use https, or pass allow_http=True.")
        if not re.fullmatch("[!-~]*", key):
            raise ValueError("The key holds a character that no key has; is there a line break in it?")
        self.query = "" if prompt_key == DEFAULT_KEY else f"?key={prompt_key}"
        self.headers = {"User-Agent": "palate-client/1", **({"Authorization": f"Bearer {key}"} if key else {})}
        self.context = ssl.create_default_context() if self.parts.scheme == "https" else None

    def fetch(self, name: str, tag: str = "") -> tuple[bytes, str] | None:
        """Return a version's bytes and their tag; None where they still have the tag that is known."""
        path = f"/prompts/{'' if name == CURRENT else 'versions/'}{name}.json{self.query}"
        status, head, body = self.exchange("GET", path, {"If-None-Match": tag} if tag else {})
        if status == 304 and tag:
            return None
        if status in (404, 410) and head.get_content_type() == PROBLEM:  # a proxy that lost its way says 404 too
            raise Withdrawn(f"Palate answered {status}")
        if status != 200:
            raise OSError(f"the server answered {status}: {REFUSED.get(status, 'that is no version')}")
        found = re.fullmatch(r'(W/)?"[!#-~]{1,200}"', head.get("ETag", ""))
        return body, found[0] if found else ""

    def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, Message, bytes]:
        """Send a request and return status, head and body; what drips is cut off when the time is over."""
        with contextlib.closing(self._connection()) as connection:
            connection.connect()
            end = time.monotonic() + self.timeout
            watchdog = threading.Timer(self.timeout, _hang_up, (connection.sock,))
            watchdog.start()
            try:
                connection.request(method, self.parts.path + path, body, {**self.headers, **headers})
                answer = connection.getresponse()
                return answer.status, answer.headers, answer.read(BYTE_LIMIT + 1)
            finally:
                watchdog.cancel()
                if time.monotonic() >= end:
                    raise TimeoutError(f"there was no whole answer within {self.timeout:g} s")

    def download(self, path: str, file: IO[bytes]) -> None:
        """Write an answer of any length into a file; PalateError says why there is none, or that it was cut off."""
        try:
            with contextlib.closing(self._connection(TABLE_PATIENCE)) as connection:
                connection.request("GET", self.parts.path + path, headers=self.headers)
                answer = connection.getresponse()
                if answer.status != 200:
                    raise PalateError(f"There is no table: {_refusal(answer)}")
                shutil.copyfileobj(answer, file)
                if answer.length:
                    raise OSError(f"{answer.length} bytes are missing")
        except FAULTS as error:
            raise PalateError(f"The table did not come whole: {type(error).__name__}: {error}.") from error

    def _connection(self, timeout: float | None = None) -> http.client.HTTPConnection:
        host, port = self.parts.hostname or "", self.parts.port
        timeout = timeout or self.timeout
        if self.context is None:
            return http.client.HTTPConnection(host, port, timeout)
        proxy = urlsplit("" if request.proxy_bypass(host) else request.getproxies().get("https", ""))
        reached = (proxy.hostname, proxy.port) if proxy.hostname else (host, port)
        connection = http.client.HTTPSConnection(*reached, timeout=timeout, context=self.context)
        if proxy.hostname:
            connection.set_tunnel(host, port or 443)
        return connection


def _refusal(answer: http.client.HTTPResponse) -> str:
    body = answer.read(BYTE_LIMIT)
    if answer.headers.get_content_type() == PROBLEM:
        with contextlib.suppress(ValueError):
            return str(json.loads(body).get("detail"))
    return f"the server answered {answer.status}: {REFUSED.get(answer.status, 'that is no table')}."


def _written(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")  # else whole seconds would be of another form


def _hang_up(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _backoff(failures: int) -> float:
    return min(2.0 ** min(failures - 1, 10), LONGEST_WAIT) * chance.uniform(0.5, 1.5)


class _Feed:
    """What comes from one address: the last good version, how the last look went, and when the next one is due."""

    def __init__(self, client: PalateClient, name: str, seconds: float) -> None:
        self.client, self.name, self.seconds = client, name, seconds
        self.version: Version | None = None
        self.confirmed: datetime | None = None
        self.error, self.tag, self.failures = "", "", 0
        self.stored = self.withdrawn = False
        self.begin()
        if client.cache:
            with contextlib.suppress(Withdrawn, *FAULTS):
                self._take(client.cache.fetch(name)[0])
                self.stored = True
                self.confirmed = datetime.fromtimestamp(client.cache.path(name).stat().st_mtime, timezone.utc)

    def begin(self) -> None:
        """Look at the next use: by nothing that another process has under way."""
        self.guard, self.looking, self.due = threading.Lock(), threading.Thread(), 0.0

    def get(self) -> Version:
        """Return the last good version, after a look at whether it still is the one where that is due."""
        self.look()
        version = self.version
        if version is None:
            kind = Withdrawn if self.withdrawn else PalateError
            why = self.error or f"there was no answer within {self.client.timeout:g} s"
            raise kind(f"There is no {self.name} version of {self.client.prompt_key}: {why}.")
        return version

    def look(self, now: bool = False) -> None:
        """Look, one look at a time, and wait for it; but whoever has a version does not wait for another's look."""
        with self.guard:
            wait = now or (self.version is None if self.looking.is_alive() else time.monotonic() >= self.due)
            if wait and not self.looking.is_alive():
                looking = threading.Thread(target=self._look, daemon=True)
                try:
                    looking.start()
                except RuntimeError as error:  # no thread can start here any more
                    return self._failed(error)
                self.looking = looking
            looking = self.looking
        return looking.join(self.client.timeout) if wait else None

    def _look(self) -> None:
        self.due = time.monotonic() + LONGEST_WAIT
        try:
            found = self.client.source.fetch(self.name, self.tag if self.version else "")
            if found and (self.version is None or found[0] != self.version.body):
                self._take(found[0])
            if found:
                self.tag = found[1]
        except (Withdrawn, *FAULTS) as error:
            self._failed(error)
        else:
            self.error, self.failures, self.withdrawn, self.confirmed = "", 0, False, datetime.now(timezone.utc)
            self.due = time.monotonic() + self.seconds * chance.uniform(0.9, 1.1)
            self._store()

    def _take(self, body: bytes) -> None:
        version = read_version(body, self.client.prompt_key, self.name, self.client.major)
        self.stored = False  # first: a process may be forked at any moment
        self.version, self.tag = version, f'"{hashlib.sha256(body).hexdigest()}"'
        log.info("%s of %s is %s", self.name, self.client.prompt_key, self.version.name)

    def _store(self) -> None:
        if not self.client.cache or not self.version:
            return
        try:
            if self.stored:
                os.utime(self.client.cache.path(self.name))
            else:
                self.client.cache.keep(self.name, self.version.body)
            self.stored = True
        except OSError as error:
            self.stored = False
            log.warning("the cache cannot be written: %s", error)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        self.due = time.monotonic() + _backoff(self.failures)
        if isinstance(error, Withdrawn) and self.name != CURRENT:
            self.version, self.withdrawn = None, True
            if self.client.cache:
                with contextlib.suppress(OSError):
                    self.client.cache.path(self.name).unlink()
        told = str(error) if type(error) in (OSError, ValueError, Withdrawn) else f"{type(error).__name__}: {error}"
        if isinstance(error, http.client.HTTPException):  # whose words are the server's
            told = type(error).__name__
        if not self.error:
            log.warning("%s of %s cannot be refreshed: %s", self.name, self.client.prompt_key, told[:300])
        self.error = told[:300]


class PalateClient:
    """Reads versions of one prompt from a server, or from a folder like PROMPTS_DIR, and reports how they do.

    With `cache`, a folder, the last good version outlives a restart; with `major`, versions of another major, whose
    variables or components differ, are refused. It is asked again every `ttl` seconds, as long as somebody asks here.
    """

    def __init__(
        self,
        source: str | Path,
        key: str = "",
        *,
        prompt_key: str = DEFAULT_KEY,
        cache: str | Path | None = None,
        major: int | None = None,
        ttl: float = 30.0,
        timeout: float = 5.0,
        allow_http: bool = False,
    ) -> None:
        if not re.fullmatch("[a-z0-9-]{1,64}", prompt_key):
            raise ValueError("A prompt key is made of a-z, 0-9 and -.")
        self.prompt_key, self.major, self.timeout, self.address = prompt_key, major, timeout, str(source)
        self.server = _Server(str(source), key, prompt_key, timeout, allow_http) if "://" in str(source) else None
        self.source = self.server or _Folder(Path(source), prompt_key)
        self.cache = _Folder(Path(cache), prompt_key) if cache else None
        self._begin()
        self._feeds = {CURRENT: _Feed(self, CURRENT, ttl)}
        clients.add(self)

    def _begin(self) -> None:
        self.waiting: deque[dict[str, Any]] = deque()
        self.dropped = 0
        self._guard, self._sending, self._news = threading.Lock(), threading.Lock(), threading.Event()
        self._sender = threading.Thread()

    def begin_in_child(self) -> None:
        """Go on in a forked child: what waits and whoever held the locks are the parent's, and stay there."""
        self._begin()
        for feed in self._feeds.values():
            feed.begin()

    def __repr__(self) -> str:
        return f"<PalateClient of {self.prompt_key} at {self.address}>"

    @property
    def version(self) -> Version:
        """The live version, or the last good one; PalateError only where there never was one."""
        return self._feeds[CURRENT].get()

    @property
    def stale_since(self) -> datetime | None:
        """When the version was last known to be the live one; None while it is."""
        return self._feeds[CURRENT].confirmed if self.error else None

    @property
    def error(self) -> str | None:
        """Why the last look failed; None where it did not."""
        return self._feeds[CURRENT].error or None

    def refresh(self) -> None:
        """Look for a newer live version now; a failure shows in `error`."""
        self._feeds[CURRENT].look(now=True)

    def pinned(self, name: str) -> Version:
        """Return a version by its name; Withdrawn where Palate does not have it, or has it no more."""
        if not NAME.fullmatch(name):
            raise PalateError("A version's name is like v1.2.3.")
        with self._guard:
            feed = self._feeds.get(name) or self._feeds.setdefault(name, _Feed(self, name, PINNED_SECONDS))
        return feed.get()

    def status(self) -> dict[str, Any]:
        """Return what a health page or a log wants to know, without looking."""
        version, stale = self._feeds[CURRENT].version, self.stale_since
        known = {"version": version.name, "sha256": version.sha256} if version else {"version": None, "sha256": None}
        told = {"error": self.error, "stale_since": _written(stale) if stale else None}
        return {"prompt_key": self.prompt_key, **known, **told, "waiting": len(self.waiting), "dropped": self.dropped}

    def report(
        self, version: Version | str, *, score: float | None = None, comment: str = "", failure: str = ""
    ) -> str | None:
        """Queue what production saw of a version, and return the report's id; None where it cannot be sent."""
        name = version.name if isinstance(version, Version) else str(version)
        report: dict[str, Any] = {"id": str(uuid.uuid4()), "prompt_key": self.prompt_key, "version": name}
        word = re.sub("[^a-z0-9_-]+", "-", str(failure).lower())[:64]
        plain = "".join(letter for letter in str(comment) if letter.isprintable() or letter == "\n")
        said = {"score": score, "comment": plain[:300].strip(), "failure": word}
        report.update({part: value for part, value in said.items() if value not in (None, "")})
        fits = score is None or (isinstance(score, (int, float)) and 1 <= score <= 5)
        if self.server is None or not fits or len(report) == 3 or len(self.waiting) >= QUEUE_LIMIT:
            self.dropped += 1
            return None
        self.waiting.append({**report, "at": _written(datetime.now(timezone.utc))})
        with self._guard, contextlib.suppress(RuntimeError):
            self._news.set()
            if not self._sender.is_alive():
                self._sender = threading.Thread(target=self._send_on, daemon=True)
                self._sender.start()
        return str(report["id"])

    def flush(self, timeout: float | None = None) -> int:
        """Send the reports that wait until one cannot be sent or the time is over; return how many still wait.

        For the end of a process: 0 says that all is told. Without a timeout each report has the client's own.
        """
        given = -1.0 if timeout is None else max(0.0, timeout)
        sender = threading.Thread(target=self._send_all, args=(given,), daemon=True)  # a name's look-up has no limit
        with contextlib.suppress(RuntimeError):  # no thread can start here any more
            sender.start()
            sender.join(timeout)
        return len(self.waiting)

    def load(self, table: str, study: str | None = None) -> Any:
        """Return ratings, options, experiments or inputs as a pandas DataFrame: of the project, or of one study.

        A study goes by its id or name. Whole numbers stay whole where some are missing, and times have their zone.
        """
        import pandas  # here: all else that this file does needs the standard library alone

        if self.server is None:
            raise PalateError("Tables come from a server; this client reads a folder.")
        query = f"?{urlencode({'study': study})}" if study else ""
        with tempfile.TemporaryFile() as file:
            self.server.download(f"/api/v1/exports/{quote(table, safe='')}.parquet{query}", file)
            file.seek(0)
            return pandas.read_parquet(file, engine="pyarrow", dtype_backend="numpy_nullable")

    def _send_all(self, timeout: float = -1.0) -> None:
        if not self._sending.acquire(timeout=timeout):
            return
        try:
            while self.waiting and self._send(self.waiting[0]):
                self.waiting.popleft()
            self.waiting.rotate(-1)  # so that one that the server cannot digest does not hold up the others
        finally:
            self._sending.release()

    def _send_on(self) -> None:
        while self._news.wait():
            self._news.clear()
            failures = 0
            while self.waiting:
                self._send_all()
                if self.waiting:
                    failures += 1
                    time.sleep(_backoff(failures))

    def _send(self, report: Mapping[str, Any]) -> bool:
        if self.server is None:
            return True
        kind = {"Content-Type": "application/json"}
        try:
            status, head, _ = self.server.exchange("POST", "/api/v1/feedback", kind, json.dumps(report).encode())
        except FAULTS as error:
            log.info("report %s waits: %s", report["id"], type(error).__name__)
            return False
        refused = status in FINAL and head.get_content_type() == PROBLEM
        if refused:
            self.dropped += 1
            log.warning("report %s was refused with %s", report["id"], status)
        return refused or 200 <= status < 300


def _after_fork() -> None:
    chance.seed()  # else all children would wait for as long as each other
    for client in list(clients):
        client.begin_in_child()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_after_fork)


def main(words: list[str] | None = None) -> int:
    """Print the live version as it was published, or every change of it as a line of JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "--url", default=os.environ.get("PALATE_URL"), help="Palate's address, or a folder; or PALATE_URL"
    )
    parser.add_argument("--key-file", type=Path, help="a file that holds the key; or PALATE_KEY itself")
    parser.add_argument(
        "--cache", default=os.environ.get("PALATE_CACHE"), help="a folder for the last good version; or PALATE_CACHE"
    )
    parser.add_argument("--prompt-key", default=DEFAULT_KEY, help=f"the prompt; else {DEFAULT_KEY}")
    parser.add_argument("--pinned", metavar="NAME", help="this version, such as v1.2.3, rather than the live one")
    parser.add_argument("--watch", type=float, metavar="SECONDS", help="look so often, and print what changes")
    parser.add_argument("--allow-http", action="store_true", help="send the key in clear")
    given = parser.parse_args(words)
    try:
        key = given.key_file.read_text().strip() if given.key_file else os.environ.get("PALATE_KEY", "").strip()
        settings = {"prompt_key": given.prompt_key, "cache": given.cache, "allow_http": given.allow_http}
        client = PalateClient(given.url or parser.error("name --url, or set PALATE_URL"), key, **settings)
        if given.watch:
            return _watch(client, given.watch)
        version = client.pinned(given.pinned) if given.pinned else client.version
        with open(sys.stdout.fileno(), "wb", closefd=False) as out:  # all or an error, unbuffered too
            out.write(version.body)
    except (PalateError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _watch(client: PalateClient, seconds: float) -> int:
    shown: tuple[Any, ...] = ()
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            client.refresh()
            status = client.status()
            if shown != (shown := (status["sha256"], status["error"])):
                print(json.dumps({"at": _written(datetime.now(timezone.utc)), **status}), flush=True)
            time.sleep(seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
