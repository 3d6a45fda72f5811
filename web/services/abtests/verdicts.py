"""What an A/B test comes to: it is decided by its closed pairs, once, and what was decided is acted on.

A winner goes live at once under the policy `auto`; otherwise it waits for an admin, under `approve` another one than
opened the test. What went live is held back on a fifth of raters' attention: the version before challenges it. Nothing
goes live by a comparison, whose versions were not live, and nothing that goes live ends it.
"""

from dataclasses import replace

from ml_service.errors import Conflict, Forbidden, InvalidRequest
from web.domain.abtests.abtest import OPEN, ABTest, Design, decide, stand
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.jobs import pairs_job, plan_job
from web.ports.parts import Parts
from web.rows.audit import AuditRows
from web.rows.prompts import PromptRows
from web.rows.transaction import Transaction
from web.services.abtests.abtests import ended
from web.services.abtests.pairing import close_pairs
from web.services.abtests.snapshots import save_snapshot
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.prompts import pointers, promotion
from web.services.prompts.publication import publish
from web.services.studies.experiments import drop_unheld

_PASSED = "Another version went live since this A/B test was decided; test its winner against that one."
HOLD_BACK = Design(least_pairs=8, most_pairs=50, threshold=10.0, harm=20.0, worth=0.1)


def follow(parts: Parts, test_id: str) -> None:
    """Close the pairs of a test, decide it if they do, and act on that; done twice, nothing changes."""
    with parts.store.begin() as tx:
        test = _decided(tx, parts, tx.of_ab_tests.lock(test_id))
        acts = test.waits_for_approval and (_needs_nobody(test) or _live(tx, test) == _winner(test))
    if acts:
        _go_live(parts, Actor.itself(test.project_id), test, "")
    save_snapshot(parts, test_id)


def approve(parts: Parts, actor: Actor, test_id: str, confirmation: str, note: str = "") -> ABTest:
    """Let the winner of a test go live; `confirmation` is the prompt's key, typed; the same approval twice is one."""
    with parts.store.begin() as tx:
        test = tx.of_ab_tests.lock(rights.found(tx.ab_tests, actor, "steer", "A/B test", test_id).id)
        if confirmation.strip() != test.prompt_key:
            raise InvalidRequest(f"Type the prompt's key, {test.prompt_key}, to confirm.")
        _check_won(test)
        if test.settled_at is not None:
            if test.state == "decided" and test.settled_by == actor.user_id:
                return test
            raise Conflict("Somebody settled this A/B test meanwhile.")
        _check_other_eyes(tx, actor, test)
    _go_live(parts, actor, test, note)
    save_snapshot(parts, test_id)
    with parts.store.read() as tx:
        return tx.ab_tests.get(test_id)


def _decided(tx: Transaction, parts: Parts, test: ABTest) -> ABTest:
    pairs = close_pairs(tx, parts, test)
    if test.state not in OPEN and not test.waits_for_approval:
        return test
    if test.kind != "comparison" and _live(tx, test) not in (test.champion, _winner(test)):
        return _outdate(tx, parts, test)
    decision = decide(test, stand(test, pairs)) if test.state == "running" else None
    if decision is None:
        return test
    now = parts.clock.now()
    done = test.decided(decision, now)
    done = tx.ab_tests.replace(done if done.waits_for_approval else replace(done, settled_at=now))
    drop_unheld(tx, [pair.experiment_id for pair in pairs if pair.state == "open"], now)
    tx.of_jobs.add_once([plan_job(test.study_id, now)])
    details = {"outcome": decision.outcome, "pairs": str(sum(one.pairs for one in decision.evidence))}
    itself, subject = Actor.itself(test.project_id), ("abtest", test.id)
    record(tx, now, itself, "abtest.decided", subject, before=test, after=done, details=details)
    return done


def _go_live(parts: Parts, actor: Actor, test: ABTest, note: str) -> None:
    """Promote the winner of a decided test, or roll back to it, where the champion is still live; then settle it."""
    winner = _check_won(test)
    with parts.store.read() as tx:
        pointer = pointers.find(tx, test.prompt_key)
    if pointer is None or pointer.version_id not in (test.champion, winner):
        raise Conflict(_PASSED)
    if pointer.version_id == test.champion:
        told = note or f"A/B test {test.id}"
        if test.kind == "hold_back":
            promotion.roll_back(parts, actor, test.prompt_key, pointer.revision, version_id=winner, note=told)
        else:
            promotion.promote(parts, actor, test.prompt_key, winner, pointer.revision, note=told)
    else:
        publish(parts, test.prompt_key)  # whoever made it live may have died before its files were written
    with parts.store.begin() as tx:
        _settle(tx, parts, actor, tx.of_ab_tests.lock(test.id), winner)


