"""Two hundred raters at the pace of people: each rates one option every five seconds, on Postgres, one server process.

They sit down one after the other within twenty seconds, which count. Each holds four experiments and asks `next` where
fewer than three wait, as the page does; what the server names is rated in its order. They have rated before, so that
gold items, hidden repeats and further ratings are due as in any week. The queue is full from the start, and Postgres
has counted its rows once, as it does by itself within a minute. Nothing is generated or learnt meanwhile, and no images
are fetched. Bars: the 99th percentile of `next` and of `rate` under 250 ms, and no lease held twice.
"""

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg

from benchmarks.load import Call, answer
from benchmarks.rate_world import Rater, option_of, serving
from tests import postgres
from tests.world import SPACE
from web.adapters.database.migrate import migrate
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.domain.prompts.prompt import Prompt, PromptVersion
from web.domain.rating.gold import Gold
from web.domain.rating.lease import Lease
from web.domain.rating.rating import Answer, Rating
from web.domain.studies.experiment import Experiment, ExperimentKind, ExperimentState, Option, Output
from web.domain.studies.study import Input, Project, Study
from web.rows.transaction import Transaction

ARRIVING = 20.0  # seconds: as long as what a rater holds at once takes them, so that they do not all ask together
RATERS, EVERY, SOURCES, GOLDS, BEFORE = 200, 5.0, 40, 40, 15
SHORT = 3  # experiments: with fewer waiting, the page asks for more
BAR_MS = 250


@dataclass
class Seen:
    """What raters saw: milliseconds by route, and how many ratings were sent."""

    took: dict[str, list[float]] = field(default_factory=lambda: {"next": [], "rate": []})
    sent: int = 0


class Ground:
    """A study with sources, what its raters rated before, gold items, and a queue that lasts."""

    def __init__(self, tx: Transaction) -> None:
        self.tx, self.now = tx, datetime.now(UTC) - timedelta(hours=1)
        self.project = tx.projects.add(Project(new_id(), "Benchmark", self.now))
        tx.prompts.add(Prompt("p", self.project.id, self.now))
        version = PromptVersion(new_id(), "p", 1, "v1.0.0", {"local": {}}, self.now, "benchmark", status="released")
        self.version = tx.versions.add(version)
        study = Study(new_id(), self.project.id, "Benchmark", "running", {"local": SPACE}, "p", self.now)
        self.study = tx.studies.add(study)
        names = [f"input {number}" for number in range(SOURCES)]
        self.inputs = [
            Input(new_id(), study.id, "image", name, name, name, "image/jpeg", self.now, 640, 480) for name in names
        ]
        tx.inputs.add_all(self.inputs)

    def experiments(
        self, count: int, state: ExperimentState, options: int = 2
    ) -> list[tuple[Experiment, list[Option]]]:
        """Add experiments of all sources in turn, each option with an output of its own."""
        made = []
        closed_at = self.now if state == "closed" else None
        for number in range(count):
            source = self.inputs[number % SOURCES]
            kind: ExperimentKind = "gold" if options == 1 else "explore"
            one = Experiment(new_id(), self.study.id, source.id, kind, state, self.now, self.now, closed_at=closed_at)
            outputs = [
                Output(new_id(), new_id(), new_id(), "image/jpeg", 640, 480, 1000, self.now) for _ in range(options)
            ]
            self.tx.experiments.add(one)
            self.tx.outputs.add_all(outputs)
            pair = [option_of(one, place, self.version.id, output.id) for place, output in enumerate(outputs)]
            self.tx.options.add_all(pair)
            made.append((one, pair))
        return made

    def rated(self, rater: Rater) -> None:
        """Add what a rater rated before."""
        done = self.experiments(BEFORE, "closed")
        leases = [Lease.start(one, rater.user.id, "", self.now) for one, _ in done]
        self.tx.leases.add_all(replace(lease, state="done") for lease in leases)
        chosen = [(option, random.randint(1, 5)) for _, pair in done for option in pair]
        answers = [(option, Answer(new_id(), option.id, float(score))) for option, score in chosen]
        self.tx.ratings.add_all(Rating.of(one, option, rater.user.id, self.now, late=False) for option, one in answers)


