"""What does a start cost? Today's code beside that of an earlier commit, in pairs, each start in a process of its own.

Run with `python -m benchmarks.starts [--quick] [--check]`. CPU seconds, the system's included, of importing the app and
of a command that needs no numbers, each with both codes in turn, on the same packages and the same kind of place; and
the memory of a server and of its worker while nobody asks for anything. `--check` fails where a start takes a larger
part of what it took than the limits say.
"""

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from benchmarks.ratios import Ratio, paired_ratio

BEFORE = "07872f8"
ROUNDS, QUICK_ROUNDS = 15, 3
SETTLING = 1.0  # seconds after which an idle process holds what it holds
PATIENCE = 60.0
HERE = Path(__file__).parents[1]
WORKS: Mapping[str, tuple[str, ...]] = {
    "import web.app": ("-c", "import web.app"),
    "key list": ("-m", "web", "key", "list"),
}
LIMITS = {"import web.app": 0.65, "key list": 0.4}


@dataclass(frozen=True)
class Idle:
    """Memory of a server and of its worker while nobody asks for anything, in megabytes."""

    server: float
    worker: float


def spent(code: Path, place: Path, words: Sequence[str]) -> float:
    """Run Python with some code once; return the CPU seconds of the process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], cwd=code, env=_settings(code, place), capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def idle(code: Path, place: Path) -> Idle:
    """Start a server with its worker, wait until both are up and at rest, and look at their memory."""
    command = [sys.executable, "-m", "web", "serve", "--port", "0"]
    server = subprocess.Popen(command, cwd=code, env=_settings(code, place), stdout=-1, stderr=subprocess.DEVNULL)
    try:
        worker = _child_at_rest(server.pid)
        return Idle(_resident(server.pid), _resident(worker))
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _settings(code: Path, place: Path) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": str(code),
        "DATA_DIR": str(place / "data"),
        "PROMPTS_DIR": str(place / "prompts"),
    }


def _child_at_rest(pid: int) -> int:
    """Return the worker of a server once neither has used the CPU for a while."""
    until, known = time.monotonic() + PATIENCE, (0, 0)
    while time.monotonic() < until:
        time.sleep(SETTLING)
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        threads = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in _children(task)]
        workers = [int(child) for child in (*children, *threads)]
        used = (_used(pid), _used(workers[0]) if workers else 0)
        if workers and known[0] and used[0] - known[0] < 30 and used[1] - known[1] < 30:
            return workers[0]
        known = used
    raise SystemExit("The server and its worker did not come to rest.")


def _children(task: Path) -> list[str]:
    return (task / "children").read_text().split()


def _used(pid: int) -> int:
    """Return the clock ticks that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _resident(pid: int) -> float:
    kilobytes = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(kilobytes[1]) / 1024 if kilobytes else float("nan")


@contextmanager
def code_of(commit: str) -> Iterator[Path]:
    """Unpack the code of a commit until the block is left."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["git", "archive", commit], cwd=HERE, capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"This checkout does not have the commit {commit}; fetch the whole history.")
        with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def ratios(here: Path, old: Path, there: Path, rounds: int) -> dict[str, Ratio]:
    """Return what each start costs as a part of what it cost, both measured in turn, each code at its own place."""
    found = {}
    for name, words in WORKS.items():
        pairs = [(spent(HERE, here, words), spent(old, there, words)) for _ in range(rounds + 1)][1:]
        ours, theirs = zip(*pairs, strict=True)
        found[name] = paired_ratio(ours, theirs)
        print(f"{name:16}{min(ours):8.2f} s CPU{min(theirs):8.2f} s at {BEFORE}   ratio {found[name]}", flush=True)
    return found


def measured(old: Path, rounds: int) -> dict[str, Ratio]:
    """Start both codes at places of their own, and say what that costs."""
    with tempfile.TemporaryDirectory() as folder:
        here, there = Path(folder, "here"), Path(folder, "there")
        for place, code in ((here, HERE), (there, old)):
            shutil.copytree(code / "prompts", place / "prompts")
        for code, place in ((HERE, here), (old, there)):
            idle(code, place)  # the first start makes the database and the demo
        ours, theirs = idle(HERE, here), idle(old, there)
        print(f"idle server     {ours.server:8.0f} MB   {theirs.server:8.0f} MB at {BEFORE}")
        print(f"idle worker     {ours.worker:8.0f} MB   {theirs.worker:8.0f} MB at {BEFORE}", flush=True)
        return ratios(here, old, there, rounds)


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print and, if asked, check."""
    parser = argparse.ArgumentParser("python -m benchmarks.starts", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few starts")
    parser.add_argument("--check", action="store_true", help="exit 1 where a start takes more than its limit")
    chosen = parser.parse_args(words)
    with code_of(BEFORE) as old:
        found = measured(old, QUICK_ROUNDS if chosen.quick else ROUNDS)
    over = [name for name, limit in LIMITS.items() if found[name].value > limit]
    for name in over:
        print(f"OVER: {name} takes {found[name].value:.2f} of what it took, limit {LIMITS[name]:g}")
    print("; ".join(f"{name} {found[name]} of {BEFORE}, limit {LIMITS[name]:g}" for name in WORKS))
    return int(chosen.check and bool(over))


if __name__ == "__main__":
    sys.exit(main())
