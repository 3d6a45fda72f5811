"""Web and worker processes are killed at random under load: nothing acknowledged is lost, nothing happens twice.

PALATE_KILLS says how many times; `make test-full` asks for a hundred on each engine.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from tests.killing.checks import TAKEOVER, WORK, look, settle
from tests.killing.clients import Browser, Client, Collector, Rater, Uploader, signed_in
from tests.killing.ledger import Ledger
from tests.killing.product import Process, Product
from tests.killing.publisher import Publisher
from web.domain.access import Role
from web.domain.studies.study import Study

KILLS = int(os.environ.get("PALATE_KILLS", "2"))
EACH = 10  # kills under the load of one study: a longer history only makes the optimizer slow
WHOLE = 50  # from so many kills on, what the last one left is waited for, as long as its claims last
SEED = 20294  # a worker first, then everything
FIRST_INPUTS = 4
ROLES: tuple[Role, ...] = ("rater", "rater", "rater", "admin", "admin")


class Killer:
    """Kills processes at moments and in numbers that a seed decides."""

    def __init__(self, product: Product, ledger: Ledger, chance: random.Random) -> None:
        self.product, self.ledger, self.random = product, ledger, chance

    def strike(self, *, last: bool) -> None:
        """Kill a server, a worker or everything while some client waits for an answer, and start it again."""
        time.sleep(self.random.uniform(0, 0.8))
        victims = self._victims()
        self.ledger.await_sending(1.0)
        time.sleep(self.random.uniform(0, 0.03))
        for victim in victims:
            victim.kill()
        self.ledger.count("killed", len(victims))
        if not last:
            self.product.lapse()
        self.product.start()
        if last or self.random.random() < 0.85:  # else the next one strikes while this one still starts
            self.product.wait()

    def _victims(self) -> list[Process]:
        groups: list[list[Process]] = [
            [self.random.choice(self.product.webs)],
            [self.random.choice(self.product.workers)],
            self.product.processes,
        ]
        return self.random.choices(groups, (4, 4, 2))[0]


@contextmanager
def loaded(clients: list[Client]) -> Iterator[None]:
    """Let clients work until the block is left, and then until the last of them has its answer."""
    stop = threading.Event()
    with ThreadPoolExecutor(len(clients)) as pool:
        at_work: list[Future[None]] = [pool.submit(client.work, stop) for client in clients]
        try:
            yield
        finally:
            stop.set()
        for each in at_work:
            each.result()


def test_nothing_acknowledged_is_lost_or_doubled_by_kills(
    product: Product, capsys: pytest.CaptureFixture[str], database: str
) -> None:
    chance, told, began = random.Random(SEED), Counter[str](), time.monotonic()
    with ExitStack() as stack:
        people = [stack.enter_context(signed_in(product, role)) for role in ROLES]
        for first in range(0, KILLS, EACH):
            rounds = min(EACH, KILLS - first)
            whole = KILLS >= WHOLE and first + rounds == KILLS
            with product.studying(f"Kills from {first + 1} on") as study:
                told += under_fire(product, study, people, chance, rounds, whole=whole)
    with capsys.disabled():
        seconds = time.monotonic() - began
        print(f"\n{database.partition(':')[0]}: {KILLS} rounds in {seconds:.0f} s: {dict(sorted(told.items()))}")
    assert told["killed"] >= KILLS
    assert all(told[what] > 0 for what in ("retried", "inputs", "uploads", "promoted"))


def under_fire(
    product: Product, study: Study, people: list[Browser], chance: random.Random, rounds: int, *, whole: bool
) -> Counter[str]:
    """Load a study, kill so many times, and look what has become of all that was acknowledged."""
    ledger = Ledger()
    one, two, uploading, adding, publishing = people
    collector = Collector(adding, study, ledger)
    clients: list[Client] = [Rater(one, study, ledger), Rater(two, study, ledger), Uploader(uploading, study, ledger)]
    clients += [collector, Publisher(publishing, study, ledger)]
    for _ in range(FIRST_INPUTS):
        collector.add_one()
    killer = Killer(product, ledger, chance)
    with loaded(clients):
        for number in range(rounds):
            killer.strike(last=whole and number + 1 == rounds)
    settle(product, study, TAKEOVER + WORK)
    look(product, study, ledger, uploading)
    return ledger.counts
