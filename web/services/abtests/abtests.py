"""A/B tests as admins see and steer them: opened, paused, stopped, and their winners approved or declined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ml_service.errors import Conflict, InvalidRequest
from web.domain.abtests.abtest import (
    ASKED,
    MOST_CHALLENGERS,
    OPEN,
    ABTest,
    Decision,
    Design,
    Evidence,
    Outcome,
    Pair,
    TestState,
    stand,
)
from web.domain.access import Actor
from web.domain.ids import is_id, new_id
from web.domain.jobs import pairs_job, plan_job
from web.domain.prompts.prompt import PromptVersion
from web.domain.studies.evolving import Policy
from web.domain.studies.study import Study
from web.ports.parts import Books
from web.rows.accounts import AccountRows
from web.rows.prompts import PromptHistoryRows
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.prompts import pointers, promotion
from web.services.studies.assigning import who_rates
from web.services.studies.experiments import drop_unheld

_WANTED: Mapping[str, TestState] = {"pause": "paused", "resume": "running", "stop": "stopped"}
MOST_WORDS = 1000


@dataclass(frozen=True)
class Challenge:
    """What an admin asks to be tested against what is live: versions by id, why, and by which rules.

    `id` lets a request be repeated; without `design` or `policy` the study's own are taken. With another `champion`
    than what is live the versions are only compared: then there is no policy, for nothing goes live.
    """

    challengers: tuple[str, ...]
    hypothesis: str = ""
    design: Design | None = None
    policy: Policy | None = None
    id: str | None = None
    champion: str | None = None


@dataclass(frozen=True)
class ABTestDetail:
    """One test whole: its versions by id, its pairs in the order they were closed, and how each challenger stands."""

    test: ABTest
    study: Study
    versions: dict[str, PromptVersion]
    pairs: tuple[Pair, ...]
    evidence: tuple[Evidence, ...]


def open_test(parts: Books, actor: Actor, study_id: str, asked: Challenge) -> ABTest:
    """Open a test of some versions against what is live or the version named; the same id opens it once."""
    with parts.store.begin() as tx:
        study = rights.found(tx.studies, actor, "steer", "study", study_id)
        # Who repeats a request waits here for the first, and then finds what it opened.
        pointers.locked(tx, study.prompt_key)
        if asked.id is not None and (known := tx.ab_tests.find(id=asked.id)) is not None:
            named = asked.champion or known.champion
            if (known.study_id, known.challengers, known.champion) != (study.id, asked.challengers, named):
                raise Conflict("This id is taken by another A/B test; send a fresh one.")
            return known
        return start(tx, parts, actor, study, asked)


def start(
    tx: Transaction, parts: Books, actor: Actor, study: Study, asked: Challenge, action: str = "abtest.opened"
) -> ABTest:
    """Open a test in the transaction of its caller; `action` is what the audit calls it."""
    if asked.id is not None and not is_id(asked.id):
        raise InvalidRequest("The id of a new A/B test must be a UUID.")
    if len(asked.hypothesis) > MOST_WORDS:
        raise InvalidRequest(f"Say in at most {MOST_WORDS} characters why it should be better.")
    # Whoever opens or promotes takes this lock first, so that the champion is what is live.
    pointer = pointers.locked(tx, study.prompt_key)
    live = tx.versions.get(pointer.version_id)
    champion = _champion(tx, live, asked)
    _check_challengers(tx, live, champion, asked.challengers)
    if tx.ab_tests.find(prompt_key=study.prompt_key, kind=ASKED, state=OPEN) is not None:
        raise Conflict(f"An A/B test of {study.prompt_key} is open already; stop it first, or wait for its decision.")
    now = parts.clock.now()
    test = ABTest(
        id=asked.id or new_id(),
        project_id=study.project_id,
        study_id=study.id,
        prompt_key=study.prompt_key,
        kind="challenge" if champion.id == live.id else "comparison",
        state="running",
        champion=champion.id,
        challengers=asked.challengers,
        design=asked.design or usual_design(tx, study),
        policy=asked.policy or (policy_of(tx, study) if champion.id == live.id else "manual"),
        created_at=now,
        hypothesis=asked.hypothesis.strip(),
        opened_by=actor.user_id or None,
    )
    tx.ab_tests.add(test)
    tx.of_jobs.add_once([plan_job(study.id, now), pairs_job(test.id, test.study_id, now)])
    against, many = champion.label, str(len(asked.challengers))
    details = {"prompt": study.prompt_key, "champion": against, "challengers": many}
    record(tx, now, actor, action, ("abtest", test.id), after=test, details=details)
    return test


def move_test(parts: Books, actor: Actor, test_id: str, action: str) -> ABTest:
    """Pause, resume or stop a test; what is stopped promotes nothing, and its pairs stay as they are."""
    with parts.store.begin() as tx:
        test = tx.of_ab_tests.lock(rights.found(tx.ab_tests, actor, "steer", "A/B test", test_id).id)
        wanted = _WANTED.get(action)
        if wanted is None:
            raise InvalidRequest("An A/B test can be paused, resumed or stopped.")
        if test.state == wanted:
            return test
        if test.state not in OPEN:
            raise Conflict(f"This A/B test is {test.state} already.")
        now = parts.clock.now()
        moved = replace(test, state=wanted)
        if wanted == "stopped":
            moved = ended(tx, parts, test)
        moved = tx.ab_tests.replace(moved)
        tx.of_jobs.add_once([plan_job(test.study_id, now), pairs_job(test.id, test.study_id, now)])
        record(tx, now, actor, f"abtest.{wanted}", ("abtest", test.id), before=test, after=moved)
        return moved


def ended(tx: Transaction, parts: Books, test: ABTest, outcome: Outcome = "stopped") -> ABTest:
    """Return a test as stopping leaves it, with what was decided before; pairs that nobody has held are dropped."""
    pairs = tx.ab_pairs.all(test_id=test.id)
    drop_unheld(tx, [pair.experiment_id for pair in pairs if pair.state == "open"], parts.clock.now())
    now = parts.clock.now()
    told = replace(test.decision or Decision(outcome, None, stand(test, pairs)), outcome=outcome)
    return replace(test, state="stopped", decision=told, decided_at=test.decided_at or now, settled_at=now)


def decline(parts: Books, actor: Actor, test_id: str, note: str = "") -> ABTest:
    """Leave what is live although a challenger won."""
    with parts.store.begin() as tx:
        test = tx.of_ab_tests.lock(rights.found(tx.ab_tests, actor, "steer", "A/B test", test_id).id)
        if not test.waits_for_approval:
            raise Conflict("This A/B test has no winner that waits for a decision.")
        now = parts.clock.now()
        declined = replace(test, state="stopped", settled_at=now, settled_by=actor.user_id or None)
        done = tx.ab_tests.replace(declined)
        record(tx, now, actor, "abtest.declined", ("abtest", test.id), before=test, after=done, note=note)
        tx.of_jobs.add_once([pairs_job(test.id, test.study_id, now)])
        return done


def all_tests(parts: Books, actor: Actor, prompt_key: str | None = None) -> tuple[ABTestDetail, ...]:
    """Return the A/B tests of the actor's project, newest first."""
    rights.demand(actor, "see_all")
    asked = {"prompt_key": prompt_key} if prompt_key else {}
    with parts.store.snapshot() as tx:
        found = tx.ab_tests.all(project_id=actor.project_id, **asked)
        return tuple(_detail(tx, test) for test in reversed(found))


