"""Studies that have learnt enough finish by themselves: their rules are asked after learning and before planning."""

from dataclasses import replace

from ml_service.wire.contract import Diagnosis
from web.domain.access import Actor
from web.domain.studies.stopping import Standing, reason, standings
from web.domain.studies.study import Stopped, Study
from web.ports.parts import Books
from web.rows.studies import StudyRows
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.studies.experiments import drop_unheld


def standings_of(parts: Books, actor: Actor, study_id: str) -> tuple[Standing, ...]:
    """Say how near each stop rule of a study is, for those who steer it."""
    with parts.store.read() as tx:
        study = rights.found(tx.studies, actor, "steer", "study", study_id)
        return standings(study.stop, tx.of_studies.figures(study.id))


def stop_if_due(parts: Books, study_id: str, diagnosis: Diagnosis | None = None) -> None:
    """Finish a running study if one of its rules holds, once; `diagnosis` is what was learnt just now, if anything."""
    with parts.store.read() as tx:
        if _due(tx, tx.studies.get(study_id), diagnosis) is None:
            return
    with parts.store.begin() as tx:
        # Whoever comes second waits here for the first, and then finds the study finished.
        study = tx.of_studies.lock(study_id)
        due = _due(tx, study, diagnosis)
        if due is not None:
            _finish(tx, parts, study, due)


def _due(tx: StudyRows, study: Study, diagnosis: Diagnosis | None) -> Standing | None:
    if study.state != "running" or not study.stop.any_on:
        return None
    return reason(study.stop, replace(tx.of_studies.figures(study.id), diagnosis=diagnosis))


def _finish(tx: Transaction, parts: Books, study: Study, due: Standing) -> None:
    now = parts.clock.now()
    finished = tx.studies.replace(study.finished(Stopped(due.rule, now, due.words, due.figures)))
    # What is made already may be rated if the study is resumed; what is not made and promised to nobody need not be.
    unmade = tx.experiments.all(study_id=study.id, state=("planned", "generating"))
    drop_unheld(tx, [experiment.id for experiment in unmade], now)
    itself = Actor.itself(study.project_id)
    details = {"rule": due.rule, "why": due.words}
    record(tx, now, itself, "study.finished", ("study", study.id), before=study, after=finished, details=details)
