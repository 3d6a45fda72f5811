"""Uploads: options of a photo for the person who brings it, who holds the lease of what is made."""

from dataclasses import dataclass

from ml_service.errors import Conflict, Forbidden, InvalidRequest, NotFound
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.jobs import plan_upload_job
from web.domain.rating.lease import LEASE_TIME, RENEW_AFTER, Lease, Shown
from web.domain.studies.experiment import Experiment, ExperimentState
from web.domain.studies.study import Input, Study
from web.ports.parts import Parts
from web.rows.accounts import AccountRows
from web.rows.studies import StudyRows
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.rating.training import shuffled
from web.services.studies.experiments import study_to_rate
from web.services.studies.intake import present_or_added, store_image


@dataclass(frozen=True)
class Upload:
    """How far an uploaded image's options have come; `shown` is filled once they are ready."""

    experiment_id: str
    state: ExperimentState
    lease: Lease
    shown: tuple[Shown, ...]
    done: int
    of: int


def upload_to_rate(
    parts: Parts,
    rater: Actor,
    tab: str,
    *,
    name: str = "",
    body: bytes | None = None,
    input_id: str | None = None,
    study_id: str | None = None,
) -> Upload:
    """Make options of an image for the person who brings it, who holds the lease of what is made."""
    with parts.store.read() as tx:
        study = _open_study(tx, rater, study_id)
        known = None if input_id is None else _input_of(tx, study, input_id)
    if known is None and body is None:
        raise InvalidRequest("Send an image as `file`, or name an `input_id`.")
    clean = None if known else parts.cleaner.clean(body or b"")
    incoming = None if clean is None else store_image(parts, study, name, clean, added_by=rater.user_id)
    now = parts.clock.now()
    with parts.store.begin() as tx:
        tx.of_people.lock(rater.user_id)
        _require_seat(tx, rater, study)
        kept = present_or_added(tx, parts, study, incoming) if incoming else _input_of(tx, study, input_id or "")
        experiment = Experiment(new_id(), study.id, kept.id, "explore", "planned", now, now, held_for=rater.user_id)
        tx.experiments.add(experiment)
        lease = tx.leases.add(Lease.start(experiment, rater.user_id, tab, now))
        tx.of_jobs.add_once([plan_upload_job(experiment.id, study.id, now)])
        if incoming is not None and kept.id == incoming.id:
            record(tx, now, rater, "input.added", ("input", kept.id), after=kept, details={"study": study.id})
    return Upload(experiment.id, experiment.state, lease, (), 0, study.options_per_experiment)


def _open_study(tx: Transaction, rater: Actor, study_id: str | None) -> Study:
    study = study_to_rate(tx, rater, study_id)
    if study is None:
        raise Conflict("There is no study to upload to; ask an admin to start one.")
    if not may_upload(study, rater):
        raise Forbidden(f"Raters of {study.name} bring no photos of their own; its admins can allow it under Studies.")
    if study.state != "running":
        raise Conflict(f"The study {study.name} is {study.state}; nothing is made until an admin resumes it.")
    _require_seat(tx, rater, study)
    return study


def may_upload(study: Study, rater: Actor) -> bool:
    """Tell whether somebody may bring photos of their own to a study: admins always, raters where it says so."""
    return study.uploads or rater.role == "admin"


def _require_seat(tx: AccountRows, rater: Actor, study: Study) -> None:
    """Refuse who is given nothing to rate: what they bring would come back to them as such."""
    seat = tx.of_people.seat(study.id, rater.user_id)
    if seat.is_paused and seat.enrolment is not None:
        raise Conflict(f"An admin lets you pause here: {seat.enrolment.pause_reason} You can upload once that is over.")
    if not seat.consents_to(study.guide):
        raise Conflict("Agree first to what this study asks of its raters; the rating page shows it.")


def _input_of(tx: StudyRows, study: Study, input_id: str) -> Input:
    found = tx.of_studies.hold_inputs(study.id, input_id)
    if not found:
        raise NotFound(f"There is no input {input_id} in this study.")
    return found[0]


def watch_upload(parts: Parts, rater: Actor, experiment_id: str) -> Upload:
    """Return how far an upload has come, and its options once they are ready; watching keeps the lease alive."""
    now = parts.clock.now()
    with parts.store.read() as tx:
        lease = tx.leases.find(experiment_id=experiment_id, rater_id=rater.user_id)
        if lease is None:
            raise NotFound("There is no such upload of yours.")
        experiment = tx.experiments.get(experiment_id)
        study = tx.studies.get(experiment.study_id)
        if not rights.belongs(tx, rater, study.project_id):
            raise NotFound("There is no such upload of yours.")
        options = tx.options.all(experiment_id=experiment_id)
        _require_seat(tx, rater, study)
        ready = experiment.state in ("ready", "closed")
        shown = shuffled(lease, tx.of_leases.shown(rater.user_id, [experiment_id])) if ready else ()
    if lease.state == "held" and lease.idle(now) > RENEW_AFTER:
        with parts.store.begin() as tx:
            tx.of_leases.renew([lease.id], lease.token, now + LEASE_TIME)
    wanted = [option for option in options if option.state != "spare"]
    done = sum(option.state in ("ready", "failed") for option in wanted)
    return Upload(experiment_id, experiment.state, lease, shown, done, len(wanted) or study.options_per_experiment)