def one_test(parts: Books, actor: Actor, test_id: str) -> ABTestDetail:
    """Return one A/B test of the actor's project whole."""
    with parts.store.snapshot() as tx:
        return _detail(tx, rights.found(tx.ab_tests, actor, "see_all", "A/B test", test_id))


def usual_design(tx: Transaction, study: Study) -> Design:
    """Return what tests of a study go by unless somebody says otherwise: two raters, where two rate it."""
    raters = who_rates(tx, study) or tx.memberships.all(project_id=study.project_id)  # nobody yet: whoever will
    return Design(raters=study.raters_wanted, least_raters=min(2, max(1, len(raters))), seed=study.seed)


def policy_of(tx: AccountRows, study: Study) -> Policy:
    """Return who lets a winner go live: nobody but the evidence while one admin is all there is, then another admin."""
    if study.evolving.policy is not None:
        return study.evolving.policy
    active = {user.id for user in tx.users.all(active=True)}
    admins = tx.memberships.all(project_id=study.project_id, role="admin")
    return "approve" if len([one for one in admins if one.user_id in active]) > 1 else "auto"


def _detail(tx: Transaction, test: ABTest) -> ABTestDetail:
    pairs = tx.ab_pairs.all(test_id=test.id)
    versions = {one.id: one for one in tx.versions.all(id=(test.champion, *test.challengers))}
    frozen = test.decision.evidence if test.decision else stand(test, pairs)
    closed = sorted((pair for pair in pairs if pair.number is not None), key=lambda pair: pair.number or 0)
    return ABTestDetail(test, tx.studies.get(test.study_id), versions, tuple(closed), frozen)


