"""What people want to know of an A/B test beside its verdict: how long it takes, what was said, what was shown."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ml_service.errors import InvalidRequest, NotFound
from web.domain.abtests.abtest import Design, Pair
from web.domain.abtests.evidence import pairs_expected, spread
from web.domain.access import Actor
from web.domain.prompts.prompt import PromptVersion
from web.domain.rating.rating import Rating
from web.domain.studies.experiment import Option
from web.domain.studies.study import Input, Study
from web.ports.parts import Books
from web.rows.studies import StudyRows
from web.services.abtests.abtests import ABTestDetail, content, quarantined, usual_design
from web.services.abtests.pairing import HELD_BACK
from web.services.accounts import rights
from web.services.prompts import pointers

EFFECTS = (0.3, 0.5, 0.8)  # stars
LATELY = timedelta(days=7)
COMMENTS = 8
EXAMPLES = 6


@dataclass(frozen=True)
class Pace:
    """How many pairs a study closes a day: of the test itself where `is_measured`, else as its ratings suggest.

    `spread` is the standard deviation of a pair's difference in stars, by the `known` pairs of the study's tests.
    """

    pairs_a_day: float
    is_measured: bool
    spread: float
    known: int

    def days(self, pairs: float) -> float:
        """Return how many days so many pairs take; infinite while nobody rates."""
        return pairs / self.pairs_a_day if self.pairs_a_day else math.inf


@dataclass(frozen=True)
class Expected:
    """How many pairs a true effect in stars takes to be found, and how many days these take; both may be infinite."""

    effect: float
    pairs: float
    days: float


@dataclass(frozen=True)
class Heard:
    """What raters said of one version in the pairs of a test."""

    ratings: int = 0
    mean: float | None = None
    tags: tuple[tuple[str, int], ...] = ()
    comments: tuple[Rating, ...] = ()


@dataclass(frozen=True)
class Example:
    """One closed pair with what was shown in it."""

    pair: Pair
    source: Input
    champion: Option
    challenger: Option


@dataclass(frozen=True)
class Compared:
    """What was said of each version, by its id, and pairs to look at, the newest first."""

    heard: Mapping[str, Heard]
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Prospect:
    """What can be tested in a study: against what is live, which versions, by which rules unless others are typed."""

    study: Study
    live: PromptVersion
    versions: tuple[PromptVersion, ...]
    design: Design


def prospect(parts: Books, actor: Actor, study_id: str) -> Prospect:
    """Return what an admin may open a test of in a study, newest versions first."""
    with parts.store.read() as tx:
        study = rights.found(tx.studies, actor, "steer", "study", study_id)
        live = pointers.live_version(tx, study.prompt_key)
        shunned = quarantined(tx, study.prompt_key) | {content(live)}
        found = [one for one in tx.versions.all(prompt_key=study.prompt_key) if one.status != "withdrawn"]
        versions = sorted((one for one in found if content(one) not in shunned), key=lambda one: -one.number)
        return Prospect(study, live, tuple(versions), usual_design(tx, study))


def version_ids(parts: Books, actor: Actor, study_id: str, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of versions that are given by name or by id."""
    with parts.store.read() as tx:
        study = rights.found(tx.studies, actor, "steer", "study", study_id)
        lines = tx.of_prompts.lines(study.prompt_key)
    ids = {line.name: line.id for line in lines if line.name} | {line.id: line.id for line in lines}
    names = tuple(wanted)
    for name in names:
        if name not in ids:
            raise InvalidRequest(f"There is no version {name} of {study.prompt_key} to test.")
    return tuple(ids[name] for name in names)


def design_with(parts: Books, actor: Actor, study_id: str, changes: Mapping[str, Any]) -> Design:
    """Return the usual design of a study with some of it changed."""
    with parts.store.read() as tx:
        usual = usual_design(tx, rights.found(tx.studies, actor, "steer", "study", study_id))
    return replace(usual, **changes)


