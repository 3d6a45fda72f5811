"""What does the page of photos take with 100,000 of them, and are 1,000 files stored once that a closed tab cut short?

Run with `python -m benchmarks.photos_page [--quick] [--check]`. CPU milliseconds of an answer to an admin, those of the
database's own processes with them, on SQLite and Postgres, with 1,000 and 100,000 photos of which a tenth are rated;
the size of the page; then a folder of 1,000 files of 50 kB, chosen in Chromium on the real server, the tab closed
half-way and the folder chosen again (with `--quick` SQLite alone, and 60 files). `--check` exits 1 where a page takes
300 CPU-ms or 150 kB, a search 200 CPU-ms, where not every file is stored once, or where the web process takes 400 MB.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient

from benchmarks.photos_upload import sent_with_a_closed_tab
from benchmarks.ratios import mean_and_error
from tests import postgres
from tests.clock import FixedClock
from tests.site import Site
from tests.world import World, make_world
from web.adapters.database.migrate import migrate
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.domain.rating.rating import Answer, Rating
from web.domain.studies.experiment import Experiment, Option
from web.domain.studies.study import Input
from web.services.prompts import pointers
from web.settings import Settings

FEW, MANY = 1_000, 100_000
RATED = 10  # one of so many
AT_ONCE = 5_000  # rows that are put in together
PAGE_MS, SEARCH_MS, PAGE_KB, MOST_MB = 300.0, 200.0, 150.0, 400.0
STRATA = ("beach", "city", "forest", "night")
ASKED = {
    "the first page": "",
    "a page in the middle": "?after={middle}",
    "a search that finds few": "?q=-077",
    "a search that finds nothing": "?q=no+such+name",
    "rated": "?rated=yes",
    "unrated of a stratum": "?rated=no&stratum=forest",
    "held out": "?held=yes",
    "of days": "?since=2026-02-01&until=2026-02-02",
}
SEARCHES = tuple(name for name in ASKED if name.startswith("a search"))


@dataclass(frozen=True)
class Taken:
    """What answers took: CPU milliseconds of each, and kilobytes of one."""

    milliseconds: tuple[float, ...]
    kilobytes: float

    @property
    def mean(self) -> float:
        """The mean CPU milliseconds."""
        return float(np.mean(self.milliseconds))


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="3 answers of each kind instead of 15, SQLite, 60 files")
    parser.add_argument("--check", action="store_true", help="exit 1 where a bar is not held")
    told = parser.parse_args()
    rounds = 3 if told.quick else 15
    worst = [_compared(engine, rounds) for engine in (("sqlite",) if told.quick else ("sqlite", "postgres"))]
    page, search, kilobytes = (max(one[place] for one in worst) for place in range(3))
    sent = sent_with_a_closed_tab(60 if told.quick else 1_000)
    print(sent)
    print(
        f"{page:.0f}  CPU ms of the dearest page of {MANY:,} photos (bar {PAGE_MS:.0f}); {search:.0f} of a search "
        f"(bar {SEARCH_MS:.0f}); {kilobytes:.0f} kB (bar {PAGE_KB:.0f})"
    )
    held = page < PAGE_MS and search < SEARCH_MS and kilobytes < PAGE_KB and sent.is_right and sent.megabytes < MOST_MB
    return 1 if told.check and not held else 0


def _compared(engine: str, rounds: int) -> tuple[float, float, float]:
    """Print what answers take on an engine; return the dearest page's, the dearest search's, and the largest page."""
    few, many = measured(engine, FEW, rounds), measured(engine, MANY, rounds)
    print(f"{engine:30} {FEW:>16,} {MANY:>20,} photos")
    for name, one in few.items():
        ratio, error = _ratio(many[name].milliseconds, one.milliseconds)
        print(f"{name:30} {_told(one)} {_told(many[name])}  × {ratio:.1f} ± {error:.1f}")
    return (
        max(one.mean for one in many.values()),
        max(many[name].mean for name in SEARCHES),
        max(one.kilobytes for one in many.values()),
    )


def measured(engine: str, photos: int, rounds: int) -> Mapping[str, Taken]:
    """Return what each kind of answer takes with so many photos."""
    with tempfile.TemporaryDirectory() as folder, _stores(engine, Path(folder)) as (store, database_cpu):
        world = make_world(store, FixedClock(), Path(folder), inputs=0)
        middle = fill(world, photos)
        with store.engines.writer.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
        admin = Site(world, Settings(_env_file=None, data_dir=Path(folder))).signed_in("admin")
        place = f"/admin/studies/{world.study.id}/photos"
        paths = {name: place + query.format(middle=middle) for name, query in ASKED.items()}
        return {name: _asked(admin, path, rounds, database_cpu) for name, path in paths.items()}


def _asked(admin: TestClient, path: str, rounds: int, database_cpu: Callable[[], float]) -> Taken:
    found, size = [], 0
    for number in range(rounds + 1):
        began = time.process_time() + database_cpu()
        answer = admin.get(path).raise_for_status()
        if number:  # the first compiles what all others use
            found.append((time.process_time() + database_cpu() - began) * 1000)
        size = len(answer.content)
    return Taken(tuple(found), size / 1000)


def fill(world: World, photos: int) -> str:
    """Put so many photos into the study of a world, a tenth of them rated; return the id of the one in the middle."""
    ids = [new_id() for _ in range(photos)]
    begins = world.clock.now() - timedelta(days=60)
    with world.parts.store.begin() as tx:
        version = pointers.live_version(tx, world.study.prompt_key).id
        for at in range(0, photos, AT_ONCE):
            some = range(at, min(at + AT_ONCE, photos))
            step = timedelta(days=60) / photos
            tx.inputs.add_all(_photo(world, ids[number], number, begins + number * step) for number in some)
            _rate(tx, world, version, [ids[number] for number in some if number % RATED == 0])
    return ids[photos // 2]


def _photo(world: World, input_id: str, number: int, at: object) -> Input:
    name = f"IMG-{number:06}-{number % 997:03}.jpg"
    key = f"inputs/{input_id}"
    one = Input(input_id, world.study.id, "image", name, f"{number:064x}", key, "image/jpeg", at, 4000, 3000)  # type: ignore[arg-type]
    about = {"stratum": STRATA[number % len(STRATA)], "added_by": world.admin.user_id, "held_out": number % 50 == 0}
    return Input(**{**vars(one), **about})


def _rate(tx: object, world: World, version: str, ids: list[str]) -> None:
    now, study = world.clock.now(), world.study.id
    experiments = [Experiment(new_id(), study, one, "explore", "closed", now, now) for one in ids]
    options = [
        Option(new_id(), one.id, study, one.input_id, 0, "local", version, {}, 0, "ready", "explore")
        for one in experiments
    ]
    tx.experiments.add_all(experiments)  # type: ignore[attr-defined]
    tx.options.add_all(options)  # type: ignore[attr-defined]
    given = [Rating.of(Answer(new_id(), one.id, 4), one, world.admin.user_id, now, late=False) for one in options]
    tx.ratings.add_all(given)  # type: ignore[attr-defined]


@contextmanager
def _stores(engine: str, folder: Path) -> Iterator[tuple[SqlStore, Callable[[], float]]]:
    """Open a migrated database, and a way to ask for the CPU seconds of its own processes."""
    if engine == "sqlite":
        migrate(f"sqlite:///{folder}/palate.db")
        store = SqlStore.open(f"sqlite:///{folder}/palate.db")
        yield store, lambda: 0.0
        store.close()
        return
    with postgres.running() as server:
        url = server.url(server.make())
        migrate(url)
        store = SqlStore.open(url)
        yield store, lambda: _cpu_of_children(_postmaster(server.port))
        store.close()


def _postmaster(port: int) -> int:
    for place in Path("/proc").glob("[0-9]*"):
        command = (place / "cmdline").read_bytes().split(b"\0") if (place / "cmdline").exists() else []
        if command[0:1] and command[0].endswith(b"/postgres") and str(port).encode() in command:
            return int(place.name)
    raise RuntimeError("the database has no process")


def _cpu_of_children(parent: int) -> float:
    """Return the CPU seconds that the living children of a process have used."""
    ticks = 0
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        ticks += int(fields[11]) + int(fields[12]) if int(fields[1]) == parent else 0
    return ticks / 100


def _ratio(ours: tuple[float, ...], theirs: tuple[float, ...]) -> tuple[float, float]:
    (mine, error), (other, spread) = mean_and_error(ours), mean_and_error(theirs)
    return mine / other, mine / other * float(np.hypot(error / mine, spread / other))


def _told(one: Taken) -> str:
    mean, error = mean_and_error(one.milliseconds)
    return f"{mean:6.0f} ± {error:4.1f} ms {one.kilobytes:4.0f} kB"


if __name__ == "__main__":
    sys.exit(main())
