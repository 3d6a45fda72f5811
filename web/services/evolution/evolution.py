"""Rounds of evolution: asked for after so many samples or by an admin, and run by a job until a test is open.

A round ends in one state with words for it: `proposed` with the A/B test that it opened, `rejected` where no proposal
passed the gates, `failed` where nothing usable was proposed. One round and one test at a time for each prompt. Whatever
fails leaves nothing behind but the round: versions and their test are kept in the transaction that ends it.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ml_service.errors import Conflict, InvalidRequest, NotFound, ServiceError, StorageFull, Unavailable
from web.domain.access import Actor
from web.domain.evolution.evolution import Round
from web.domain.ids import is_id, new_id
from web.domain.jobs import reflect_job
from web.domain.studies.study import Study
from web.ports.parts import Parts
from web.rows.evolution import EvolutionRows
from web.rows.studies import StudyRows
from web.rows.transaction import Transaction
from web.services.abtests.abtests import Challenge, start
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.evolution.evolving import test_under_way, waiting
from web.services.evolution.material import gather
from web.services.evolution.proposing import PURPOSE, SCRIPTED, Candidates, diagnosis_of, question, reflect, sifted
from web.services.evolution.tuning import tuned
from web.services.prompts import pointers
from web.services.prompts.gauging import with_memory

UNDER_WAY = ("waiting", "running")
PATIENCE = timedelta(hours=1)  # for a model that is away, and for a worker that has died


def trigger(parts: Parts, study_id: str) -> Round | None:
    """Ask for a round where one is due; of many who ask at once, one gets it. An abandoned round is ended."""
    with parts.store.read() as tx:
        study = tx.studies.get(study_id)
        found = _under_way(tx, study.prompt_key)
        due = found is None and _is_due(tx, study)
    now = parts.clock.now()
    if found is not None and now - found.created_at > PATIENCE:
        run(parts, found.id)
    if not due:
        return None
    try:
        with parts.store.begin() as tx:
            return _added(tx, study, new_id(), None, now)
    except Conflict:
        return None  # somebody was first


def evolve(parts: Parts, actor: Actor, study_id: str | None = None, id: str | None = None) -> Round:
    """Ask for a round now; the same id asks once. Without a study the only one that runs is meant."""
    if id is not None and not is_id(id):
        raise InvalidRequest("The id of a round must be a UUID.")
    try:
        return _asked(parts, actor, study_id, id or new_id())
    except Conflict:
        with parts.store.read() as tx:
            known = tx.rounds.find(id=id, project_id=actor.project_id) if id else None
        if known is None or study_id not in (None, known.study_id):
            raise
        return known


def rounds(parts: Parts, actor: Actor, prompt_key: str) -> tuple[Round, ...]:
    """Return the rounds of a prompt, newest first."""
    with parts.store.read() as tx:
        found = tx.rounds.all(prompt_key=rights.found(tx.prompts, actor, "see_all", "prompt", prompt_key).key)
    return tuple(sorted(found, key=lambda one: (one.created_at, one.id), reverse=True))


def estimate(parts: Parts, study_id: str) -> int:
    """Return the most micro-dollars that a round of a study may cost now; nothing where a script proposes."""
    if parts.text_model is None:
        return 0
    with parts.store.read() as tx:
        study = tx.studies.get(study_id)
        material = gather(tx, study, 0, parts.scanner).widest
    return parts.text_model.worst(question(parts, study, material, 0))


def run(parts: Parts, round_id: str) -> None:
    """Do a round; done twice, nothing changes. A model that is away is asked again for an hour, then it has failed."""
    begun = _begun(parts, round_id)
    if begun is None:
        return
    try:
        _propose(parts, begun)
    except (Unavailable, StorageFull) as error:
        with parts.store.begin() as tx:
            tx.rounds.replace(replace(tx.rounds.get(round_id), error=str(error)))
        raise
    except ServiceError as error:
        _fail(parts, round_id, str(error))


def _asked(parts: Parts, actor: Actor, study_id: str | None, round_id: str) -> Round:
    with parts.store.begin() as tx:
        study = rights.found(tx.studies, actor, "steer", "study", study_id or _only_running(tx, actor))
        if study.state != "running":
            raise Conflict(f"{study.name} is {study.state}; resume it first.")
        found, test = _under_way(tx, study.prompt_key), test_under_way(tx, study)
        if found is not None:
            raise Conflict(
                f"The round {found.id} of {study.prompt_key} is under way already; wait for what it proposes."
            )
        if test is not None:
            raise Conflict(f"The A/B test {test} of {study.prompt_key} is open; stop it first, or wait for its end.")
        now = parts.clock.now()
        asked = _added(tx, study, round_id, actor.user_id or None, now)
        details = {"prompt": study.prompt_key, "samples": str(asked.samples)}
        record(tx, now, actor, "round.asked", ("round", asked.id), after=asked, details=details)
        return asked


def _added(tx: Transaction, study: Study, round_id: str, asked_by: str | None, now: datetime) -> Round:
    samples = tx.of_experiments.count_samples(study.id)
    key = study.prompt_key
    asked = tx.rounds.add(Round(round_id, study.project_id, study.id, key, "waiting", samples, now, asked_by))
    tx.of_jobs.add_once([reflect_job(round_id, study.id, now)])
    return asked


def _only_running(tx: StudyRows, actor: Actor) -> str:
    running = tx.studies.all(project_id=actor.project_id, state="running")
    if not running:
        raise NotFound("No study of the project is running; resume one.")
    if len(running) > 1:
        raise InvalidRequest(f"{len(running)} studies are running; say which one by its id.")
    return running[0].id


def _is_due(tx: Transaction, study: Study) -> bool:
    return study.state == "running" and test_under_way(tx, study) is None and waiting(tx, study).more == 0


def _under_way(tx: EvolutionRows, prompt_key: str) -> Round | None:
    return tx.rounds.find(prompt_key=prompt_key, state=UNDER_WAY)


def _begun(parts: Parts, round_id: str) -> Round | None:
    """Return a round that is to be done, or None where it was done or has been tried for too long."""
    with parts.store.begin() as tx:
        found = tx.rounds.get(round_id)
        if found.state == "waiting":
            return tx.rounds.replace(replace(found, state="running", model="" if parts.text_model else SCRIPTED))
    if found.state != "running":
        return None
    if parts.clock.now() - found.created_at > PATIENCE:
        _fail(parts, round_id, f"Given up after an hour. {found.error}".strip())
        return None
    return found


def _propose(parts: Parts, begun: Round) -> None:
    seed = int(begun.id.replace("-", ""), 16) % 2**31
    with parts.store.read() as tx:
        study = tx.studies.get(begun.study_id)
        material = gather(tx, study, seed, parts.scanner)
        material = replace(material, gauge=with_memory(tx, parts, material.gauge))
    begun = replace(begun, parents=tuple(one.id for one in material.built_on), evidence=material.evidence)
    better = tuned(parts, study, material)
    if better.versions:
        _finish(parts, study, replace(begun, model="optimizer", parents=(material.live.id,)), material.live.id, better)
        return
    answer, model = reflect(parts, study, material, seed)
    found = sifted(material, answer, study.evolving.most_challengers, parts.clock.now())
    told = replace(begun, model=model, diagnosis=diagnosis_of(answer))
    _finish(parts, study, told, material.live.id, Candidates(found.versions, (*better.proposed, *found.proposed)))


def _finish(parts: Parts, study: Study, told: Round, live_id: str, found: Candidates) -> None:
    """Keep what passed the gates, open its test and end the round, all or nothing."""
    with parts.store.begin() as tx:
        pointer = pointers.locked(tx, study.prompt_key)
        if pointer.version_id != live_id:
            raise Conflict("Another version went live while this round was under way; ask for a new one.")
        if not found.versions:
            _end(tx, parts, told, state="rejected", proposed=found.proposed)
            return
        number = tx.of_prompts.next_number(study.prompt_key)
        tx.versions.add_all(replace(one, number=number + at) for at, one in enumerate(found.versions))
        passed = [one for one in found.proposed if one.version_id is not None]
        asked = Challenge(tuple(one.id for one in found.versions), hypothesis=passed[0].expected)
        test = start(tx, parts, Actor.itself(study.project_id), study, asked, action="abtest.proposed")
        _end(tx, parts, told, state="proposed", proposed=found.proposed, test_id=test.id)


def _fail(parts: Parts, round_id: str, words: str) -> None:
    with parts.store.begin() as tx:
        found = tx.rounds.get(round_id)
        if found.state in UNDER_WAY:
            _end(tx, parts, found, state="failed", error=words)


def _end(tx: Transaction, parts: Parts, told: Round, **more: Any) -> None:
    """Write down how a round ended, and what it cost by the books."""
    charges = tx.completions.all(study_id=told.study_id, purpose=PURPOSE)
    mine = [charge for charge in charges if charge.created_at >= told.created_at]
    cost, model = sum(charge.cost_micros for charge in mine), mine[-1].model if mine else ""
    ended = {"error": "", "model": told.model or model, "cost_micros": cost, "finished_at": parts.clock.now(), **more}
    tx.rounds.replace(replace(told, **ended))
