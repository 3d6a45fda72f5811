"""What is published stays whole and never falls back, while two writers promote, roll back and are killed at random.

PALATE_PROMOTIONS says how many promotions are acknowledged; `make test-full` asks for a thousand on each engine.
"""

import logging
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from ml_service.objects.local import Folder
from tests.books import PlainBooks
from tests.journeys.server import PATIENCE, until
from tests.killing.product import Web
from tests.publishing.press import SHIPPED, check_files, make_parts, operator
from tests.publishing.readers import Acknowledged, FileReader, HttpReader, Read, Reader, stale
from tests.publishing.writer import keep_promoting, started
from tests.rows import SPACE
from web.adapters.database.clock import DatabaseClock
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.domain.audit.audit import faults
from web.domain.ids import new_id
from web.domain.prompts.prompt import DEFAULT_KEY
from web.domain.studies.study import Study
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.accounts.keys import KeyDraft, make_key
from web.services.prompts.adoption import adopt
from web.services.prompts.promotion import history
from web.services.prompts.publication import reconcile, repair
from web.settings import Settings

PROMOTIONS = int(os.environ.get("PALATE_PROMOTIONS", "1000" if os.environ.get("PALATE_FULL") else "40"))
SEED = 20261
EARLY = 0.6  # seconds
TICK = 0.3


class Writer:
    """One writer after the other: each is killed, and the next goes on."""

    def __init__(self, url: str, folder: Path, log: Path, chance: random.Random) -> None:
        self.url, self.folder, self.log, self.random = url, folder, log, chance
        self.deaths: Counter[str] = Counter()
        self.process: BaseProcess | None = None
        self.told_enough, self.until = 0, 0.0
        log.touch()

    def look(self) -> None:
        """Kill the process whose time has come, and start the next one where there is none."""
        if self.process is None:
            self._start()
        elif not self.process.is_alive():
            assert self.process.exitcode == -signal.SIGKILL, "A writer failed, see above."
            self.deaths["at a file"] += 1
            self._start()
        elif time.monotonic() > self.until or self.told >= self.told_enough:
            time.sleep(self.random.uniform(0, 0.05))
            self.end()
            self.deaths["at any time"] += 1
            self._start()

    def end(self) -> None:
        """Kill the process, whatever it does."""
        if self.process is not None:
            self.process.kill()
            self.process.join()

    @property
    def told(self) -> int:
        """How many promotions were acknowledged."""
        return self.log.read_bytes().count(b"\n")

    @property
    def acknowledged(self) -> list[Acknowledged]:
        """The promotions that were acknowledged."""
        lines = map(str.split, self.log.read_text().splitlines())
        return [Acknowledged(float(at), int(revision), name) for at, revision, name in lines]

    def _start(self) -> None:
        """Start a process that is killed after some promotions, or early, or kills itself at a change of a file."""
        how = self.random.choice(("late", "early", "itself", "itself"))
        change, after = self.random.randint(1, 12) if how == "itself" else 0, self.random.random() < 0.5
        seed = self.random.getrandbits(32)
        self.process = started(keep_promoting, self.url, self.folder, self.log, seed, change, after)
        self.until = time.monotonic() + (self.random.uniform(0, EARLY) if how == "early" else PATIENCE)
        self.told_enough = self.told + self.random.randint(1, 12) if how == "late" else PROMOTIONS


@pytest.fixture
def parts(store: SqlStore, folder: Path) -> Parts:
    """A press whose clock goes, in a project with an admin, as a server starts with."""
    books = PlainBooks(store, DatabaseClock())
    accounts.bootstrap(books, ())
    shutil.copytree(SHIPPED, folder)
    made = make_parts(store, Folder(folder))
    adopt(made, operator(store).project_id)
    return made


@pytest.fixture
def server(parts: Parts, admin: Actor, database_url: str, folder: Path, tmp_path: Path) -> Iterator[Web]:
    """A server of its own on the database and the folder that the writers write to."""
    study = Study(new_id(), admin.project_id, "None", "archived", {"local": SPACE}, DEFAULT_KEY, parts.clock.now())
    with parts.store.begin() as tx:
        tx.studies.add(study)  # else the server would first make the demo
    data = tmp_path / "data"
    web = Web(tmp_path / "log", Settings(_env_file=None, database_url=database_url, data_dir=data, prompts_dir=folder))
    web.start()
    try:
        until("an answer of the server", web.answers)
        yield web
    finally:
        web.end()


