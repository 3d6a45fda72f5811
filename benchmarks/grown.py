"""What do pages and downloads take of a project that has lived for years? Beside one with a tenth of the ratings.

Run with `python -m benchmarks.grown [--quick] [--check]`. CPU seconds and kilobytes of each answer to an admin, on
SQLite, in this process, with 6,000 and with 60,000 ratings and the same photos, people, versions and tests; the
quicker of two. `--check` exits 1 where a page is larger than 200 kB, or where the history's CSV takes more than 15
times as long for ten times the rows.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.grounds import Grounds, Person, lived
from tests.grown import Many

RATINGS, QUICK = 6_000, 1_000
TIMES = 10
MOST_KB = 200.0
MOST_TIMES = 15.0
MANY = Many(people=60, studies=60, inputs=300, versions=60, prompts=20, tests=20, diagnoses=60, sitting=40)
HISTORY = "/api/train/history.csv"
PAGES = (
    "/status",
    "/history",
    "/history/{experiment_id}",
    "/admin/raters",
    "/admin/studies",
    "/admin/studies/{study_id}",
    "/admin/people",
    "/admin/prompts/{key}",
    "/admin/abtests",
    "/admin/abtests/{test_id}",
    "/admin/evolution",
    "/admin/evolution/{study_id}/issues",
    "/admin/audit",
)
DOWNLOADS = (
    HISTORY,
    f"{HISTORY}?study={{study_id}}",
    "/api/train/history.json",
    "/api/v1/studies/{study_id}/scores.csv",
    "/api/v1/studies/{study_id}/raters.csv",
    "/api/v1/pay.csv",
    "/api/v1/audit.csv",
)


@dataclass(frozen=True, order=True)
class Answer:
    """What one answer took: CPU seconds, and kilobytes."""

    seconds: float
    kilobytes: float


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} and {QUICK * TIMES:,} ratings")
    parser.add_argument("--check", action="store_true", help="exit 1 where a page is large or the CSV is not linear")
    told = parser.parse_args()
    few = QUICK if told.quick else RATINGS
    less, more = measured(few), measured(few * TIMES)
    print(f"{'':44} {few:>10,} ratings {few * TIMES:>16,}")
    for address, one in less.items():
        ten = more[address]
        print(f"{address:44} {_told(one)} {_told(ten)} × {ten.seconds / one.seconds:5.1f}")
    large = [address for address in PAGES if more[address].kilobytes > MOST_KB]
    grew = more[HISTORY].seconds / less[HISTORY].seconds
    print(
        f"{len(large)} pages above {MOST_KB:.0f} kB; the history's CSV took × {grew:.1f} as long (bar {MOST_TIMES:g})"
    )
    return 1 if told.check and (large or grew > MOST_TIMES) else 0


def measured(ratings: int) -> Mapping[str, Answer]:
    """Return what each page and download takes with so many ratings."""
    with grown(ratings) as grounds:
        admin = grounds.person("admin")
        paths = {address: address.format_map(grounds.ids) for address in (*PAGES, *DOWNLOADS)}
        return {address: min(_asked(grounds, admin, path) for _ in range(2)) for address, path in paths.items()}


def _asked(grounds: Grounds, admin: Person, path: str) -> Answer:
    began = time.process_time()
    answer = grounds.send(admin, "GET", path)
    taken = time.process_time() - began
    answer.raise_for_status()
    return Answer(taken, len(answer.content) / 1000)


@contextmanager
def grown(ratings: int) -> Iterator[Grounds]:
    """Make a site that has grown, and ids of what grew."""
    with tempfile.TemporaryDirectory() as place, lived(Path(place), ratings, MANY) as grounds:
        yield grounds


def _told(one: Answer) -> str:
    return f"{one.seconds:8.2f} s {one.kilobytes:8.0f} kB"


if __name__ == "__main__":
    sys.exit(main())
