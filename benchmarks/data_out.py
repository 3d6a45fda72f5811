"""What do tables for analysis take of the process that writes them? A million ratings, as CSV and as Parquet.

Run with `python -m benchmarks.data_out [--quick] [--check]`. On SQLite; each file is written by a process of its own,
which throws away what it has written. Idle is that process with all that a server has imported, and one connection
open; the figure is the most memory that it had resident after that. `--check` exits 1 where that is above 100 MB.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from ml_service.wire.contract import FloatParameter, IntParameter, ParameterSpace
from tests.clock import FixedClock
from tests.world import World, make_world
from web.adapters.database.migrate import migrate
from web.adapters.database.store import SqlStore
from web.services.prompts import pointers

RATINGS, QUICK = 1_000_000, 50_000
MOST_MB = 100.0
MB = 1_000_000
RATERS = 5  # of each option
AT = "2026-03-01 09:00:00.000000"
FORMS = ("csv", "parquet")
SPACE = ParameterSpace(
    parameters={
        **{f"amount_{number}": FloatParameter(low=0, high=1, default=0.5) for number in range(8)},
        "radius": IntParameter(low=0, high=50, default=3),
    }
)
# Ids as others are, of a table's letter and a number; of ratings they are drawn, as their senders draw them.
EXPERIMENT, OPTION, RATER = (f"printf('01a00000-0000-7{letter}00-8000-%012d', {{}})" for letter in "e0a")
DRAWN = "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-7000-8000-' || hex(randomblob(6)))"
POINT = ", ".join(
    [f"'amount_{number}', i * {7919 + number} % 9973 / 9973.0" for number in range(8)] + ["'radius', i % 50"]
)
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)"
ROWS = {
    "experiments": f"""{NUMBERS} INSERT INTO parameter_experiments
        (id, study_id, input_id, kind, state, created_at, changed_at, closed_at, revision)
        SELECT {EXPERIMENT.format("i")}, :study, :input, 'explore', 'closed', :at, :at, :at, 0 FROM n""",
    "options": f"""{NUMBERS} INSERT INTO experiment_options
        (id, experiment_id, study_id, input_id, position, generator, version, point,
        seed, state, why, expected, history, cost_micros, revision)
        SELECT {OPTION.format("i")}, {EXPERIMENT.format("(i + 1) / 2")}, :study, :input, i % 2, 'local', :version,
        json_object({POINT}), 0, 'ready', 'explore', '{{"mean": 3.5, "low": 3.0, "high": 4.0}}', '', 1500, 0 FROM n""",
    "ratings": f"""{NUMBERS} INSERT INTO enhancement_ratings
        (id, fingerprint, study_id, experiment_id, option_id, input_id, generator, version, judge_id, judge_kind,
        metric, score, rated_at, changed_at, tags, comment, flagged, late, client_seq, seen_ms)
        SELECT {DRAWN}, '', :study, {EXPERIMENT.format("((i - 1) / :raters + 2) / 2")},
        {OPTION.format("(i - 1) / :raters + 1")}, :input, 'local', :version, {RATER.format("i % :raters")}, 'human',
        'quality', 1 + i % 5, strftime('%Y-%m-%d %H:%M:%f000', 1.7e9 + i * 7919 % :many, 'unixepoch'), :at,
        CASE i % 4 WHEN 0 THEN '["too_dark", "hazy"]' ELSE '[]' END,
        CASE i % 5 WHEN 0 THEN 'The sky is a little too bright for me.' ELSE '' END, 0, 0, 0, 900 FROM n""",
}
WRITE = """
import sys
from pathlib import Path
import web.app
from web.domain.access import Actor
from web.http.serving.export import encoded
from web.parts import build_parts
from web.services.reports.tables import sheets
from web.settings import Settings

def memory(name):
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[name].split()[0]) * 1024

folder, project, form = sys.argv[1:]
parts = build_parts(Settings(_env_file=None, data_dir=Path(folder)))
with parts.store.read() as tx:
    tx.projects.all()
Path("/proc/self/clear_refs").write_text("5")  # what is resident now is the most from now on
idle = memory("VmRSS")
with sheets(parts, Actor.itself(project)) as sheet:
    size = sum(map(len, encoded(sheet("ratings"), form)))
print(memory("VmHWM") - idle, size)
"""


@dataclass(frozen=True)
class Written:
    """What one file took: megabytes above idle, seconds, and its own megabytes."""

    above: float
    seconds: float
    size: float


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} ratings")
    parser.add_argument("--check", action="store_true", help=f"exit 1 where a file takes more than {MOST_MB:.0f} MB")
    told = parser.parse_args()
    many = QUICK if told.quick else RATINGS
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        world = filled(folder, many)
        print(f"{many:,} ratings of {many // RATERS:,} options with {len(SPACE.parameters)} parameters")
        found = {form: written(folder, world, form) for form in FORMS}
    for form, one in found.items():
        print(f"{form:8} {one.above:6.1f} MB above idle {many / one.seconds:8,.0f} rows/s {one.size:8.1f} MB")
    most = max(one.above for one in found.values())
    print(f"at most {most:.1f} MB above idle (bar {MOST_MB:g})")
    return 1 if told.check and most > MOST_MB else 0


def filled(folder: Path, many: int) -> World:
    """Make a product on SQLite in which so many ratings were given."""
    url = f"sqlite:///{folder}/palate.db"
    migrate(url)
    store = SqlStore.open(url)
    world = make_world(store, FixedClock(), folder, inputs=1)
    with store.begin() as tx:
        tx.studies.replace(replace(tx.studies.get(world.study.id), spaces={"local": SPACE}))
        (source,) = tx.inputs.all(study_id=world.study.id)
        version = pointers.live_version(tx, world.study.prompt_key)
        same = {"study": world.study.id, "input": source.id, "version": version.id, "raters": RATERS, "at": AT}
        counts = {"experiments": many // RATERS // 2, "options": many // RATERS, "ratings": many}
        for table, count in counts.items():
            tx.connection.exec_driver_sql(ROWS[table], {**same, "many": count})
    store.close()
    return world


def written(folder: Path, world: World, form: str) -> Written:
    """Write the ratings in a process of its own, and return what that took."""
    began = time.perf_counter()
    call = [sys.executable, "-c", WRITE, str(folder), world.admin.project_id, form]
    above, size = subprocess.run(call, capture_output=True, text=True, check=True).stdout.split()
    return Written(int(above) / MB, time.perf_counter() - began, int(size) / MB)


if __name__ == "__main__":
    sys.exit(main())
