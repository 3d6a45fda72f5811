"""What does a tick cost a worker that has 200, and 10,000, prompts to look after? Beside a look at each of them.

Run with `python -m benchmarks.tick [--quick] [--check]`. The peer asks the database and the folder about each prompt,
as a tick must that remembers nothing. CPU milliseconds of one process, SQLite and a folder in the temporary directory;
all prompts are right, and every twentieth tick finds one that was just moved. `--check` exits 1 where a tick of 10,000
prompts takes 50 ms or more.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks.ratios import mean_and_error
from ml_service.objects.local import Folder
from web.adapters.database.clock import DatabaseClock
from web.adapters.database.migrate import migrate
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.prompts.prompt import DEFAULT_KEY, Prompt, PromptVersion, as_file, to_bytes
from web.domain.studies.study import Project
from web.jobs.schedule import tick
from web.ports.parts import Parts
from web.services.abtests.safeguard import watch_rows
from web.services.prompts import adoption, pointers, promotion
from web.services.prompts.publication import repair
from web.services.prompts.versions import current_path, version_path
from web.services.prompts.watch import Watch

FEW, MANY = 200, 10_000
BAR = 50.0  # CPU milliseconds of a tick of MANY prompts
MOVED_EVERY = 20
SHIPPED = Path("prompts")


@dataclass(frozen=True)
class Place:
    """A project with so many prompts, all of them published."""

    parts: Parts
    admin: Actor
    keys: tuple[str, ...]


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="40 ticks instead of 200, and no peer with 10,000 prompts")
    parser.add_argument("--check", action="store_true", help=f"exit 1 where {MANY:,} prompts take {BAR:.0f} ms or more")
    told = parser.parse_args()
    ticks = 40 if told.quick else 200
    few = measured(FEW, ticks, looks=5)
    many = measured(MANY, ticks, looks=0 if told.quick else 3)
    print(f"{many:.1f}  CPU ms a tick of {MANY:,} prompts (bar {BAR:.0f}); {few:.1f} of {FEW}")
    return 1 if told.check and many >= BAR else 0


def measured(count: int, ticks: int, looks: int) -> float:
    """Print what ticks of so many prompts cost, and looks at each prompt between them; return the mean of a tick."""
    with tempfile.TemporaryDirectory() as folder:
        place = make_place(Path(folder), count)
        try:
            watch = Watch()
            tick(place.parts, watch)
            while watch.due:
                tick(place.parts, watch)
            tick(place.parts, watch)
            short, long = [], []
            for at in range(ticks):
                if at % MOVED_EVERY == 0:
                    candidate_goes_live(place)
                short.append(_cpu(lambda: tick(place.parts, watch)))
                if at < looks:
                    long.append(_cpu(lambda: _look_at_each(place)))
        finally:
            cast(SqlStore, place.parts.store).close()
    print(f"{count:6,} prompts: {_told(short)} CPU ms a tick, at most {max(short):.1f}")
    if long:
        (ours, error), (theirs, spread) = mean_and_error(short), mean_and_error(long)
        share = ours / theirs
        off = share * np.hypot(error / ours, spread / theirs)
        print(f"{'':14} {_told(long)} where each is looked at; a tick takes {share:.4f} ± {off:.4f} of that")
    return float(np.mean(short))


def make_place(folder: Path, count: int) -> Place:
    """Make so many prompts of the shipped one's text, with one version each, and publish them."""
    migrate(f"sqlite:///{folder}/palate.db")
    store = SqlStore.open(f"sqlite:///{folder}/palate.db")
    shutil.copytree(SHIPPED, folder / "prompts")
    none = cast(Any, None)
    parts = Parts(store, none, Folder(folder / "prompts"), {}, none, none, DatabaseClock(), none, none, none)
    project = Project(new_id(), "Palate", parts.clock.now())
    with store.begin() as tx:
        tx.projects.add(project)
    adoption.adopt(parts, project.id)
    keys = tuple(f"prompt-{number:05}" for number in range(1, count))
    with store.begin() as tx:
        shipped = replace(pointers.live_version(tx, DEFAULT_KEY), parents=())
        for key in keys:
            _add(tx, parts, folder / "prompts", key, shipped)
    return Place(parts, Actor("", "the terminal", project.id, "admin"), (DEFAULT_KEY, *keys))


def _add(tx: Any, parts: Parts, folder: Path, key: str, shipped: PromptVersion) -> None:
    version = replace(shipped, id=new_id(), prompt_key=key)
    file = as_file(version, ())
    now = parts.clock.now()
    tx.prompts.add(Prompt(key, tx.prompts.get(shipped.prompt_key).project_id, now))
    tx.versions.add(replace(version, sha256=file.sha256))
    pointers.make(tx, key, version.id, now)
    for path in (version_path(key, file.version), current_path(key)):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(to_bytes(file))


def candidate_goes_live(place: Place) -> None:
    """Make another version of some prompt live, as somebody would at a page."""
    key = place.keys[len(place.keys) // 2]
    with place.parts.store.begin() as tx:
        pointer, live = pointers.live(tx, key)
        child = replace(
            live,
            id=new_id(),
            number=tx.of_prompts.next_number(key),
            name=None,
            status="candidate",
            sha256="",
            revision=0,
            parents=(live.id,),
            changelog=new_id(),
        )
        tx.versions.add(child)
    promotion.promote(place.parts, place.admin, key, child.id, pointer.revision)


def _look_at_each(place: Place) -> None:
    watch_rows(place.parts, place.keys)
    repair(place.parts, place.keys, whole=True)


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def _told(found: list[float]) -> str:
    mean, error = mean_and_error(found)
    return f"{mean:8.1f} ± {error:.1f}"


if __name__ == "__main__":
    sys.exit(main())