def pace(parts: Books, study: Study, detail: ABTestDetail | None = None, raters: int = 1) -> Pace:
    """Return how many pairs a study closes a day, by its last week; raters share their time as the study says."""
    with parts.store.read() as tx:
        given = tx.of_ratings.count_since(study.id, parts.clock.now() - LATELY)
        differ = tx.of_ab_tests.spreading(study.id)
    a_day, is_measured = _measured(parts, detail), True
    if a_day is None:
        a_day, is_measured = _suggested(parts, study, detail, raters, given), False
    return Pace(a_day, is_measured, spread(differ), sum(one.pairs for one in differ))


def _measured(parts: Books, detail: ABTestDetail | None) -> float | None:
    """Return how many pairs a day a test closed lately, or None where it is too young, or none was."""
    if detail is None:
        return None
    now = parts.clock.now()
    running = now - detail.test.created_at
    recent = [pair for pair in detail.pairs if pair.closed_at and now - pair.closed_at <= LATELY]
    if running < timedelta(days=1) or not recent:
        return None
    return len(recent) / (min(running, LATELY) / timedelta(days=1))


def _suggested(parts: Books, study: Study, detail: ABTestDetail | None, raters: int, given: int) -> float:
    """Return how many pairs a day as many ratings as a study's last week had would make."""
    days = max(min(parts.clock.now() - study.created_at, LATELY) / timedelta(days=1), 1.0)
    shares = study.shares
    share = shares.ab / (shares.ab + shares.explore) if shares.ab else 0.0
    if detail is not None and detail.test.kind == "hold_back":
        share = HELD_BACK
    return given / days * share / (2 * (detail.test.design.raters if detail else raters))


def price(parts: Books, study: Study) -> int:
    """Return the micro-dollars that the two pictures of a pair cost, by what those of the study have cost so far."""
    with parts.store.read() as tx:
        return 2 * tx.of_studies.price(study.id)


def expected(found: Pace, threshold: float) -> tuple[Expected, ...]:
    """Return how long a gain of a few sizes takes to be found."""
    sizes = ((effect, pairs_expected(effect, threshold, found.spread)) for effect in EFFECTS)
    return tuple(Expected(effect, pairs, found.days(pairs)) for effect, pairs in sizes)


def compared(parts: Books, detail: ABTestDetail) -> Compared:
    """Return what was said of the versions of a test, and its newest pairs."""
    ids = tuple(pair.experiment_id for pair in detail.pairs)
    shown = [pair for pair in reversed(detail.pairs) if pair.difference is not None][:EXAMPLES]
    with parts.store.read() as tx:
        answers = tx.ratings.all(experiment_id=ids, undone_at=None)
        excluded = tx.of_ratings.excluded(detail.test.study_id)
        examples = tuple(one for one in (_example(tx, pair) for pair in shown) if one is not None)
    counted = [answer for answer in answers if answer not in excluded]
    by_version = {one: heard([a for a in counted if a.version == one]) for one in detail.versions}
    return Compared(by_version, examples)


def called(versions: Mapping[str, PromptVersion], version_id: str) -> str:
    """Return what a version is called, by its id."""
    if version_id not in versions:
        raise NotFound(f"There is no version {version_id}.")
    return versions[version_id].label


def heard(answers: Sequence[Rating]) -> Heard:
    """Return what some ratings say: how many, how good, which tags how often, and the newest comments."""
    scores = [answer.score for answer in answers if answer.score is not None]
    tags = Counter(tag for answer in answers for tag in answer.tags)
    said = sorted((answer for answer in answers if answer.comment), key=lambda answer: answer.rated_at, reverse=True)
    mean = sum(scores) / len(scores) if scores else None
    return Heard(len(scores), mean, tuple(tags.most_common()), tuple(said[:COMMENTS]))


def _example(tx: StudyRows, pair: Pair) -> Example | None:
    """Return a pair with its pictures, or None where they were taken down."""
    source = tx.inputs.get(pair.input_id)
    options = {one.version == pair.challenger: one for one in tx.options.all(experiment_id=pair.experiment_id)}
    if source.removed_at is not None or len(options) != 2:
        return None
    return Example(pair, source, options[False], options[True])
