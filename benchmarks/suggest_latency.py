"""How much CPU time and memory does one request take? Palate beside scikit-optimize and Optuna, from nothing.

Run with `python -m benchmarks.suggest_latency [--quick] [--check]`. From nothing means that a request brings the whole
history and nothing is kept from the one before; peers are told the same history at once, then asked. A space of nine
parameters, one rating for each of so many points: repeated points are cheaper. One core; every line is of a process of
its own, in which the work is done several times, imports left out. Times are the best of these; ratios are of means,
with standard errors. `--check` fails where a request takes longer or more memory than the limits.
"""

import argparse
import importlib
import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from ml_service.optimizer.space import SearchSpace
from ml_service.wire.contract import (
    CategoryParameter,
    FloatParameter,
    IntParameter,
    Observation,
    ParameterSpace,
)

LIMITS = {200: 0.2, 3000: 2.0}  # seconds of one suggestion after so many ratings
JOINT, BESIDE = 2.0, 4  # times one suggestion that so many joint ones may take
MEGABYTES = 300  # at most, after MEMORY_AT ratings
MEMORY_AT = 3000
ROUNDS = 5
START = datetime(2026, 1, 1, tzinfo=UTC)


def _choices(count: int) -> CategoryParameter:
    names = tuple(f"way-{number}" for number in range(count))
    return CategoryParameter(choices=names, default=names[0])


SPACE = ParameterSpace(
    parameters={
        "exposure": FloatParameter(low=-1, high=1, default=0),
        "contrast": FloatParameter(low=0.5, high=2, default=1, scale="log"),
        "saturation": FloatParameter(low=0.5, high=2, default=1, scale="log"),
        "warmth": FloatParameter(low=-1, high=1, default=0),
        "strength": FloatParameter(low=0.05, high=5, default=0.5, scale="log"),
        "grain": FloatParameter(low=0, high=1, default=0, step=0.1),
        "steps": IntParameter(low=1, high=12, default=4),
        "style": _choices(5),
        "tone": _choices(6),
    }
)


@dataclass(frozen=True)
class Work:
    """What is measured: a system, its task and the ratings in its history, and how often; 0 rounds: only memory."""

    system: str
    task: str
    ratings: int
    rounds: int = ROUNDS


@dataclass(frozen=True)
class Measured:
    """CPU seconds of each round, and the peak memory of the process in megabytes, before the first and at the end."""

    seconds: tuple[float, ...]
    imports: float
    peak: float

    @property
    def best(self) -> float:
        """Return the fastest round."""
        return min(self.seconds)


def history(count: int) -> tuple[Observation, ...]:
    """Return so many ratings by six raters of 40 items, each of another point."""
    random, search = np.random.default_rng(count), SearchSpace(SPACE)
    rows = search.random(random, count)
    quality = 4.4 - 6 * np.square(rows - random.random(rows.shape[1])).mean(1)
    levels, items = random.normal(0, 0.4, 6), random.normal(0, 0.35, 40)
    rater, item = random.integers(6, size=count), random.integers(40, size=count)
    stars = np.clip(np.rint(quality + levels[rater] + items[item] + random.normal(0, 0.7, count)), 1, 5)
    return tuple(
        Observation(
            point=point,
            rating=float(stars[i]),
            rater=f"rater-{rater[i]}",
            item=f"item-{item[i]}",
            output=f"output-{i}",
            generator="g",
            version="v1.0.0",
            at=START + timedelta(seconds=i),
        )
        for i, point in enumerate(search.points(rows))
    )


def suggestion(seen: tuple[Observation, ...], count: int) -> Callable[[], object]:
    """Return Palate's work of suggesting options that are shown side by side."""
    optimizer, contract = (
        importlib.import_module(f"ml_service.{name}") for name in ("optimizer.suggest", "wire.contract")
    )
    request = contract.SuggestRequest(spaces={"g": SPACE}, seen=seen, item="item-0", count=count)
    return lambda: optimizer.suggest(request)


