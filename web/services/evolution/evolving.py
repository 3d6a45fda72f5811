"""How a study's prompt evolves, as admins see and set it: when, by whose leave, its family tree, and complaints."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ml_service.errors import Conflict, InvalidRequest
from web.domain.abtests.abtest import ASKED, MOST_CHALLENGERS, OPEN
from web.domain.access import Actor
from web.domain.day import there
from web.domain.prompts.prompt import PromptVersion
from web.domain.rating.figures import Share
from web.domain.rating.rating import Rating
from web.domain.studies.evolving import Evolving
from web.domain.studies.study import Study
from web.ports.parts import Books
from web.rows.abtests import ABTestRows
from web.rows.prompts import PromptHistoryRows
from web.rows.rating import RatingRows
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.prompts import pointers, promotion

COMMENTS = 20
MOST_EVERY = 1000
STEPS = 12  # stretches of time into which complaints are divided


@dataclass(frozen=True)
class Node:
    """One version in the tree: what it was made from, how it is liked, and what became of it.

    `marks` are of: live, released, candidate, withdrawn, rolled back, promoted, in test.
    """

    version: PromptVersion
    mean: float | None
    ratings: int
    marks: tuple[str, ...]


@dataclass(frozen=True)
class Waiting:
    """How many samples a study has since its last round, and after how many the next one begins by itself."""

    samples: int
    since: int
    every: int | None

    @property
    def more(self) -> int | None:
        """Return how many samples are still needed; None where nothing begins by itself."""
        return None if self.every is None else max(self.every - self.since, 0)


@dataclass(frozen=True)
class Complaints:
    """How often each complaint was made of some ratings: those of a version by a generator, or of a stretch of time."""

    name: str
    ratings: int
    tags: Mapping[str, Share]


@dataclass(frozen=True)
class Issues:
    """What raters of a study complain about: in all, by version and generator, by time, and in their words."""

    ratings: int
    overall: Complaints
    by_version: tuple[Complaints, ...]
    by_time: tuple[Complaints, ...]
    comments: tuple[tuple[str, Rating], ...]


def change_evolving(parts: Books, actor: Actor, study_id: str, revision: int, wanted: Evolving) -> Study:
    """Change when a study asks for a better prompt, and who lets a winner go live."""
    _check(wanted)
    with parts.store.begin() as tx:
        rights.found(tx.studies, actor, "steer", "study", study_id)
        old = tx.of_studies.lock(study_id)
        if old.evolving == wanted:
            return old
        if old.revision != revision:
            raise Conflict("Somebody changed this study meanwhile; load it again and repeat your change.")
        changed = tx.studies.replace(replace(old, evolving=wanted))
        now = parts.clock.now()
        record(tx, now, actor, "study.changed", ("study", study_id), before=old, after=changed)
        return changed


def waiting(tx: Transaction, study: Study) -> Waiting:
    """Return how far a study is from its next round."""
    samples = tx.of_experiments.count_samples(study.id)
    last = max((one.samples for one in tx.rounds.all(study_id=study.id)), default=0)
    return Waiting(samples, samples - last, study.evolving.every)


def test_under_way(tx: ABTestRows, study: Study) -> str | None:
    """Return the A/B test that is open on a study's prompt, or whose winner waits for somebody's approval, or None."""
    found = tx.ab_tests.all(prompt_key=study.prompt_key, kind=ASKED, state=(*OPEN, "decided"))
    return next((test.id for test in found if test.state in OPEN or test.waits_for_approval), None)


def lineage(tx: Transaction, study: Study) -> tuple[Node, ...]:
    """Return the versions of a study's prompt, newest first, with their scores in all of its studies."""
    key = study.prompt_key
    live = pointers.live_version(tx, key)
    scores: dict[str, list[float]] = defaultdict(list)
    for one in tx.studies.all(project_id=study.project_id, prompt_key=key):
        for answer in counted(tx, one):
            if answer.score is not None:
                scores[answer.version].append(answer.score)
    moves = _moves(tx, key)
    tests = tx.ab_tests.all(prompt_key=key, state=OPEN)
    tested = {version for test in tests for version in (test.champion, *test.challengers)}
    found = []
    for version in sorted(tx.versions.all(prompt_key=key), key=lambda one: -one.number):
        given = scores.get(version.id, [])
        marks: list[str] = ["live" if version.id == live.id else version.status]
        marks += [mark for mark in ("promoted", "rolled back") if version.name in moves[mark]]
        marks += ["in test"] if version.id in tested else []
        found.append(Node(version, sum(given) / len(given) if given else None, len(given), tuple(marks)))
    return tuple(found)