def seed(store: SqlStore, seconds: int) -> list[Rater]:
    """Fill a database so that the queue lasts."""
    raters = [Rater(number) for number in range(RATERS)]
    with store.begin() as tx:
        ground = Ground(tx)
        for rater in raters:
            rater.join(tx, ground.project.id)
            ground.rated(rater)
        for one, _ in ground.experiments(GOLDS, "ready", options=1):
            tx.golds.add(Gold(new_id(), one.id, ground.study.id, 1, 2, "degraded", ground.now))
        ground.experiments(int(RATERS * (6 + seconds / EVERY / 2)), "ready")
    return raters


async def _rate(port: int, rater: Rater, until: float, seen: Seen) -> None:
    """Rate one option every five seconds, and ask for more in time."""
    await asyncio.sleep(random.uniform(0, ARRIVING))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def timed(what: str, call: Call) -> bytes:
        started = time.perf_counter()
        body = await answer(reader, writer, call)
        seen.took[what].append(1000 * (time.perf_counter() - started))
        return body

    waiting: list[tuple[str, str]] = []  # experiment and option
    while time.perf_counter() < until:
        due = time.perf_counter() + EVERY
        if len({experiment for experiment, _ in waiting}) < SHORT:
            turn = json.loads(await timed("next", *rater.nexts(1)))
            waiting = [
                (one["experiment_id"], shown["option_id"]) for one in turn["experiments"] for shown in one["options"]
            ]
        if not waiting:  # others took what it was offered
            await asyncio.sleep(1.0)
            continue
        _, option = waiting.pop(0)
        given = {"answers": [{"id": new_id(), "option_id": option, "score": random.randint(1, 5), "seen_ms": 4000}]}
        body = await timed("rate", Call.of("POST", "/api/train/rate", given, rater.headers))
        seen.sent += json.loads(body)["verdicts"][0]["verdict"] == "stored"
        await asyncio.sleep(max(due - time.perf_counter(), 0))
    writer.close()
    await writer.wait_closed()


async def _all(port: int, raters: list[Rater], seconds: int, seen: Seen) -> None:
    until = time.perf_counter() + seconds
    await asyncio.gather(*(_rate(port, rater, until, seen) for rater in raters))


def faults(store: SqlStore, seen: Seen) -> list[str]:
    """Say what was held twice, and what was sent and is not there."""
    with store.read() as tx:
        experiments = {one.id: one for one in tx.experiments.all(kind="explore")}
        leases = [lease for lease in tx.leases.all(state=("held", "done")) if lease.experiment_id in experiments]
        stored = len(tx.ratings.all()) - RATERS * BEFORE * 2
    ends = {one.id: one.closed_at for one in experiments.values()}
    first = Counter(
        lease.experiment_id
        for lease in leases
        if (end := ends[lease.experiment_id]) is None or lease.created_at <= end  # later ones ask for one more rating
    )
    twice = sum(count > 1 for count in first.values())
    held = Counter(lease.experiment_id for lease in leases if lease.state == "held")
    crowded = sum(count > 1 for count in held.values())
    told = [f"{twice} experiments were held twice"] if twice else []
    told += [f"{crowded} experiments were held by two at once"] if crowded else []
    return told + ([f"{seen.sent} ratings were sent and {stored} stored"] if seen.sent != stored else [])


def run(*, seconds: int, check: bool) -> int:
    """Let them rate and print the percentiles; with `check`, 1 where a bar is missed."""
    random.seed(1)  # the same minute each time
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder, postgres.running(durable=True) as server:
        url = server.url(server.make())
        migrate(url)
        store = SqlStore.open(url)
        raters = seed(store, seconds)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ANALYZE")
        with serving("palate", url, Path(folder)) as port:
            asyncio.run(_all(port, raters, seconds, seen))
        found = faults(store, seen)
        store.close()
    worst = 0.0
    for what, took in seen.took.items():
        middle, high = np.percentile(took, [50, 99])
        worst = max(worst, float(high))
        print(f"{what:5} {len(took):6} calls   p50 {middle:6.1f} ms   p99 {high:6.1f} ms   longest {max(took):6.1f} ms")
    print("\n".join(found) or f"{seen.sent} ratings sent and stored, none held twice")
    print(f"worst p99 {worst:.0f} ms (bar {BAR_MS})")
    return 1 if check and (found or worst >= BAR_MS) else 0
