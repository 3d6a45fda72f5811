"""Whether prompts get better by themselves: simulated raters of a hidden taste, a scripted text model, real services.

Each run begins with a prompt that holds a mistake and lacks two things that its raters want; which of eighteen
sentences please, harm or do nothing nobody tells the loop. A text model that speaks the public protocol over HTTP
proposes edits from what it is told; rounds, gates, pairs, tests, promotions, hold-backs and roll-backs are the
product's own.

Bars: the champion's true score rises in 45 of 50 runs, is below its start at the end in 2 of 50 at most, and no run is
stuck before its last pair, for pairs come of tests and tests of rounds. `--check` exits 1 where a bar is missed.
`--quick` plays one short run, which need not rise. Ids are random and rounds are seeded by them, so the same run goes
another way each time.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context

from benchmarks.evolution_run import Run, play
from web.adapters.database.migrate import migrate

RUNS, PAIRS = 50, 450
QUICK_RUNS, QUICK_PAIRS = 1, 240  # enough for a test to be decided, most times
RISEN, FALLEN = 45, 2


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} short run instead of {RUNS}")
    parser.add_argument("--check", action="store_true", help="exit 1 where the bar is missed")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--runs", type=int, help="how many runs, for a look of one's own")
    parser.add_argument("--pairs", type=int, help="judged pairs of a run, for a look of one's own")
    told = parser.parse_args()
    count = told.runs or (QUICK_RUNS if told.quick else RUNS)
    pairs = told.pairs or (QUICK_PAIRS if told.quick else PAIRS)
    runs = []
    for run in _played(count, pairs, told.jobs):
        _print_run(run)
        runs.append(run)
    missed = _print_summary(runs, pairs, quick=told.quick)
    return 1 if told.check and missed else 0


def _played(count: int, pairs: int, jobs: int) -> Iterator[Run]:
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")  # before they load a BLAS
    with tempfile.TemporaryDirectory() as folder:
        empty = f"{folder}/empty.db"
        migrate(f"sqlite:///{empty}")
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            yield from pool.map(play, range(count), repeat(pairs), repeat(empty))


def _print_run(run: Run) -> None:
    told = f"run {run.seed:2}: true score {run.start:.2f} → {run.end:.2f} of {run.best:.2f} in {run.pairs} pairs"
    rounds, tests = (", ".join(f"{many} {name}" for name, many in sorted(c.items())) for c in (run.rounds, run.tests))
    print(f"{told}; rounds: {rounds}; tests: {tests}", flush=True)
    for move in run.moves:
        is_worse = move.worth < 0
        mark = "LOWERED IT: " if is_worse else ""
        evidence = f"evidence {move.evidence:.1f} from {move.pairs} pairs, {move.gain:+.2f} stars seen"
        print(f"    {mark}{move.kind} “{move.changelog}”: truly {move.worth:+.2f}; {evidence}", flush=True)


def _print_summary(runs: Sequence[Run], pairs: int, *, quick: bool) -> bool:
    risen, fallen = sum(run.end > run.start for run in runs), sum(run.end < run.start for run in runs)
    stuck = sum(run.pairs < pairs for run in runs)
    moves = [move for run in runs for move in run.moves]
    up, down = ([move for move in moves if move.worth * way > 0] for way in (1, -1))
    found = sum(run.found for run in runs)
    share = sum((run.end - run.start) / (run.best - run.start) for run in runs) / len(runs)
    winners = sum((Counter(run.operators) for run in runs), Counter[str]())
    print(f"\n{len(moves)} versions went live by a test: {len(up)} better than before, {len(down)} worse")
    print(f"Winners by operator: {', '.join(f'{many} {name}' for name, many in winners.most_common())}")
    print(f"{found} of {len(runs)} found the hidden best prompt; of what was to be gained, {share:.0%} was on average")
    if quick:
        print(f"A short run shows that the loop turns, and little more; the bar is of {RUNS} whole ones.")
    wanted = 0 if quick else RISEN * len(runs) / RUNS
    allowed = 0 if quick else FALLEN * len(runs) / RUNS
    print(f"{fallen} of {len(runs)} ended below their start (bar: at most {allowed:g})")
    print(f"{risen} of {len(runs)} ended above their start (bar: at least {wanted:g})")
    print(f"{stuck} of {len(runs)} were stuck before {pairs} pairs (bar: none)")
    return risen < wanted or fallen > allowed or stuck > 0


if __name__ == "__main__":
    sys.exit(main())
