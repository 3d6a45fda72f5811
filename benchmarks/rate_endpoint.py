"""How fast ratings are stored and experiments leased, beside a minimal FastAPI app that inserts one row a request.

Same engine, same durability (SQLite in WAL with synchronous FULL, Postgres with fsync), same client, one server process
each, in turns. Each rater holds four experiments, as on the page; what they rate was handed out and released. Bars:
ratings stored per second in batches of four ≥ 50 % of the minimal app's rows per second, `next` ≥ 30 % of its requests
per second.
"""

import argparse
import hashlib
import hmac
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.load import Call, seconds_for
from tests import postgres
from tests.world import SPACE
from web.adapters.migrate import migrate
from web.adapters.store import SqlStore
from web.domain.access import Membership, Session, User
from web.domain.experiment import Experiment, Option, Output
from web.domain.ids import new_id
from web.domain.lease import Lease
from web.domain.prompt import Prompt, PromptVersion
from web.domain.study import Input, Project, Study

CONNECTIONS = 16
BATCH = 4
HELD = 4
BARS = {"rate": 0.5, "next": 0.3}
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


def seed(url: str, ratings: int) -> list[Rater]:
    """Fill a database with raters who hold enough ready options for so many ratings each."""
    store, now = SqlStore.open(url), datetime.now(UTC)
    raters = [Rater(number) for number in range(CONNECTIONS)]
    project, study_id = Project(new_id(), "Benchmark", now), new_id()
    version = PromptVersion(new_id(), "p", 1, "v1.0.0", {"local": {}}, now, "benchmark", status="released")
    study = Study(study_id, project.id, "Benchmark", "running", {"local": SPACE}, "p", now)
    source = Input(new_id(), study_id, "image", "one", "hash", "inputs/one", "image/jpeg", now, 640, 480)
    output = Output(new_id(), "hash", "outputs/one", "image/jpeg", 640, 480, 1000, now)
    with store.begin() as tx:
        tx.projects.add(project)
        tx.prompts.add(Prompt("p", project.id, now))
        tx.versions.add(version)
        tx.studies.add(study)
        tx.inputs.add(source)
        tx.outputs.add(output)
        for rater in raters:
            tx.users.add(rater.user)
            tx.memberships.add(Membership(new_id(), project.id, rater.user.id, "rater", now))
            tx.sessions.add(Session(new_id(), rater.session_hash, rater.user.id, now, now + timedelta(days=1)))
            for number in range(HELD + ratings // 2):
                experiment = Experiment(new_id(), study_id, source.id, "explore", "ready", now, now)
                pair = [_option(experiment, place, version.id, output.id) for place in range(2)]
                tx.experiments.add(experiment)
                tx.options.add_all(pair)
                lease = Lease.start(experiment, rater.user.id, rater.headers["X-Tab"], now)
                tx.leases.add(replace(lease, state="held" if number < HELD else "released"))
                rater.options += [option.id for option in pair] if number >= HELD else []
    store.close()
    return raters


def _option(experiment: Experiment, position: int, version: str, output: str) -> Option:
    return Option(
        id=new_id(),
        experiment_id=experiment.id,
        study_id=experiment.study_id,
        input_id=experiment.input_id,
        position=position,
        generator="local",
        version=version,
        point=SPACE.default(),
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
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("The server did not start within 30 s.")


def compare(url: str, folder: Path, rounds: int, calls: int) -> dict[str, list[float]]:
    """Return for each round how Palate's ratings and leases per second compare with the minimal app's rows."""
    migrate(url)
    raters = seed(url, (rounds + 1) * calls * BATCH)
    ratios: dict[str, list[float]] = {"rate": [], "next": []}
    with serving("minimal", url, folder) as small, serving("palate", url, folder) as ours:
        for number in range(rounds + 1):
            rows = _per_second(small, [[_row() for _ in range(calls)] for _ in raters])
            rated = _per_second(ours, [rater.batches(calls) for rater in raters]) * BATCH
            leased = _per_second(ours, [rater.nexts(calls) for rater in raters])
            if number == 0:
                continue  # the first round warms both up
            print(f"  minimal {rows:7.0f} rows/s   palate {rated:7.0f} ratings/s, {leased:6.0f} next/s", flush=True)
            ratios["rate"].append(rated / rows)
            ratios["next"].append(leased / rows)
    return ratios


def _row() -> Call:
    return Call.of("POST", "/row", {"id": new_id(), "item": new_id(), "score": 4.0})


def _per_second(port: int, calls: Sequence[Sequence[Call]]) -> float:
    return sum(len(mine) for mine in calls) / seconds_for(port, calls)


def main() -> int:
    """Run on both engines and print the ratios with standard errors; with --check, 1 below a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="end within 50 s")
    parser.add_argument("--check", action="store_true", help="exit 1 below a bar")
    arguments = parser.parse_args()
    rounds, calls = (4, 10) if arguments.quick else (10, 25)
    found: list[tuple[str, str, float, float]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.running(durable=True))
        urls = {"sqlite": f"sqlite:///{folder / 'palate.db'}", "postgres": server.url(server.make())}
        for engine, url in urls.items():
            print(engine)
            for what, ratios in compare(url, folder, rounds, calls).items():
                error = statistics.stdev(ratios) / len(ratios) ** 0.5
                found.append((engine, what, statistics.mean(ratios), error))
    for engine, what, mean, error in found:
        print(f"{engine:9} {what:5} {mean:6.2f} ± {error:.2f} of the minimal app (bar {BARS[what]:.2f})")
    worst = min(mean / BARS[what] for _, what, mean, _ in found)
    print(f"worst ratio to its bar: {worst:.2f}")
    return 1 if arguments.check and worst < 1 else 0


if __name__ == "__main__":
    sys.exit(main())