def diagnosis(seen: tuple[Observation, ...]) -> Callable[[], object]:
    """Return Palate's work of saying what was learnt."""
    optimizer, contract = (
        importlib.import_module(f"ml_service.{name}") for name in ("optimizer.suggest", "wire.contract")
    )
    request = contract.DiagnoseRequest(spaces={"g": SPACE}, seen=seen)
    return lambda: optimizer.diagnose(request)


def scikit_optimize(seen: tuple[Observation, ...]) -> Callable[[], object]:
    """Return the work of `skopt.Optimizer` at its defaults: told all, asked for one."""
    skopt, space = importlib.import_module("skopt"), importlib.import_module("benchmarks.dimensions")
    rows, values = [[one.point[name] for name in SPACE.parameters] for one in seen], [-one.rating for one in seen]

    def work() -> object:
        optimizer = skopt.Optimizer(space.dimensions(SPACE), random_state=0)
        optimizer.tell(rows, values)
        return optimizer.ask()

    return work


def optuna(seen: tuple[Observation, ...], sampler: str) -> Callable[[], object]:
    """Return the work of an Optuna study with a sampler: given all trials, asked for one."""
    module = importlib.import_module("optuna")
    module.logging.set_verbosity(module.logging.ERROR)
    kinds = {name: _optuna_distribution(module.distributions, p) for name, p in SPACE.parameters.items()}
    samplers = {
        "TPE": lambda: module.samplers.TPESampler(multivariate=True, constant_liar=True, seed=0),
        "GP": lambda: module.samplers.GPSampler(seed=0),
    }

    def work() -> object:
        study = module.create_study(direction="maximize", sampler=samplers[sampler]())
        study.add_trials(
            [module.trial.create_trial(params=one.point, distributions=kinds, value=one.rating) for one in seen]
        )
        return study.ask(kinds).params

    return work


def _optuna_distribution(kinds: Any, parameter: Any) -> Any:
    if isinstance(parameter, CategoryParameter):
        return kinds.CategoricalDistribution(parameter.choices)
    if isinstance(parameter, IntParameter):
        return kinds.IntDistribution(parameter.low, parameter.high)
    log = parameter.scale == "log"
    return kinds.FloatDistribution(parameter.low, parameter.high, log=log, step=parameter.step)


WORKS: Mapping[tuple[str, str], Callable[[tuple[Observation, ...]], Callable[[], object]]] = {
    ("Palate", "one"): lambda seen: suggestion(seen, 1),
    ("Palate", "four joint"): lambda seen: suggestion(seen, BESIDE),
    ("Palate", "diagnosis"): diagnosis,
    ("scikit-optimize gp_hedge", "one"): scikit_optimize,
    ("Optuna TPE", "one"): lambda seen: optuna(seen, "TPE"),
    ("Optuna GP", "one"): lambda seen: optuna(seen, "GP"),
}


def plan(*, quick: bool) -> list[Work]:
    """List what is measured; slow peers are only asked where they answer within a minute."""
    palate = [Work("Palate", task, at) for at in (50, 200, 1000, 3000) for task in ("one", "four joint", "diagnosis")]
    palate.append(Work("Palate", "one", 30_000, 1))
    peers = [Work("scikit-optimize gp_hedge", "one", at, 3) for at in (50, 200)]
    if importlib.util.find_spec("optuna"):
        peers += [Work("Optuna TPE", "one", at) for at in (50, 200, 1000, 3000)]
    if importlib.util.find_spec("optuna") and importlib.util.find_spec("torch"):
        peers += [Work("Optuna GP", "one", at, 3) for at in (50, 200)]
    if not quick:
        return palate + peers
    kept = [work for work in palate if work.ratings in LIMITS and work.task != "diagnosis"]
    return kept + [
        peer for peer in peers if (peer.system, peer.ratings) in (("Optuna TPE", 200), (peers[0].system, 50))
    ]


def measure(work: Work) -> Measured:
    """Do a piece of work in this process."""
    do = WORKS[work.system, work.task](history(work.ratings))
    imports = _peak()
    seconds = []
    for _ in range(work.rounds):
        start = time.process_time()
        do()
        seconds.append(time.process_time() - start)
    return Measured(tuple(seconds), imports, _peak())


