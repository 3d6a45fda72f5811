"""Pairs of A/B tests: planned ahead of the raters, and closed once their ratings can no longer be taken back."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from web.domain.abtests.abtest import ABTest, Pair, next_challenger, stand
from web.domain.ids import new_id
from web.domain.jobs import make_job
from web.domain.prompts.diff import differing
from web.domain.prompts.prompt import PromptVersion
from web.domain.rating.rating import Rating
from web.domain.studies.experiment import LIVE, Experiment, Option
from web.domain.studies.study import Input, Study
from web.ports.parts import Books
from web.rows.rating import RatingRows
from web.rows.transaction import Transaction

UNDO_TIME, UNDO_DEPTH = timedelta(minutes=10), 20
HELD_BACK = 0.2  # of raters' attention to samples, for the version that was live before
SPOILT = ("broken", "unsafe")


def plan_pairs(parts: Books, study_id: str, depth: int) -> None:
    """Keep pairs of a study's running tests ready, as large a part of its queue as its attention shares say."""
    with parts.store.read() as tx:
        running = tx.ab_tests.all(study_id=study_id, state="running")
    for test in running:
        with parts.store.begin() as tx:
            study = tx.of_studies.hold(study_id)
            if study.state == "running":
                _plan(tx, parts, study, tx.of_ab_tests.lock(test.id), depth)


def _plan(tx: Transaction, parts: Books, study: Study, test: ABTest, depth: int) -> None:
    if test.state != "running":
        return
    pairs = tx.ab_pairs.all(test_id=test.id)
    waiting = tuple(pair.experiment_id for pair in pairs if pair.state == "open")
    ready = len(tx.experiments.all(id=waiting, state=LIVE))
    counting = sum(pair.state != "dropped" for pair in pairs)
    room = test.design.most_pairs * len(test.challengers) - counting
    wanted = min(math.ceil(depth * _share(study, test)) - ready, room)
    found = stand(test, pairs)
    versions = {one.id: one for one in tx.versions.all(id=(test.champion, *test.challengers))}
    turns = Counter(pair.challenger for pair in pairs)
    for at, source in enumerate(tx.of_ab_tests.next_inputs(test, max(wanted, 0))):
        challenger = next_challenger(test, found, len(pairs) + at)
        if challenger is not None:
            both = versions[test.champion], versions[challenger]
            names = differing(*both, study.generators)
            generator = names[turns[challenger] % len(names)]
            turns[challenger] += 1
            _add(tx, parts, study, test, source, both, generator, test.design.seed + len(pairs) + at)


def _share(study: Study, test: ABTest) -> float:
    if test.kind == "hold_back":
        return HELD_BACK
    shares = study.shares
    return shares.ab / (shares.ab + shares.explore) if shares.ab else 0.0


def _add(
    tx: Transaction,
    parts: Books,
    study: Study,
    test: ABTest,
    source: Input,
    versions: tuple[PromptVersion, PromptVersion],
    generator: str,
    seed: int,
) -> None:
    """Plan one pair: what differs between its options is what differs between the versions, and nothing else."""
    now = parts.clock.now()
    experiment = Experiment(new_id(), study.id, source.id, "ab", "planned", now, now)
    tx.experiments.add(experiment)
    options = [
        Option(
            id=new_id(),
            experiment_id=experiment.id,
            study_id=study.id,
            input_id=source.id,
            position=position,
            generator=generator,
            version=version.id,
            point=study.spaces[generator].default() | version.parameter_defaults.get(generator, {}),
            seed=seed,
            state="planned",
            why="ab",
        )
        for position, version in enumerate(versions)
    ]
    tx.options.add_all(options)
    tx.ab_pairs.add(Pair(new_id(), test.id, experiment.id, source.id, versions[1].id, "open", now))
    tx.of_jobs.add_once(make_job(one.id, one.generator, study.id, now) for one in options)


def close_pairs(tx: Transaction, parts: Books, test: ABTest) -> tuple[Pair, ...]:
    """Close the pairs of a locked test that are complete and beyond undoing; return all of its pairs."""
    pairs = tx.ab_pairs.all(test_id=test.id)
    waiting = [pair for pair in pairs if pair.state == "open"]
    views = _views(tx, parts, test, waiting)
    number = max((pair.number or 0 for pair in pairs), default=0)
    changed: dict[str, Pair] = {}
    for view in sorted(views, key=lambda view: (view.last, view.pair.id)):
        closed = view.closed(test)
        if closed is None:
            continue
        if closed.state != "dropped":
            number += 1
            closed = replace(closed, number=number)
        changed[closed.id] = tx.ab_pairs.replace(closed)
        if view.experiment.state == "ready":
            tx.of_experiments.move([view.experiment.id], "closed", view.now)
    return tuple(changed.get(pair.id, pair) for pair in pairs)


