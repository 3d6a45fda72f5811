"""How fast ratings are stored and experiments leased, beside a minimal FastAPI app that inserts one row a request.

Same engine, same durability (SQLite in WAL with synchronous FULL, Postgres with fsync), same client, one server process
each, in turns. Each rater holds four experiments, as on the page; what they rate was handed out and released. Bars:
ratings stored per second in batches of four ≥ 50 % of the minimal app's rows per second, `next` ≥ 30 % of its requests
per second.

With --paced, two hundred raters rate one option every five seconds each, on Postgres: see `benchmarks.paced`.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import paced
from benchmarks.load import Call, seconds_for
from benchmarks.rate_world import BATCH, Rater, option_of, serving
from tests import postgres
from tests.world import SPACE
from web.adapters.database.migrate import migrate
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.domain.prompts.prompt import Prompt, PromptVersion
from web.domain.rating.lease import Lease
from web.domain.studies.experiment import Experiment, Output
from web.domain.studies.study import Input, Project, Study

CONNECTIONS = 16
HELD = 4
BARS = {"rate": 0.5, "next": 0.3}


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
            rater.join(tx, project.id)
            for number in range(HELD + ratings // 2):
                experiment = Experiment(new_id(), study_id, source.id, "explore", "ready", now, now)
                pair = [option_of(experiment, place, version.id, output.id) for place in range(2)]
                tx.experiments.add(experiment)
                tx.options.add_all(pair)
                lease = Lease.start(experiment, rater.user.id, rater.headers["X-Tab"], now)
                tx.leases.add(replace(lease, state="held" if number < HELD else "released"))
                rater.options += [option.id for option in pair] if number >= HELD else []
    store.close()
    return raters


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
    parser.add_argument("--paced", action="store_true", help="two hundred raters at the pace of people")
    arguments = parser.parse_args()
    if arguments.paced:
        return paced.run(seconds=30 if arguments.quick else 120, check=arguments.check)
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
