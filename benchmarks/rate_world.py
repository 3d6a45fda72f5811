"""What the benchmarks of the rating routes share: raters who hold options, and the servers that they ask."""

import hashlib
import hmac
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.load import Call
from ml_service.wire.contract import Point
from tests.world import SPACE
from web.domain.accounts import Membership, Session, User
from web.domain.ids import new_id
from web.domain.studies.experiment import Experiment, Option
from web.rows.transaction import Transaction

BATCH = 4
KEY = "benchmark-benchmark-benchmark-key"


class Rater:
    """A simulated rater: who it is, its headers, and the options it holds."""

    def __init__(self, number: int) -> None:
        secret = f"secret-{number}"
        self.session_hash = hashlib.sha256(secret.encode()).hexdigest()
        token = hmac.digest(KEY.encode(), b"csrf " + self.session_hash.encode(), "sha256").hex()
        self.headers = {"Cookie": f"palate={secret}", "X-CSRF-Token": token, "X-Tab": f"tab-{number}"}
        self.user = User(new_id(), f"rater-{number}@example.org", datetime.now(UTC))
        self.options: list[str] = []

    def batches(self, count: int) -> list[Call]:
        """Return calls that rate the next options, four in each."""
        calls = []
        for _ in range(count):
            mine, self.options = self.options[:BATCH], self.options[BATCH:]
            answers = [{"id": new_id(), "option_id": option, "score": 4, "seen_ms": 900} for option in mine]
            calls.append(Call.of("POST", "/api/train/rate", {"answers": answers}, self.headers))
        return calls

    def nexts(self, count: int) -> list[Call]:
        """Return calls that ask what to rate."""
        return [Call.of("GET", "/api/train/next?n=4", headers=self.headers)] * count

    def join(self, tx: Transaction, project_id: str) -> None:
        """Become a rater of a project who is signed in."""
        now = datetime.now(UTC)
        tx.users.add(self.user)
        tx.memberships.add(Membership(new_id(), project_id, self.user.id, "rater", now))
        tx.sessions.add(Session(new_id(), self.session_hash, self.user.id, project_id, now, now + timedelta(days=1)))


def option_of(experiment: Experiment, position: int, version: str, output: str, point: Point | None = None) -> Option:
    """Return a ready option of an experiment, at the default point where none is given."""
    return Option(
        id=new_id(),
        experiment_id=experiment.id,
        study_id=experiment.study_id,
        input_id=experiment.input_id,
        position=position,
        generator="local",
        version=version,
        point=SPACE.default() if point is None else point,
        seed=0,
        state="ready",
        why="initial",
        output_id=output,
    )


@contextmanager
def serving(name: str, url: str, folder: Path) -> Iterator[int]:
    """Run one of the two servers in a process of its own and yield its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (folder / "secret_key").write_text(KEY)
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.rate_server", name, url, str(folder), str(port)])
    try:
        _await(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _await(port: int) -> None:
    for _ in range(900):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("The server did not start within 90 s.")
