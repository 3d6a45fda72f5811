"""Keep each study's queue ahead of its raters, and learn from what they said."""

from dataclasses import replace
from datetime import timedelta

from ml_service.errors import Conflict, Forbidden, NotFound
from ml_service.wire.contract import digest
from web.domain.abtests.abtest import OPEN
from web.domain.access import Actor, allowed
from web.domain.ids import new_id
from web.domain.rating.lease import Asker
from web.domain.studies.experiment import Experiment, Option
from web.domain.studies.study import Learnt, Study
from web.ports import Parts
from web.services.abtests.abtests import pairs_job
from web.services.abtests.pairing import plan_pairs
from web.services.abtests.safeguard import watch_rows
from web.services.audit.record import record
from web.services.evolution.evolution import evolve_job
from web.services.learning.requests import diagnose_request, suggest_request
from web.services.learning.stopping import stop_if_due
from web.services.making.generation import generate_job, live_version, options_of
from web.services.prompts.publication import repair
from web.services.rating import turns
from web.services.rating.night import compare_job
from web.services.rating.training import drop_unheld, plan_job
from web.services.studies.retention import prune_job
from web.transactions import Transaction

READY_AHEAD = 4
READY_PER_RATER = 2
MOST_JOINT = 16


def plan(parts: Parts, study_id: str, depth: int | None = None) -> None:
    """Fill a study's queue up to its depth: ask for points worth a rating, and enqueue what makes them.

    A study that is to stop does so first; nothing is planned for one that does not run.
    """
    stop_if_due(parts, study_id)
    _drop_outdone(parts, study_id)
    with parts.store.read() as tx:
        study = tx.studies.get(study_id)
        target = _depth(tx, study, parts) if depth is None else depth
    if study.state != "running":
        return
    plan_pairs(parts, study, target)
    with parts.store.read() as tx:
        need = target - _open(tx, study, parts)
    while need > 0:
        planned = _plan_some(parts, study, min(need, max(1, MOST_JOINT // study.options_per_experiment)))
        need = need - planned if planned else 0


def _drop_outdone(parts: Parts, study_id: str) -> None:
    """Drop what nobody has held and a newer belief would not choose."""
    with parts.store.read() as tx:
        learnt, pending = tx.of_studies.newest_diagnosis(study_id), tx.of_experiments.pending(study_id)
    if learnt is None or learnt.diagnosis.best is None:
        return
    best = learnt.diagnosis.best.rating.mean
    worth = {option.experiment_id for option in pending if not _outdone(option, best)}
    if outdone := {option.experiment_id for option in pending} - worth:
        with parts.store.begin() as tx:
            drop_unheld(tx, outdone, parts.clock.now())


def _outdone(option: Option, best: float) -> bool:
    """Tell whether the best point is now expected above the bound of an option that was below it when it was chosen.

    What was chosen below it, as in a space with few points, would only be chosen again.
    """
    if option.expected is None or option.evidence is None:
        return False
    return option.evidence.best <= option.expected.high < best


def _depth(tx: Transaction, study: Study, parts: Parts) -> int:
    return READY_AHEAD + READY_PER_RATER * len(turns.about(tx, study, parts.clock.now()))


def _open(tx: Transaction, study: Study, parts: Parts) -> int:
    """Count what the rater with the least before them may take."""
    now = parts.clock.now()
    anybody = Asker(study.id, "", study.raters_wanted, now)
    return min(tx.of_turns.count_open(asker) for asker in turns.about(tx, study, now) or [anybody])


def _plan_some(parts: Parts, study: Study, count: int) -> int:
    with parts.store.read() as tx:
        sources = tx.of_experiments.next_inputs(study.id, count)
        request = suggest_request(tx, study, len(sources) * study.options_per_experiment, sources)
        version = live_version(tx, study)
    if not sources:
        return 0
    suggestion = parts.optimizer.suggest(request)
    each = study.options_per_experiment
    shares = [suggestion.proposals[first : first + each] for first in range(0, len(suggestion.proposals), each)]
    with parts.store.begin() as tx:
        if tx.of_studies.hold(study.id).state != "running":
            return 0
        for source, proposals in zip(sources, shares, strict=False):
            now = parts.clock.now()
            experiment = Experiment(new_id(), study.id, source.id, "explore", "planned", now, now)
            tx.experiments.add(experiment)
            tx.options.add_all(options_of(experiment, version, study, proposals, suggestion))
            tx.of_jobs.add_once([generate_job(experiment, now)])
    return min(len(sources), len(shares))


def learn(parts: Parts, study_id: str) -> Learnt:
    """Say what a study's ratings tell, once for each history, and keep it for all who look."""
    with parts.store.read() as tx:
        study = tx.studies.get(study_id)
        request = diagnose_request(tx, study)
        asked = digest(request)
        known = tx.diagnoses.find(study_id=study_id, request_hash=asked)
        newest = tx.of_studies.newest_diagnosis(study_id)
    if known is not None and known == newest:
        return known
    diagnosis = known.diagnosis if known else parts.optimizer.diagnose(request)
    with parts.store.begin() as tx:
        now = parts.clock.now()
        again = tx.diagnoses.find(study_id=study_id, request_hash=asked)
        if again is not None:
            tx.of_studies.make_newest(again.id, now)
            return replace(again, made_at=now)
        learnt = tx.diagnoses.add(Learnt(new_id(), study_id, asked, diagnosis, now))
        tx.of_studies.forget_old_diagnoses(study_id)
        return learnt


def tick(parts: Parts) -> None:
    """Do what time asks for: end leases, look after studies, forget old jobs and tries, repair published files."""
    now = parts.clock.now()
    with parts.store.read() as tx:
        running = tx.studies.all(state="running")
        tests = tx.ab_tests.all(state=(*OPEN, "decided"), settled_at=None)
    with parts.store.begin() as tx:
        tx.of_leases.expire(now)
        tx.of_jobs.add_once([job(study.id, now) for study in running for job in (plan_job, compare_job, evolve_job)])
        tx.of_jobs.add_once([prune_job(now), *(pairs_job(test, now) for test in tests)])
        tx.of_jobs.prune(now - timedelta(days=1))
        tx.of_people.forget_attempts(now - timedelta(days=1))
    watch_rows(parts)
    repair(parts)


def retry_job(parts: Parts, actor: Actor, job_id: str) -> None:
    """Let a parked job try again."""
    with parts.store.begin() as tx:
        job = tx.jobs.get(job_id)
        project = tx.studies.get(job.study_id).project_id if job.study_id else actor.project_id
        if project != actor.project_id:
            raise NotFound(f"There is no job {job_id}.")
        if not allowed(actor, "steer", project):
            raise Forbidden("Only an admin of the project can retry its jobs.")
        now = parts.clock.now()
        if not tx.of_jobs.revive(job_id, now):
            raise Conflict("This job is not parked any more; look at the list again.")
        record(tx, now, actor, "job.retried", ("job", job_id), details={"task": job.task})
