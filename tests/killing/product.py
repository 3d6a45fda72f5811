"""The real product as an operator runs it: web servers and workers, each a process that can be killed by itself."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import update

from tests.journeys.server import PATIENCE, ROOT, free_port, surroundings, until
from tests.publishing.press import candidate
from tests.world import SPACE
from web.adapters.database.store import SqlStore
from web.adapters.database.tables import jobs
from web.cli.operations.place import ready
from web.domain.access import Actor, Role
from web.domain.job import CLAIM_TIME
from web.domain.prompts.prompt import DEFAULT_KEY
from web.domain.studies.assigning import EVERYONE
from web.domain.studies.study import Study
from web.parts import build_parts
from web.services.accounts import accounts
from web.services.prompts.promotion import promote
from web.services.studies.studies import StudyDraft, make_study, move_study
from web.settings import Settings

OPTIONS = 4
SPARED = "PYTHONDONTWRITEBYTECODE"  # a process that starts a hundred times must not compile all it imports each time


class Process:
    """One command of the product in a process of its own; `more` is set in its environment."""

    def __init__(
        self, words: tuple[str, ...], log: Path, settings: Settings, more: Mapping[str, str] | None = None
    ) -> None:
        self.words, self.log, self.settings, self.more = words, log, settings, more or {}
        self.running: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.running is not None and self.running.poll() is None

    @property
    def has_anybody(self) -> bool:
        """Whether the process or anything that it started runs."""
        return _anybody_in(self._group)

    def start(self) -> None:
        """Start the process, and do not wait for what it does."""
        around = {name: value for name, value in surroundings(self.settings).items() if name != SPARED}
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "web", *self.words],
                cwd=ROOT,
                env={**around, **self.more},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill this one process, as the system does when memory runs out; what it started has to end by itself."""
        assert self.running is not None
        self.running.kill()
        self.running.wait()
        until("an end of what a killed process had started", lambda: not self.has_anybody, 10)

    def end(self) -> None:
        """Stop whatever is left of the process and its children."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()
            if _anybody_in(self._group):
                os.killpg(self._group, signal.SIGKILL)

    @property
    def _group(self) -> int:
        assert self.running is not None
        return self.running.pid


class Web(Process):
    """A web server, with a worker beside it or without one; `around` is set in its environment."""

    def __init__(self, log: Path, settings: Settings, *, has_worker: bool = False, **around: str) -> None:
        self.port = free_port()
        alone = () if has_worker else ("--no-worker",)
        super().__init__(("serve", *alone, "--port", str(self.port)), log, settings, around)

    @property
    def url(self) -> str:
        """The address that it listens on."""
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        """Tell whether it is ready to serve."""
        assert self.alive, self.log.read_text()
        try:
            return httpx.get(f"{self.url}/health/ready").status_code == 200
        except httpx.TransportError:
            return False


class Product:
    """Web servers and workers on one database and one folder; `parts` see what they see."""

    def __init__(self, folder: Path, url: str, webs: int = 2, workers: int = 1) -> None:
        shutil.copytree(ROOT / "prompts", folder / "prompts")
        data = folder / "data"
        self.settings = Settings(_env_file=None, database_url=url, data_dir=data, prompts_dir=folder / "prompts")
        self.parts = build_parts(self.settings)
        ready(self.settings, self.parts)
        with self.studying("Nothing"):
            pass  # else the first server to start would make the demo, and the worker would be busy with it
        promote(self.parts, self.operator, DEFAULT_KEY, candidate(self.parts).id, 0)  # so that there are two to choose
        self.webs = [Web(folder / f"web{number}.log", self.settings) for number in range(webs)]
        words = ("work",)
        self.workers = [Process(words, folder / f"work{number}.log", self.settings) for number in range(workers)]

    @property
    def processes(self) -> list[Process]:
        """All that can be killed."""
        return [*self.webs, *self.workers]

    @property
    def operator(self) -> Actor:
        """Who works at the terminal."""
        return accounts.operator(self.parts)

    def start(self) -> None:
        """Start what does not run."""
        for process in self.processes:
            if not process.alive:
                process.start()

    def wait_for_webs(self) -> None:
        """Wait until every server answers."""
        for web in self.webs:
            until(f"an answer of the server whose log is {web.log}", web.answers)

    def wait(self) -> None:
        """Wait until every server answers and a worker has done something."""
        now = self.parts.clock.now()
        self.wait_for_webs()
        until("a job done by a worker", lambda: self._done_since(now), CLAIM_TIME.total_seconds() + PATIENCE)

    def stop(self) -> None:
        """Stop everything."""
        for process in self.processes:
            process.end()
        assert isinstance(self.parts.store, SqlStore)
        self.parts.store.close()

    def lapse(self) -> None:
        """Let the time run out for which jobs are claimed, so that what a killed worker left is taken over at once."""
        late = self.parts.clock.now() - timedelta(seconds=1)
        assert isinstance(self.parts.store, SqlStore)
        with self.parts.store.begin() as tx:
            claimed = update(jobs).where(jobs.c.state == "claimed", jobs.c.claimed_until > late)
            tx.connection.execute(claimed.values(claimed_until=late))

    def secret(self, email: str, role: Role) -> str:
        """Return the secret of a fresh sign-in link."""
        return accounts.invite(self.parts, self.operator, role, email)

    @contextmanager
    def studying(self, name: str) -> Iterator[Study]:
        """Run a study until the block is left."""
        draft = StudyDraft(name, {"local": SPACE}, options_per_experiment=OPTIONS, uploads=True)
        study = make_study(self.parts, self.operator, draft, raters=(EVERYONE,))
        yield study
        move_study(self.parts, self.operator, study.id, "archived")

    def _done_since(self, moment: datetime) -> bool:
        with self.parts.store.read() as tx:
            return any(job.finished_at and job.finished_at > moment for job in tx.jobs.all(state="done"))


def _anybody_in(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
