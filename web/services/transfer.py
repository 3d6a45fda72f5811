"""What follows when a study arrives whole from somewhere else."""

from web.domain.access import Actor
from web.domain.study import Study
from web.ports import Parts
from web.services.audit import record
from web.services.queue import generate_job
from web.services.training import jobs_after_rating
from web.transactions import Transaction


def arrived(parts: Parts, actor: Actor, tx: Transaction, study: Study) -> None:
    """Note the import of a study and take its work up where the other place left it."""
    now = parts.clock.now()
    unfinished = tx.experiments.all(study_id=study.id, state=("planned", "generating"))
    tx.of_jobs.add_once(generate_job(experiment, parts) for experiment in unfinished)
    if study.state == "running":
        tx.of_jobs.add_once(jobs_after_rating(study.id, now))
    record(tx, now, actor, "study.imported", ("study", study.id), after=study)