def _champion(tx: PromptHistoryRows, live: PromptVersion, asked: Challenge) -> PromptVersion:
    """Return the version that others are to meet: what is live unless another one is named."""
    if asked.champion in (None, live.id):
        return live
    if asked.policy is not None:
        told = "Nothing goes live by a test in which nothing is live: leave out who lets a winner go live"
        raise InvalidRequest(f"{told}, or test against {live.label}.")
    champion = _to_test(tx, live.prompt_key, str(asked.champion))
    if content(champion) == content(live):
        raise InvalidRequest(f"{champion.label} says the same as {live.label}, which is live; test against that one.")
    return champion


def _check_challengers(
    tx: PromptHistoryRows, live: PromptVersion, champion: PromptVersion, challengers: Sequence[str]
) -> None:
    if not 1 <= len(challengers) <= MOST_CHALLENGERS or len(set(challengers)) != len(challengers):
        raise InvalidRequest(f"Name one to {MOST_CHALLENGERS} different versions to test.")
    for name in challengers:
        version = _to_test(tx, live.prompt_key, name)
        if content(version) == content(champion):
            met = "what is live" if champion.id == live.id else champion.label
            raise InvalidRequest(f"A challenger says the same as {met}; there is nothing to test.")
        if content(version) == content(live):  # so that whatever may go live is tested in one way alone
            raise InvalidRequest("A challenger says the same as what is live; let the others challenge that instead.")


def _to_test(tx: PromptHistoryRows, prompt_key: str, name: str) -> PromptVersion:
    """Return a version by its id, or say why it cannot be tested."""
    version = tx.versions.find(id=name, prompt_key=prompt_key)
    if version is None or version.status == "withdrawn":
        raise InvalidRequest(f"There is no version {name} of {prompt_key} to test.")
    if content(version) in quarantined(tx, prompt_key):
        raise Conflict(f"{version.label} was rolled back; change it before it is tested again.")
    return version


def content(version: PromptVersion) -> str:
    """Return what a version does, as text that is equal for versions that do the same."""
    return repr((sorted(version.components.items()), sorted(version.parameter_defaults.items()), version.variables))


def quarantined(tx: PromptHistoryRows, prompt_key: str) -> frozenset[str]:
    """Return what versions do that were rolled back: it is never tested again as it is."""
    pointer = pointers.find(tx, prompt_key)
    moves = promotion.moves_of(tx, pointer) if pointer else []
    names = tuple(sorted({move.details["from"] for move in moves if move.action == promotion.ROLLED_BACK}))
    return frozenset(content(version) for version in tx.versions.all(prompt_key=prompt_key, name=names))