def in_a_fresh_process(work: Work) -> Measured:
    """Do a piece of work in a process of its own, on one thread."""
    words = [work.system, work.task, str(work.ratings), str(work.rounds)]
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.suggest_latency", "--measure", *words]
    done = subprocess.run(command, env=os.environ | threads, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return Measured(tuple(found["seconds"]), found["imports"], found["peak"])


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ratio(one: Measured, other: Measured) -> str:
    """Return the mean seconds of one as a ratio to those of another, with its standard error."""
    means = [float(np.mean(each.seconds)) for each in (one, other)]
    errors = [float(np.std(each.seconds, ddof=1)) / np.sqrt(len(each.seconds)) for each in (one, other)]
    value = means[0] / means[1]
    return f"{value:.3g} ± {value * np.hypot(errors[0] / means[0], errors[1] / means[1]):.1g}"


def line(work: Work, found: Measured, all_found: Mapping[Work, Measured]) -> str:
    """Return a line of the table; a peer's says how Palate's time for the same compares with its own."""
    text = f"{work.system:26}{work.task:12}{work.ratings:>8,}{found.best:10.3f} s{found.peak:8.0f} MB"
    ours = all_found.get(Work("Palate", "one", work.ratings))
    if work.system == "Palate" or ours is None:
        return text
    return f"{text}   Palate ÷ it {ratio(ours, found)}"


def faults(found: Mapping[Work, Measured]) -> list[str]:
    """Say which limits are passed."""
    said = []
    for at, limit in LIMITS.items():
        one, four = found[Work("Palate", "one", at)], found[Work("Palate", "four joint", at)]
        if one.best >= limit:
            said.append(f"{one.best:.3f} s at {at} ratings, limit {limit:g} s")
        if four.best >= JOINT * one.best:
            said.append(f"four joint options at {at} ratings take {four.best / one.best:.2f} × one, limit {JOINT:g}")
    peak = found[Work("Palate", "four joint", MEMORY_AT)].peak
    return said + ([f"{peak:.0f} MB at {MEMORY_AT} ratings, limit {MEGABYTES} MB"] if peak >= MEGABYTES else [])


def report(found: Mapping[Work, Measured]) -> None:
    """Print the ratio of four joint options to one, memory, and last the figures that are checked."""
    for at in LIMITS:
        one, four = found[Work("Palate", "one", at)], found[Work("Palate", "four joint", at)]
        print(f"four joint options ÷ one at {at} ratings: {ratio(four, one)}; of the best {four.best / one.best:.2f}")
    memory = found[Work("Palate", "four joint", MEMORY_AT)]
    print(
        f"memory at {MEMORY_AT} ratings: {memory.peak:.0f} MB, of which {memory.imports:.0f} before the first request"
    )
    times = ", ".join(f"{found[Work('Palate', 'one', at)].best:.3f} s at {at}" for at in LIMITS)
    print(f"one suggestion, CPU time from nothing: {times}; limits {', '.join(f'{s:g} s' for s in LIMITS.values())}")


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print and, if asked, check; with --measure only one piece of work, in this process, as JSON."""
    parser = argparse.ArgumentParser("python -m benchmarks.suggest_latency", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="only what is checked, and one size of two peers")
    parser.add_argument("--check", action="store_true", help="exit 1 where a limit is passed")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args(words)
    if chosen.measure:
        system, task, ratings, rounds = chosen.measure
        one = measure(Work(system, task, int(ratings), int(rounds)))
        print(json.dumps(vars(one)))
        return 0
    print(f"{'system':26}{'asked for':12}{'ratings':>8}{'best CPU':>12}{'peak':>11}")
    found: dict[Work, Measured] = {}
    for work in plan(quick=chosen.quick):
        found[work] = in_a_fresh_process(work)
        print(line(work, found[work], found), flush=True)
    report(found)
    passed = faults(found)
    for fault in passed:
        print(f"OVER: {fault}")
    return int(chosen.check and bool(passed))


if __name__ == "__main__":
    sys.exit(main())