def _settle(tx: Transaction, parts: Parts, actor: Actor, test: ABTest, winner: str) -> None:
    if test.settled_at is not None:
        return
    now = parts.clock.now()
    done = tx.ab_tests.replace(replace(test, settled_at=now, settled_by=actor.user_id or None))
    for older in tx.ab_tests.all(prompt_key=test.prompt_key, state=OPEN):
        tx.of_jobs.add_once(
            [pairs_job(older.id, older.study_id, now)]
        )  # it is stopped there, since its champion is not live any more
    watch = _hold_back(tx, parts, test, winner) if test.kind == "challenge" else None
    record(tx, now, actor, "abtest.settled", ("abtest", test.id), before=test, after=done)
    if watch is not None:
        record(tx, now, Actor.itself(test.project_id), "abtest.watched", ("abtest", watch.id), after=watch)


def _hold_back(tx: Transaction, parts: Parts, test: ABTest, live: str) -> ABTest:
    """Let the version that was live before challenge the one that a test made live."""
    for older in tx.ab_tests.all(prompt_key=test.prompt_key, kind="hold_back", state=OPEN):
        _outdate(tx, parts, older)
    now = parts.clock.now()
    raters, seed = test.design.raters, test.design.seed + test.design.most_pairs
    watch = ABTest(
        id=new_id(),
        project_id=test.project_id,
        study_id=test.study_id,
        prompt_key=test.prompt_key,
        kind="hold_back",
        state="running",
        champion=live,
        challengers=(test.champion,),
        design=replace(HOLD_BACK, raters=raters, seed=seed),
        policy="auto",
        created_at=now,
        hypothesis="The version before was better after all.",
    )
    tx.of_jobs.add_once([plan_job(watch.study_id, now), pairs_job(watch.id, watch.study_id, now)])
    return tx.ab_tests.add(watch)


def _outdate(tx: Transaction, parts: Parts, test: ABTest) -> ABTest:
    """End a test whose champion is not live any more, and the jobs that failed at its winner."""
    stopped = tx.ab_tests.replace(ended(tx, parts, test, "outdated"))
    now, why = parts.clock.now(), {"why": "another version went live"}
    for job in tx.jobs.all(key=pairs_job(test.id, test.study_id, now).key, state="parked"):
        tx.jobs.replace(replace(job, state="done", finished_at=now))
    itself, subject = Actor.itself(test.project_id), ("abtest", test.id)
    record(tx, now, itself, "abtest.outdated", subject, before=test, after=stopped, details=why)
    return stopped


def _live(tx: PromptRows, test: ABTest) -> str | None:
    pointer = pointers.find(tx, test.prompt_key)
    return pointer.version_id if pointer else None


def _winner(test: ABTest) -> str:
    return (test.decision.winner if test.decision else None) or ""


def _needs_nobody(test: ABTest) -> bool:
    """Tell whether a winner goes live by the evidence alone."""
    return test.policy == "auto" or test.kind == "hold_back"


def _check_won(test: ABTest) -> str:
    """Return the winner of a test, or say why there is none to go live."""
    if test.decision is None or test.decision.winner is None:
        raise Conflict("This A/B test has no winner.")
    if test.kind == "comparison":
        raise Conflict("Nothing goes live by this A/B test; test its winner against what is live.")
    if test.decision.outcome == "outdated":
        raise Conflict(_PASSED)
    return test.decision.winner


def _check_other_eyes(tx: AuditRows, actor: Actor, test: ABTest) -> None:
    if test.policy != "approve":
        return
    winner = test.decision.winner if test.decision else ""
    wrote = tx.events.find(object_type="version", object_id=winner, action="version.drafted")
    if actor.user_id in (test.opened_by, wrote.actor_id if wrote else None):
        raise Forbidden("Another admin has to approve this: you wrote this version, or opened its test.")
