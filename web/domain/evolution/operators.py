"""Which operators a round asks for: those whose candidates passed the gates and won tests, by Thompson sampling.

What an operator is worth is the chance that its candidate passes the gates, times the chance that what passed wins its
test. Both are drawn from what is believed of them after all that was proposed before, and each place of a round goes to
the operator with the largest draw: one that has won is asked for more often, and one of which little is known keeps its
turn. A place that an operator has in the round already counts against it like a test that was lost, and none has all
of them, so that a round does not bet everything on one idea. Merging is rare, for it makes nothing that is new.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from web.domain.abtests.abtest import ABTest
from web.domain.evolution.evolution import Round
from web.domain.evolution.reflection import ASKED, Operator

PLACES = 3  # candidates that a round asks for
MOST_PLACES = 2  # of one operator
# What is thought of an operator before anything is known: passed to one refused, and lost to one won.
PASSES, LOSES = 4.0, 3.0
MERGES = (0.10, 0.15)  # how often a round merges where it can: from this to that, the more often merging has won


@dataclass(frozen=True)
class Record:
    """What became of the candidates of one operator: refused by a gate, or tested and then better, or not."""

    refused: int = 0
    won: int = 0
    lost: int = 0
    undecided: int = 0

    @property
    def passed(self) -> int:
        """Count the candidates that passed the gates."""
        return self.won + self.lost + self.undecided


def records(rounds: Iterable[Round], tests: Iterable[ABTest]) -> dict[Operator, Record]:
    """Return what became of the candidates of each operator; a winner that was rolled back has lost."""
    known = {test.id: test for test in tests}
    undone = {
        one.champion for one in known.values() if one.kind == "hold_back" and one.decision and one.decision.winner
    }
    counted: dict[str, Counter[str]] = {name: Counter() for name in (*ASKED, "merge")}
    for told in rounds:
        for one in told.proposed:
            if one.operator in counted and one.gate != "room":
                test = known.get(told.test_id or "")
                counted[one.operator][_fate(one.version_id, test, undone)] += 1
    return {name: Record(**counted[name]) for name in (*ASKED, "merge")}


def drawn(found: Mapping[Operator, Record], seed: int, *, can_merge: bool) -> tuple[Operator, ...]:
    """Return the operators that a round asks for, one for each place; the same for a seed."""
    random = np.random.default_rng(seed)
    asked: list[Operator] = []
    for _ in range(PLACES):
        open_now = [name for name in ASKED if asked.count(name) < MOST_PLACES]
        worth = {name: _drawn(found.get(name, Record()), asked.count(name), random) for name in open_now}
        asked.append(max(worth, key=lambda name: worth[name]))
    least, most = MERGES
    chance = least + (most - least) * _drawn(found.get("merge", Record()), 0, random)
    if random.random() < chance and can_merge:
        asked[-1] = "merge"
    return tuple(asked)


def _drawn(record: Record, placed: int, random: np.random.Generator) -> float:
    passes = random.beta(PASSES + record.passed, 1 + record.refused)
    return float(passes * random.beta(1 + record.won, LOSES + record.lost + placed))


def _fate(version_id: str | None, test: ABTest | None, undone: set[str]) -> str:
    if version_id is None:
        return "refused"
    if test is None or test.decision is None or test.decision.outcome in ("stopped", "outdated"):
        return "undecided"
    return "won" if test.decision.winner == version_id and version_id not in undone else "lost"
