"""Keep each study's queue ahead of its raters, by points that are worth a rating."""

from ml_service.wire.contract import Best
from web.domain.ids import new_id
from web.domain.jobs import make_job
from web.domain.rating.lease import Asker
from web.domain.studies.experiment import Experiment, Option
from web.domain.studies.study import Study
from web.ports.parts import Parts
from web.rows.transaction import Transaction
from web.services.learning import asking
from web.services.learning.requests import suggest_request
from web.services.making.generation import options_of
from web.services.prompts import pointers
from web.services.rating import turns
from web.services.studies.experiments import drop_unheld

READY_AHEAD = 4
READY_PER_RATER = 2
MOST_JOINT = 16


def depth_of(parts: Parts, study_id: str) -> int:
    """Return how many experiments shall lie ready for a study: more, the more rate."""
    with parts.store.read() as tx:
        study = tx.studies.get(study_id)
        return READY_AHEAD + READY_PER_RATER * len(turns.about(tx, study, parts.clock.now()))


def explore(parts: Parts, study_id: str, depth: int) -> None:
    """Fill a running study's queue up to a depth: ask for points worth a rating, and enqueue what makes them."""
    with parts.store.read() as tx:
        study = tx.studies.get(study_id)
        need = depth - _open(tx, parts, study) if study.state == "running" else 0
    while need > 0:
        planned = _plan_some(parts, study, min(need, max(1, MOST_JOINT // study.options_per_experiment)))
        need = need - planned if planned else 0


def plan_upload(parts: Parts, experiment_id: str) -> None:
    """Choose how an upload is treated, and ask that it be made; done twice, nothing changes."""
    with parts.store.read() as tx:
        experiment = tx.experiments.get(experiment_id)
        study, source = tx.studies.get(experiment.study_id), tx.inputs.get(experiment.input_id)
        if experiment.state != "planned" or tx.options.all(experiment_id=experiment_id):
            return
        request = suggest_request(tx, study, study.options_per_experiment, [source])
        version = pointers.live_version(tx, study.prompt_key)
    suggestion = asking.suggest(parts.optimizer, request)
    with parts.store.begin() as tx:
        locked = tx.of_experiments.lock([experiment_id])[experiment_id]
        if locked.state == "planned" and not tx.options.all(experiment_id=experiment_id):
            now = parts.clock.now()
            options = options_of(experiment, version, study, suggestion.proposals, suggestion)
            tx.options.add_all(options)
            tx.of_jobs.add_once(make_job(one.id, one.generator, study.id, now, urgent=True) for one in options)


def drop_outdone(parts: Parts, study_id: str) -> None:
    """Drop what nobody has held and a newer belief would not choose."""
    with parts.store.read() as tx:
        learnt, pending = tx.of_studies.newest_diagnosis(study_id), tx.of_experiments.pending(study_id)
    if learnt is None or learnt.diagnosis.best is None:
        return
    best = learnt.diagnosis.best
    worth = {option.experiment_id for option in pending if not _outdone(option, best)}
    if outdone := {option.experiment_id for option in pending} - worth:
        with parts.store.begin() as tx:
            drop_unheld(tx, outdone, parts.clock.now())


def _outdone(option: Option, best: Best) -> bool:
    """Tell whether the best point is now expected above the bound of an option that was below it when it was chosen.

    What was chosen below it, as in a space with few points, would only be chosen again; so would what was chosen
    beside the best point of another generator.
    """
    if option.expected is None or option.evidence is None or option.generator != best.generator:
        return False
    return option.evidence.best <= option.expected.high < best.rating.mean


def _open(tx: Transaction, parts: Parts, study: Study) -> int:
    """Count what the rater with the least before them may take."""
    now = parts.clock.now()
    anybody = Asker(study.id, "", study.raters_wanted, now)
    return min(tx.of_turns.count_open(asker) for asker in turns.about(tx, study, now) or [anybody])


def _plan_some(parts: Parts, study: Study, count: int) -> int:
    with parts.store.read() as tx:
        sources = tx.of_experiments.next_inputs(study.id, count)
        request = suggest_request(tx, study, len(sources) * study.options_per_experiment, sources)
        version = pointers.live_version(tx, study.prompt_key)
    if not sources:
        return 0
    suggestion = asking.suggest(parts.optimizer, request)
    each = study.options_per_experiment
    shares = [suggestion.proposals[first : first + each] for first in range(0, len(suggestion.proposals), each)]
    with parts.store.begin() as tx:
        if tx.of_studies.hold(study.id).state != "running":
            return 0
        for source, proposals in zip(sources, shares, strict=False):
            now = parts.clock.now()
            experiment = Experiment(new_id(), study.id, source.id, "explore", "planned", now, now)
            tx.experiments.add(experiment)
            options = options_of(experiment, version, study, proposals, suggestion)
            tx.options.add_all(options)
            tx.of_jobs.add_once(make_job(one.id, one.generator, study.id, now) for one in options)
    return min(len(sources), len(shares))
