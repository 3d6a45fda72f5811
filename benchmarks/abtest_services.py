"""A/B tests without an effect, through the product's own services on SQLite, with raters as untidy as they come.

They send what they rated late and in another order, take ratings back and give others, rate one option of a pair and
go away, and one is left out half-way. The stars are of one distribution whatever the version, so whatever is promoted
is promoted falsely.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.pairs import LEVEL, LUCK, PEOPLE, SPREAD
from benchmarks.raters import SEEN
from tests.clock import FixedClock
from tests.world import World, answer, make_world
from web.adapters.database.engine import connect
from web.adapters.database.migrate import migrate
from web.adapters.database.store import SqlStore
from web.domain.abtests.abtest import ABTest, Decision, Design, Pair, decide, stand
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.rating.rating import Answer, Exclusion
from web.domain.studies.experiment import Option
from web.domain.studies.study import Shares
from web.services.abtests import abtests, verdicts
from web.services.abtests.abtests import Challenge
from web.services.prompts import pointers
from web.services.rating import training

PHOTOS, MOST_PAIRS, ROUNDS = 24, 40, 60
UNDONE, HALF, LATE = 0.1, 0.1, 0.3


def play(seed: int) -> Decision | None:
    """Play one test to its decision, or to its last round."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/palate.db"
        migrate(url)
        engines = connect(url)
        try:
            return _Play(make_world(SqlStore(engines), FixedClock(), Path(folder), inputs=PHOTOS), seed).play()
        finally:
            engines.dispose()


class _Play:
    """One test, its raters, and what they have in hand."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, np.random.default_rng([seed, 7])
        self.people = [world.person() for _ in range(PEOPLE)]
        self.quality: dict[str, float] = {}
        self.late: list[tuple[Actor, Answer]] = []
        self.test = self._open()

    def play(self) -> Decision | None:
        """Rate until the test is decided."""
        for turn in range(ROUNDS):
            for person in self.random.permutation(np.array(self.people, dtype=object)):
                self._rate(person)
            if turn == ROUNDS // 4:
                self._exclude(self.people[0])
            self.world.clock.advance(minutes=11)
            verdicts.follow(self.world.parts, self.test.id)
            with self.world.parts.store.read() as tx:
                test, pairs = tx.ab_tests.get(self.test.id), tx.ab_pairs.all(test_id=self.test.id)
            if test.decision is not None and test.decided_at is not None:
                _check(test, [pair for pair in pairs if pair.closed_at and pair.closed_at <= test.decided_at])
                return test.decision
        return None

    def _open(self) -> ABTest:
        world = self.world
        alone = Shares(ab=1, explore=0, gold=0, repeat=0, overlap=0)
        with world.parts.store.begin() as tx:
            study = tx.studies.get(world.study.id)
            tx.studies.replace(replace(study, shares=alone, calibration=0))
            parent = pointers.live_version(tx, study.prompt_key)
            components = {"local": parent.components["local"] | {"prompt": "Enhance this photo, a little warmer."}}
            made = replace(parent, id=new_id(), number=2, name=None, status="candidate", components=components)
            tx.versions.add(replace(made, parents=(parent.id,)))
        design = Design(most_pairs=MOST_PAIRS, least_raters=2)
        return abtests.open_test(world.parts, world.admin, world.study.id, Challenge((made.id,), "", design, "manual"))

    def _rate(self, person: Actor) -> None:
        held = self.world.hold(person, wanted=2).held
        with self.world.parts.store.read() as tx:
            ids = tuple(option.option_id for one in held for option in one.options)
            options = {option.id: option for option in tx.options.all(id=ids)}
        for one in held:
            shown = [options[option.option_id] for option in one.options]
            if self.random.random() < HALF:
                shown = shown[:1]
            for option in shown:
                self._say(person, answer(option.id, self._star(option)))
        while self.late and self.random.random() < 0.8:
            self.world.rate(*self.late.pop(int(self.random.integers(len(self.late)))))

    def _say(self, person: Actor, given: Answer) -> None:
        if self.random.random() < LATE:
            self.late.append((person, given))
            return
        self.world.rate(person, given)
        if self.random.random() < UNDONE:
            training.undo(self.world.parts, person, given.id)
            self.world.rate(person, answer(given.option_id, self._star_at(given.option_id)))

    def _star(self, option: Option) -> int:
        image = self.quality.setdefault(option.input_id, self.random.normal(LEVEL, SPREAD))
        self.quality[option.id] = image + self.random.normal(0, LUCK)
        return self._star_at(option.id)

    def _star_at(self, option_id: str) -> int:
        return int(np.clip(round(self.quality[option_id] + self.random.normal(0, SEEN.noise)), 1, 5))

    def _exclude(self, person: Actor) -> None:
        now = self.world.clock.now()
        with self.world.parts.store.begin() as tx:
            tx.exclusions.add(Exclusion(new_id(), self.world.study.id, person.user_id, now, "untidy", now))


def _check(test: ABTest, pairs: list[Pair]) -> None:
    """Raise where the pairs that were closed by then would not decide what was decided."""
    again = decide(test, stand(test, pairs))
    if again != test.decision:
        raise RuntimeError(f"The pairs decide {again}, and {test.decision} was decided.")
