"""Results of long benchmarks, kept once played, so that a run of hours can be broken off and taken up again.

Those of peers that take minutes each go with the repository, for they do not change with Palate; all others are of the
checkout that played them. A result counts as long as the code that it is of is today's.
"""

import json
import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import cv2

PLAYED, OWN = Path("benchmarks/played"), Path("var/benchmarks")
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

R = TypeVar("R", bound=Hashable)
R_co = TypeVar("R_co", covariant=True)
P = TypeVar("P", bound="Result[Any]")


class Result(Protocol[R_co]):
    """What was played, and by which code; a dataclass, for it is kept as JSON."""

    @property
    def run(self) -> R_co:
        """Return what was to be played."""
        ...

    @property
    def code(self) -> str:
        """Return which code it is of."""
        ...


@dataclass(frozen=True)
class Shelf(Generic[R, P]):
    """Where the results of one kind of run are kept: under which name, how they are played, read and told apart."""

    name: str
    play: Callable[[R], P]
    parse: Callable[[Mapping[str, Any]], P]
    code: Callable[[R], str]
    is_slow: Callable[[R], bool]

    def kept(self, runs: Iterable[R]) -> list[P]:
        """Return the results of those runs that are kept and are of today's code."""
        known = {(one.run, one.code): one for folder in (PLAYED, OWN) for one in self._read(folder)}
        found = (known.get((run, self.code(run))) for run in dict.fromkeys(runs))
        return [one for one in found if one is not None]

    def results(self, runs: Iterable[R], jobs: int) -> Iterator[P]:
        """Return the results of runs in any order: those kept from before, then those played now, kept as they end."""
        runs = list(dict.fromkeys(runs))
        known = self.kept(runs)
        yield from known
        done = {one.run for one in known}
        missing = [run for run in runs if run not in done]
        if not missing:
            return
        os.environ.update(ONE_THREAD)
        with ProcessPoolExecutor(jobs, get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
            for one in as_completed([pool.submit(self.play, run) for run in missing]):
                self._keep(one.result())
                yield one.result()

    def _file(self, folder: Path) -> Path:
        return folder / f"{self.name}.jsonl"

    def _read(self, folder: Path) -> Iterator[P]:
        file = self._file(folder)
        for line in file.read_text().splitlines() if file.exists() else []:
            yield self.parse(json.loads(line))

    def _keep(self, one: Any) -> None:
        file = self._file(PLAYED if self.is_slow(one.run) else OWN)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as lines:
            lines.write(json.dumps(asdict(one)) + "\n")