@pytest.fixture
def readers(server: Web, parts: Parts, store: SqlStore, folder: Path) -> Iterator[list[Reader]]:
    """One who reads the file, and one who asks the server."""
    key = make_key(parts, operator(store), KeyDraft("enhancer", ("prompts:read",)))[1]
    made: list[Reader] = [FileReader(folder), HttpReader(server.url, key)]
    for reader in made:
        reader.start()
    yield made
    for reader in made:
        reader.stop()


def test_no_reader_sees_a_torn_or_an_older_version_whoever_is_killed(
    parts: Parts,
    admin: Actor,
    readers: list[Reader],
    database_url: str,
    folder: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chance, began = random.Random(SEED), time.monotonic()
    writers = [Writer(database_url, folder, tmp_path / f"writer{number}", chance) for number in range(2)]
    under_fire(parts, writers, readers)
    told = [one for writer in writers for one in writer.acknowledged]
    for reader in readers:
        reader.stop()
    moves = {move.revision: (move.at.timestamp(), move.to_version) for move in history(parts, admin, DEFAULT_KEY)}
    in_order = [moves[revision] for revision in range(len(moves))]
    for reader in readers:
        assert reader.faults == []
        assert stale(reader.reads, in_order, told) == []
        assert len({read.name for read in reader.reads}) > 2
    assert [one for one in told if moves[one.revision][1] != one.name] == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    reconcile(parts)
    check_files(parts, folder)
    with parts.store.read() as tx:
        assert list(faults(sorted(tx.events.all(), key=lambda event: event.number))) == []
    with capsys.disabled():
        reads = {type(reader).__name__: len(reader.reads) for reader in readers}
        seconds, ends = time.monotonic() - began, dict(deaths_of(writers))
        print(f"\n{len(moves) - 1} moves, {len(told)} acknowledged, {seconds:.0f} s: {ends} {reads}")


def under_fire(parts: Parts, writers: list[Writer], readers: list[Reader]) -> None:
    """Let writers write and die until enough was acknowledged, while the tick puts right what they leave behind."""
    next_tick = 0.0
    try:
        while sum(writer.told for writer in writers) < PROMOTIONS or len(deaths_of(writers)) < 2:
            assert not any(reader.faults for reader in readers), [reader.faults for reader in readers]
            for writer in writers:
                writer.look()
            if time.monotonic() > next_tick:
                repair(parts, [DEFAULT_KEY])
                next_tick = time.monotonic() + TICK
            time.sleep(0.01)
    finally:
        for writer in writers:
            writer.end()


def deaths_of(writers: list[Writer]) -> Counter[str]:
    """Return how often writers died of what."""
    return writers[0].deaths + writers[1].deaths


MOVES = [(0.0, "v1.0.0"), (1.0, "v1.1.0"), (2.0, "v1.0.0"), (3.0, "v1.2.0")]
TOLD = [Acknowledged(1.2, 1, "v1.1.0"), Acknowledged(3.2, 3, "v1.2.0"), Acknowledged(3.3, 2, "v1.0.0")]


@pytest.mark.parametrize(
    ("read", "fine"),
    [
        (Read(0.1, 0.2, "v1.0.0"), True),
        (Read(0.9, 1.1, "v1.1.0"), True),
        (Read(0.8, 0.9, "v1.1.0"), False),
        (Read(1.1, 1.3, "v1.0.0"), True),
        (Read(1.3, 1.9, "v1.0.0"), False),
        (Read(1.3, 2.1, "v1.0.0"), True),
        (Read(3.4, 3.5, "v1.0.0"), False),
        (Read(3.4, 3.5, "v1.2.0"), True),
    ],
)
def test_a_read_is_told_stale_or_not(read: Read, fine: bool) -> None:
    assert (stale([read], MOVES, TOLD) == []) is fine
