"""What clients were promised: every acknowledged thing, to be looked for once the killing is over."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rated:
    """An answer as its rater sent it."""

    option_id: str
    judge_id: str
    score: int | None
    skip: str | None


@dataclass
class Ledger:
    """What was acknowledged under the load of one study, and what should not have been answered."""

    rated: dict[str, Rated] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    present: dict[str, str] = field(default_factory=dict)  # input id -> hash of its bytes
    removed: set[str] = field(default_factory=set)
    uploads: list[str] = field(default_factory=list)  # experiments that were made of them
    promoted: dict[int, str] = field(default_factory=dict)  # what each move made live
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, number: int = 1) -> None:
        """Count something that happened."""
        with self.lock:
            self.counts[what] += number

    def fault(self, what: str) -> None:
        """Keep an answer that no client should get."""
        with self.lock:
            self.faults.append(what)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Mark that a client waits for the answer to a write."""
        with self.lock:
            self.in_flight += 1
        try:
            yield
        finally:
            with self.lock:
                self.in_flight -= 1

    def await_sending(self, patience: float) -> None:
        """Wait until some client waits for an answer; it is no fault where none does in time."""
        end = time.monotonic() + patience
        while self.in_flight == 0 and time.monotonic() < end:
            time.sleep(0.001)
