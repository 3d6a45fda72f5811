"""Keep each study's queue ahead of its raters: suggest, generate, ready."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from ml_service.contract import Proposal, Suggestion, digest
from ml_service.errors import Conflict, Forbidden, InvalidRequest, NotFound, TooLarge
from web.domain.access import Actor, allowed
from web.domain.experiment import Experiment, Option, Output, settle
from web.domain.ids import new_id
from web.domain.job import Job
from web.domain.lease import Asker
from web.domain.prompt import PromptVersion
from web.domain.study import Input, Learnt, Study
from web.ports import Generated, GenerateRequest, Parts
from web.services import turns
from web.services.audit import record
from web.services.night import compare_job
from web.services.objects import discard
from web.services.publication import repair
from web.services.requests import diagnose_request, suggest_request
from web.services.retention import prune_job
from web.services.stopping import stop_if_due
from web.services.training import drop_unheld, plan_job
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
        need = _need(tx, study, depth, parts) if study.state == "running" else 0
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


def _need(tx: Transaction, study: Study, depth: int | None, parts: Parts) -> int:
    now = parts.clock.now()
    askers = turns.about(tx, study, now)
    target = READY_AHEAD + READY_PER_RATER * len(askers) if depth is None else depth
    anybody = Asker(study.id, "", study.raters_wanted, now)
    return target - min(tx.of_turns.count_open(asker) for asker in askers or [anybody])


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
            tx.options.add_all(_options(experiment, version, study, proposals, suggestion))
            tx.of_jobs.add_once([generate_job(experiment, parts)])
    return min(len(sources), len(shares))


def live_version(tx: Transaction, study: Study) -> PromptVersion:
    """Return the version of the study's prompt that is in production."""
    pointer = tx.pointers.find(prompt_key=study.prompt_key, kind="environment", name="production")
    if pointer is None:
        raise Conflict(f"The prompt {study.prompt_key} has no live version; run `python -m web doctor`.")
    return tx.versions.get(pointer.version_id)


def _options(
    experiment: Experiment,
    version: PromptVersion,
    study: Study,
    proposals: Sequence[Proposal],
    suggestion: Suggestion,
) -> list[Option]:
    return [
        Option(
            id=new_id(),
            experiment_id=experiment.id,
            study_id=study.id,
            input_id=experiment.input_id,
            position=position,
            generator=proposal.generator,
            version=version.id,
            point=proposal.point,
            seed=study.seed,
            state="planned",
            why=proposal.why,
            expected=proposal.expected,
            evidence=proposal.evidence,
            history=suggestion.history,
        )
        for position, proposal in enumerate(proposals)
    ]


def generate_job(experiment: Experiment, parts: Parts) -> Job:
    """Return the job that makes an experiment's outputs; what somebody waits for goes first."""
    now = parts.clock.now()
    urgent = 10 if experiment.held_for else 0
    arguments = {"experiment": experiment.id}
    key = f"generate:{experiment.id}"
    return Job(new_id(), key, "generate", arguments, now, now, priority=urgent, study_id=experiment.study_id)


def generate(parts: Parts, experiment_id: str) -> None:
    """Make the outputs of an experiment that are missing; done twice, nothing changes."""
    with parts.store.read() as tx:
        experiment = tx.experiments.get(experiment_id)
        removed = tx.inputs.get(experiment.input_id).removed_at is not None
    if experiment.state not in ("planned", "generating"):
        return
    if removed:
        _drop(parts, experiment_id)
        return
    options, source, version = _treatments(parts, experiment)
    body = parts.objects.read(source.object_key)
    for option in options:
        if option.state == "planned":
            _make(parts, option, source, body, version)
    with parts.store.begin() as tx:
        now = parts.clock.now()
        locked = tx.of_experiments.lock([experiment_id])[experiment_id]
        if locked.state in ("planned", "generating"):
            tx.of_experiments.move(
                [experiment_id], settle(locked.kind, tx.options.all(experiment_id=experiment_id)), now
            )


def _drop(parts: Parts, experiment_id: str) -> None:
    with parts.store.begin() as tx:
        tx.of_experiments.move(tx.of_experiments.lock([experiment_id]), "dropped", parts.clock.now())


def _treatments(parts: Parts, experiment: Experiment) -> tuple[tuple[Option, ...], Input, PromptVersion]:
    """Return the options of an experiment, suggesting them first where an upload has none yet."""
    with parts.store.read() as tx:
        study, source = tx.studies.get(experiment.study_id), tx.inputs.get(experiment.input_id)
        options = tx.options.all(experiment_id=experiment.id)
        version = tx.versions.get(options[0].version) if options else live_version(tx, study)
        request = suggest_request(tx, study, study.options_per_experiment, [source])
    if not options:
        suggestion = parts.optimizer.suggest(request)
        options = tuple(_options(experiment, version, study, suggestion.proposals, suggestion))
        with parts.store.begin() as tx:
            tx.options.add_all(options)
    return options, source, version


def _make(parts: Parts, option: Option, source: Input, body: bytes, version: PromptVersion) -> None:
    made_by = parts.degrader if parts.degrader and option.generator == parts.degrader.name else None
    generator = made_by or parts.generators[option.generator]
    # What the study does not tune is as the version has it, so that raters see what production would do.
    point = version.parameter_defaults.get(option.generator, {}) | option.point
    try:
        prompt = version.rendered(option.generator)
        generated = generator.generate(GenerateRequest(body, source.media_type, prompt, point, option.seed))
    except (InvalidRequest, TooLarge) as error:
        _keep(parts, option, None, str(error))
        return
    _keep(parts, option, generated, None)


def _keep(parts: Parts, option: Option, generated: Generated | None, error: str | None) -> None:
    output = None if generated is None else _stored(parts, generated)
    with parts.store.begin() as tx:
        present = tx.of_studies.hold_inputs(option.study_id, option.input_id)
        fresh = tx.options.get(option.id)
        wanted = bool(present) and fresh.state == "planned"
        if wanted:
            kept = output and generated and _kept(parts, tx, output, generated.body)
            made = replace(
                fresh,
                state="ready" if kept else "failed",
                output_id=kept.id if kept else None,
                cost_micros=generated.cost_micros if generated else 0,
                error=error,
            )
            tx.options.replace(made)
    if output is not None and not wanted:
        discard(parts, [output.object_key])


def _kept(parts: Parts, tx: Transaction, output: Output, body: bytes) -> Output:
    """Return the output's row with its object in place, also where the same one was removed before or meanwhile."""
    tx.lock_objects([output.object_key])
    parts.objects.create(output.object_key, body)
    known = tx.outputs.find(content_hash=output.content_hash)
    if known is not None and known.removed_at is not None:
        tx.of_objects.revive(known.id)
    return known or tx.outputs.add(output)


def _stored(parts: Parts, generated: Generated) -> Output:
    content_hash = hashlib.sha256(generated.body).hexdigest()
    key = f"outputs/{content_hash[:2]}/{content_hash}"
    parts.objects.create(key, generated.body)
    return Output(
        id=new_id(),
        content_hash=content_hash,
        object_key=key,
        media_type=generated.media_type,
        width=generated.width,
        height=generated.height,
        size=len(generated.body),
        created_at=parts.clock.now(),
    )


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
    with parts.store.begin() as tx:
        tx.of_leases.expire(now)
        tx.of_jobs.add_once([job(study.id, now) for study in running for job in (plan_job, compare_job)])
        tx.of_jobs.add_once([prune_job(now)])
        tx.of_jobs.prune(now - timedelta(days=1))
        tx.of_people.forget_attempts(now - timedelta(days=1))
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