def issues(tx: Transaction, study: Study, zone: str) -> Issues:
    """Return what raters of a study complain about, by a time zone's days; ratings that do not count are left out."""
    answers = [one for one in counted(tx, study) if one.score is not None]
    names = {line.id: line.name or f"candidate {line.number}" for line in tx.of_prompts.lines(study.prompt_key)}
    groups: dict[tuple[str, str], list[Rating]] = defaultdict(list)
    for one in answers:
        groups[names.get(one.version, one.version), one.generator].append(one)
    by_version = tuple(_complaints(f"{version}, {generator}", many) for (version, generator), many in groups.items())
    said = [(names.get(one.version, one.version), one) for one in reversed(answers) if one.comment][:COMMENTS]
    overall = _complaints("all", answers)
    return Issues(len(answers), overall, by_version[::-1], _by_time(answers, zone), tuple(said))


def counted(tx: RatingRows, study: Study) -> list[Rating]:
    """Return the ratings that count; those of copies that were degraded as checks say nothing of a version."""
    excluded = tx.of_ratings.excluded(study.id)
    return [one for one in tx.of_ratings.standing(study.id) if one not in excluded and one.generator in study.spaces]


def _complaints(name: str, answers: Sequence[Rating]) -> Complaints:
    given = Counter(tag for answer in answers for tag in set(answer.tags))
    return Complaints(name, len(answers), {tag: Share(many, len(answers)) for tag, many in given.most_common()})


def _by_time(answers: Sequence[Rating], zone: str) -> tuple[Complaints, ...]:
    """Return the complaints of each day, or of longer stretches where there are many days, newest first."""
    days: dict[date, list[Rating]] = defaultdict(list)
    for one in answers:
        days[there(one.rated_at, zone).date()].append(one)
    ordered = sorted(days)
    size = max(1, -(-len(ordered) // STEPS))
    found = []
    for at in range(0, len(ordered), size):
        part = ordered[at : at + size]
        name = str(part[0]) if len(part) == 1 else f"{part[0]} to {part[-1]}"
        found.append(_complaints(name, [one for day in part for one in days[day]]))
    return tuple(reversed(found))


def _moves(tx: PromptHistoryRows, key: str) -> dict[str, set[str]]:
    """Return the names of versions that were promoted, and of those that were rolled back."""
    pointer = pointers.find(tx, key)
    moves = promotion.moves_of(tx, pointer) if pointer else []
    return {
        "promoted": {one.details["to"] for one in moves if one.action in (promotion.PROMOTED, promotion.PUBLISHED)},
        "rolled back": {one.details["from"] for one in moves if one.action == promotion.ROLLED_BACK},
    }


def _check(wanted: Evolving) -> None:
    if wanted.every is not None and not 1 <= wanted.every <= MOST_EVERY:
        raise InvalidRequest(f"A round begins after 1 to {MOST_EVERY} samples, or never by itself.")
    if not 1 <= wanted.most_challengers <= MOST_CHALLENGERS:
        raise InvalidRequest(f"A round proposes 1 to {MOST_CHALLENGERS} challengers.")
    if not 0 <= wanted.worth_testing <= 2:
        raise InvalidRequest("What is worth testing is from 0 to 2 stars.")