def _views(tx: RatingRows, parts: Books, test: ABTest, waiting: Sequence[Pair]) -> list["_View"]:
    experiments = tx.of_experiments.lock([pair.experiment_id for pair in waiting])
    options: dict[str, list[Option]] = {}
    for option in tx.options.all(experiment_id=tuple(experiments)):
        options.setdefault(option.experiment_id, []).append(option)
    ids = tuple(one.id for many in options.values() for one in many)
    answers = tx.ratings.all(option_id=ids, undone_at=None, judge_kind="human")
    held = {lease.experiment_id for lease in tx.leases.all(experiment_id=tuple(experiments))}
    excluded, now = tx.of_ratings.excluded(test.study_id), parts.clock.now()
    found = []
    for pair in waiting:
        mine = [answer for answer in answers if answer.experiment_id == pair.experiment_id]
        firm = all(_is_firm(tx, answer, now) for answer in mine)
        counted = tuple(answer for answer in mine if answer not in excluded)
        experiment = experiments[pair.experiment_id]
        found.append(_View(pair, experiment, options[experiment.id], counted, firm, experiment.id in held, now))
    return found


def _is_firm(tx: RatingRows, answer: Rating, now: datetime) -> bool:
    """Tell whether an answer is beyond undo's reach: by time, or by how many its rater has given since."""
    if now - answer.rated_at >= UNDO_TIME:
        return True
    return tx.of_ratings.count_by(answer.judge_id, answer.study_id, answer.rated_at)[0] > UNDO_DEPTH


@dataclass(frozen=True)
class _View:
    """An open pair with its experiment, options, and the answers of raters who are not excluded."""

    pair: Pair
    experiment: Experiment
    options: Sequence[Option]
    answers: Sequence[Rating]
    firm: bool
    held: bool
    now: datetime

    @property
    def last(self) -> datetime:
        return max((answer.rated_at for answer in self.answers), default=self.experiment.changed_at)

    @property
    def challenger(self) -> Option:
        return next(option for option in self.options if option.version == self.pair.challenger)

    def closed(self, test: ABTest) -> Pair | None:
        """Return the pair as it is closed, or None while it stays open."""
        if self.experiment.state == "dropped":
            return self._as("dropped")
        if self.experiment.state == "void":
            states = [option.state == "failed" for option in self.options]
            mine = self.challenger.state == "failed"
            return self._as("failed", failed=int(mine) - (sum(states) - int(mine)))
        if not self.firm or self.experiment.state not in ("ready", "closed"):
            return None
        if any(answer.skip for answer in self.answers):
            return self._as("failed", failed=self._spoilt())
        if not self.held and len({option.output_id for option in self.options}) == 1:
            return self._as("closed", difference=0.0)  # the same picture twice is a tie, whoever looks
        return self._judged(test) if self.experiment.state == "closed" else None

    def _judged(self, test: ABTest) -> Pair:
        both = [rater for rater in dict.fromkeys(a.judge_id for a in self.answers) if len(self._by(rater)) == 2]
        raters = tuple(both[: test.design.raters])
        if len(raters) < test.design.raters:
            return self._as("dropped")
        given = {rater: self._difference(rater) for rater in raters}
        mean = sum(given.values()) / len(given)
        return self._as("closed", difference=mean, tags=self._tags(raters), given=given)

    def _by(self, rater: str) -> list[Rating]:
        return [answer for answer in self.answers if answer.judge_id == rater and answer.score is not None]

    def _difference(self, rater: str) -> float:
        return sum(self._sign(answer) * (answer.score or 0.0) for answer in self._by(rater))

    def _sign(self, answer: Rating) -> int:
        return 1 if answer.option_id == self.challenger.id else -1

    def _tags(self, raters: Iterable[str]) -> dict[str, float]:
        given = [(self._sign(answer), tag) for one in raters for answer in self._by(one) for tag in answer.tags]
        many = len(tuple(raters))
        totals = {tag: sum(sign for sign, name in given if name == tag) / many for tag in {tag for _, tag in given}}
        return {tag: share for tag, share in sorted(totals.items()) if share}

    def _spoilt(self) -> int:
        marks = [self._sign(answer) for answer in self.answers if answer.skip in SPOILT]
        return (1 in marks) - (-1 in marks)

    def _as(self, state: str, **more: object) -> Pair:
        return replace(self.pair, state=state, closed_at=self.now, **more)  # type: ignore[arg-type]
