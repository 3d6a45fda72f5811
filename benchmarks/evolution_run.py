"""One run of evolution by the product's own services: raters rate, rounds propose, tests decide, winners go live.

What its workers would be told by jobs is done here in turn, which is sooner and leaves out what the optimizer learns.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import stamina

from benchmarks.evolution_model import SLOT, script
from benchmarks.evolution_taste import Rater, Taste
from benchmarks.evolution_world import evolving_world
from tests.chat_server import chat_server
from tests.world import World, answer
from web.adapters.database.engine import connect
from web.adapters.database.store import SqlStore
from web.domain.abtests.abtest import ABTest
from web.domain.access import Actor
from web.domain.prompts.prompt import PromptVersion
from web.domain.rating.rating import Answer
from web.jobs import tasks
from web.rows.transaction import Transaction
from web.services.abtests import verdicts
from web.services.evolution import evolution
from web.services.making import generation
from web.services.prompts import pointers
from web.services.rating import training

HANDFUL = 6  # experiments that a rater takes at once
MOST_TURNS = 300


@dataclass(frozen=True)
class Move:
    """A version that went live by a test: what it says anew, what that is truly worth, and what the evidence was."""

    kind: str
    changelog: str
    worth: float
    evidence: float
    gain: float
    pairs: int


@dataclass(frozen=True)
class Run:
    """How one run went: true scores of what was live first and last, and of the best prompt; what happened between."""

    seed: int
    start: float
    end: float
    best: float
    pairs: int
    rounds: Mapping[str, int]
    tests: Mapping[str, int]
    operators: Mapping[str, int]
    moves: tuple[Move, ...]
    text: str

    @property
    def found(self) -> bool:
        """Tell whether what is live is as good as the hidden best prompt."""
        return self.end > self.best - 0.01


def play(seed: int, pairs: int, empty: str) -> Run:
    """Play one run on a copy of an empty database until so many pairs were judged."""
    stamina.set_testing(True, attempts=2)
    taste = Taste.drawn(seed)
    answers = script(np.random.default_rng([seed, 3]))
    with tempfile.TemporaryDirectory() as folder, _store(folder, empty) as store, chat_server(answers) as server:
        world, people = evolving_world(store, Path(folder), taste, seed, server.url)
        return _Play(world, people, taste, pairs).run()


@contextmanager
def _store(folder: str, empty: str) -> Iterator[SqlStore]:
    shutil.copy(empty, f"{folder}/palate.db")
    engines = connect(f"sqlite:///{folder}/palate.db")
    try:
        yield SqlStore(engines)
    finally:
        engines.dispose()


class _Play:
    """The raters of one run, and how far it is."""

    def __init__(self, world: World, people: list[Actor], taste: Taste, pairs: int) -> None:
        self.world, self.people, self.taste, self.pairs = world, people, taste, pairs
        self.random = np.random.default_rng([taste.seed, 4])
        self.raters = {person.user_id: Rater(self.random) for person in people}
        self.judged = 0

    def run(self) -> Run:
        """Rate until enough pairs were judged, and tell what came of it."""
        self._work()
        for _ in range(MOST_TURNS):
            for at in self.random.permutation(len(self.people)):
                self._rate(self.people[at])
            self.world.clock.advance(minutes=11)  # ratings are beyond undoing, so that pairs close
            if self._work() >= self.pairs:
                break
        with self.world.parts.store.read() as tx:
            return self._told(tx)

    def _work(self) -> int:
        """Do what workers would: close and decide, propose, plan and make; return how many pairs were judged."""
        parts, study = self.world.parts, self.world.study.id
        with parts.store.read() as tx:
            tests = tx.ab_tests.all(study_id=study, state="running")
        for test in tests:
            verdicts.follow(parts, test.id)
        asked = evolution.trigger(parts, study)
        if asked is not None:
            evolution.run(parts, asked.id)
        tasks.plan(parts, study)
        with parts.store.read() as tx:
            planned = tx.options.all(study_id=study, state="planned")
            self.judged = sum(bool(pair.raters) for pair in tx.ab_pairs.all())
        for option in planned:
            generation.make(parts, option.id)
        return self.judged

    def _rate(self, person: Actor) -> None:
        parts = self.world.parts
        held = training.next_items(parts, person, "tab", HANDFUL).held
        with parts.store.read() as tx:
            shown = tx.options.all(id=tuple(option.option_id for one in held for option in one.options))
            outputs = {one.id: one for one in tx.outputs.all(id=tuple(one.output_id or "" for one in shown))}
        keys = {option.id: outputs[option.output_id or ""].object_key for option in shown}
        answers: list[Answer] = []
        for one in held:
            mine = {option.option_id: keys[option.option_id] for option in one.options}
            answers += self._judged(self.raters[person.user_id], mine)
        if answers:
            training.rate(parts, person, answers)

    def _judged(self, rater: Rater, keys: Mapping[str, str]) -> Iterator[Answer]:
        """Judge the pictures of one experiment, one after the other."""
        before: int | None = None
        for option_id, key in keys.items():
            body = self.world.parts.objects.read(key)
            said = rater.says(self.taste, body, before)
            before = said.star
            yield answer(option_id, said.star, tags=said.tags, comment=said.comment)

    def _told(self, tx: Transaction) -> Run:
        versions = {one.id: one for one in tx.versions.all(prompt_key=self.world.study.prompt_key)}
        tests = tx.ab_tests.all(study_id=self.world.study.id)
        rounds = tx.rounds.all(prompt_key=self.world.study.prompt_key)
        operators = {one.version_id: one.operator for told in rounds for one in told.proposed if one.version_id}
        live = pointers.live_version(tx, self.world.study.prompt_key)
        return Run(
            seed=self.taste.seed,
            start=self.taste.score(self.taste.first),
            end=self._score(live),
            best=self.taste.best,
            pairs=self.judged,
            rounds=Counter(one.state for one in rounds),
            tests=Counter(one.decision.outcome for one in tests if one.decision and one.kind == "challenge"),
            operators=Counter(
                operators[one.decision.winner]
                for one in tests
                if one.decision and one.decision.winner and one.kind == "challenge"
            ),
            moves=tuple(self._moves(tests, versions)),
            text=live.components["local"]["prompt"],
        )

    def _moves(self, tests: tuple[ABTest, ...], versions: Mapping[str, PromptVersion]) -> Iterator[Move]:
        for test in sorted(tests, key=lambda one: (one.created_at, one.id)):
            decision = test.decision
            if decision is None or decision.winner is None or test.settled_at is None:
                continue
            found = next(one for one in decision.evidence if one.challenger == decision.winner)
            won, lost = versions[decision.winner], versions[test.champion]
            kind = "rolled back to" if test.kind == "hold_back" else "promoted"
            worth = self._score(won) - self._score(lost)
            yield Move(kind, won.changelog, worth, found.better, found.gain, found.pairs)

    def _score(self, version: PromptVersion) -> float:
        generator, _, slot = SLOT.partition(".")
        return self.taste.score(version.components[generator][slot])
