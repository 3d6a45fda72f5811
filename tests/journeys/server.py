"""The real product as a user starts it: `python -m web serve` in a process of its own, with its worker beside it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import httpx

from web.adapters.database.store import SqlStore
from web.domain.access import Actor, Role
from web.domain.ids import new_id
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.rating import Rating
from web.parts import build_parts
from web.services.accounts import accounts
from web.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = float(os.environ.get("PALATE_PATIENCE", "180"))  # seconds: a loaded machine needs more
T = TypeVar("T")


def until(what: str, look: Callable[[], T], patience: float = PATIENCE) -> T:
    """Return the first true value of `look`, or say what did not come about in time."""
    end = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < end, f"Not within {patience:.0f} s: {what}."
        time.sleep(0.05)
    return found


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def surroundings(settings: Settings) -> dict[str, str]:
    """Return the environment of a process of the product: nothing is set but what these settings say."""
    around = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    places = {"DATA_DIR": settings.data_dir, "PROMPTS_DIR": settings.prompts_dir, "DATABASE_URL": settings.database_url}
    places |= {"PUBLIC_URL": settings.public_url or ""}
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return {**around, **{name: str(value) for name, value in places.items()}, **threads}


class Server:
    """A server that can be killed and started again on the same port and folder; `parts` see what it sees."""

    def __init__(self, folder: Path, public_url: str | None = None) -> None:
        self.folder, self.port = folder, free_port()
        self.log = folder / "server.log"
        shutil.copytree(ROOT / "prompts", folder / "prompts")
        self.settings = Settings(
            _env_file=None, data_dir=folder / "data", prompts_dir=folder / "prompts", public_url=public_url
        )
        self.store = SqlStore.open(self.settings.database_url)
        self.parts = replace(build_parts(self.settings), store=self.store)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address that the server prints."""
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "web", "serve", "--port", str(self.port)],
                cwd=ROOT,
                env=surroundings(self.settings),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            until("an answer of the server", self._answers)
        except AssertionError as late:
            raise AssertionError(f"The server said: {self.log.read_text()[-4000:]}") from late

    def kill(self) -> None:
        """Kill the server and its worker at once, as a power cut would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Stop the server as Ctrl+C does."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE)

    def printed_link(self) -> str:
        """Return the one-time link of the first admin, as it was printed."""
        found = re.search(rf"{self.url}/link/\S+", self.log.read_text())
        assert found is not None, self.log.read_text()
        return found.group()

    def link(self, email: str, role: Role = "rater") -> str:
        """Return a fresh sign-in link for somebody."""
        secret = accounts.invite(self.parts, self.operator, role, email)
        return f"{self.url}/link/{secret}"

    def session_of(self, email: str, role: Role = "rater") -> str:
        """Let somebody in by such a link and return the secret of their session."""
        secret = accounts.invite(self.parts, self.operator, role, email)
        return accounts.use_link(self.parts, secret)

    def settle_in(self, email: str, study_id: str) -> None:
        """Have somebody read the guidelines and do the practice of a study, so that photos come at once."""
        now = self.parts.clock.now()
        with self.store.begin() as tx:
            user = tx.users.find(email=email)
            assert user is not None
            found = tx.enrolments.find(study_id=study_id, rater_id=user.id)
            place = found or tx.enrolments.add(Enrolment(new_id(), study_id, user.id, now))
            tx.enrolments.replace(replace(place, read_at=now, trained_at=now))

    @property
    def operator(self) -> Actor:
        """Who works at the terminal."""
        return accounts.operator(self.parts)

    def ratings(self, study_id: str) -> tuple[Rating, ...]:
        """Return all answers kept of a study, undone ones too, in the order in which they were given."""
        with self.store.read() as tx:
            return tuple(sorted(tx.ratings.all(study_id=study_id), key=lambda rating: rating.id))

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "It ended."
        try:
            return httpx.get(f"{self.url}/health/ready").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def serving(folder: Path, public_url: str | None = None) -> Iterator[Server]:
    """Run a server on a new database until the block is left."""
    server = Server(folder, public_url)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        server.store.close()
