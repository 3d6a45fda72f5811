"""Take inputs in, for the queue or for the person who uploads them, and take them down."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ml_service.errors import Conflict, InvalidRequest, NotFound
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.job import Job
from web.domain.rating.lease import LEASE_TIME, RENEW_AFTER, Lease, Shown
from web.domain.studies.experiment import LIVE, Experiment, ExperimentState
from web.domain.studies.study import Input, Study
from web.ports import CleanImage, Parts
from web.services.audit.record import record
from web.services.making.generation import generate_job
from web.services.rating.training import jobs_after_rating, plan_job, shuffled, study_to_rate
from web.services.studies.objects import VIEW, discard
from web.services.studies.studies import study_to_steer
from web.transactions import Transaction

VIEW_SIDE = 2048
NAME_LIMIT = 120
TAKEN_DOWN = "taken down"


@dataclass(frozen=True)
class Incoming:
    """An input that is to be added, with the bytes of its objects by their names."""

    source: Input
    objects: Mapping[str, bytes]


@dataclass(frozen=True)
class Upload:
    """How far an uploaded image's options have come; `shown` is filled once they are ready."""

    experiment_id: str
    state: ExperimentState
    lease: Lease
    shown: tuple[Shown, ...]
    done: int
    of: int


def view_key(source: Input) -> str:
    """Name the object that pages show of an input: at most 2,048 pixels, as the options are."""
    return f"{source.object_key}{VIEW}"


def add_input(parts: Parts, actor: Actor, study_id: str, name: str, body: bytes) -> Input:
    """Add an image to a study's inputs; the same content twice is one input."""
    with parts.store.read() as tx:
        study = study_to_steer(tx, actor, study_id)
    incoming = store_image(parts, study, name, parts.cleaner.clean(body), added_by=actor.user_id or None)
    with parts.store.begin() as tx:
        now = parts.clock.now()
        kept = present_or_added(parts, tx, incoming)
        tx.of_jobs.add_once([plan_job(study.id, now)])
        if kept.id == incoming.source.id:
            record(tx, now, actor, "input.added", ("input", kept.id), after=kept, details={"study": study.id})
        return kept


def store_image(
    parts: Parts,
    study: Study,
    name: str,
    image: CleanImage,
    *,
    stratum: str = "",
    related: str = "",
    demo: bool = False,
    added_by: str | None = None,
) -> Incoming:
    """Put a clean image into the object store and return the input to be added."""
    content_hash = hashlib.sha256(image.body).hexdigest()
    source = Input(
        id=new_id(),
        study_id=study.id,
        kind="image",
        name="".join(character for character in name if character.isprintable())[:NAME_LIMIT] or "image",
        content_hash=content_hash,
        object_key=f"inputs/{study.project_id}/{content_hash[:2]}/{content_hash}",
        media_type=image.media_type,
        created_at=parts.clock.now(),
        width=image.width,
        height=image.height,
        stratum=stratum,
        related=related,
        demo=demo,
        added_by=added_by,
    )
    small = max(image.width, image.height) <= VIEW_SIDE
    view = image.body if small else parts.cleaner.thumbnail(image.body, VIEW_SIDE)
    incoming = Incoming(source, {source.object_key: image.body, view_key(source): view})
    _create(parts, incoming)
    return incoming


def present_or_added(parts: Parts, tx: Transaction, incoming: Incoming) -> Input:
    """Return the study's input with this content, adding it where there is none."""
    source = incoming.source
    tx.lock_objects(incoming.objects)
    known = tx.inputs.find(study_id=source.study_id, content_hash=source.content_hash, removed_at=None)
    _create(parts, incoming)  # whoever took the same content down meanwhile has deleted its objects
    return known or tx.inputs.add(source)


def _create(parts: Parts, incoming: Incoming) -> None:
    for key, body in incoming.objects.items():
        parts.objects.create(key, body)


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
        kept = present_or_added(parts, tx, incoming) if incoming else _input_of(tx, study, input_id or "")
        experiment = Experiment(new_id(), study.id, kept.id, "explore", "planned", now, now, held_for=rater.user_id)
        tx.experiments.add(experiment)
        lease = tx.leases.add(Lease.start(experiment, rater.user_id, tab, now))
        tx.of_jobs.add_once([generate_job(experiment, parts.clock.now())])
        if incoming is not None and kept.id == incoming.source.id:
            record(tx, now, rater, "input.added", ("input", kept.id), after=kept, details={"study": study.id})
    return Upload(experiment.id, experiment.state, lease, (), 0, study.options_per_experiment)


def _open_study(tx: Transaction, rater: Actor, study_id: str | None) -> Study:
    study = study_to_rate(tx, rater, study_id)
    if study is None:
        raise Conflict("There is no study to upload to; ask an admin to start one.")
    if study.state != "running":
        raise Conflict(f"The study {study.name} is {study.state}; nothing is made until an admin resumes it.")
    _require_seat(tx, rater, study)
    return study


def _require_seat(tx: Transaction, rater: Actor, study: Study) -> None:
    """Refuse who is given nothing to rate: what they bring would come back to them as such."""
    seat = tx.of_people.seat(study.id, rater.user_id)
    if seat.is_paused and seat.enrolment is not None:
        raise Conflict(f"An admin lets you pause here: {seat.enrolment.pause_reason} You can upload once that is over.")
    if not seat.consents_to(study.guide):
        raise Conflict("Agree first to what this study asks of its raters; the rating page shows it.")


def _input_of(tx: Transaction, study: Study, input_id: str) -> Input:
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
        options = tx.options.all(experiment_id=experiment_id)
        _require_seat(tx, rater, study)
        ready = experiment.state in ("ready", "closed")
        shown = shuffled(lease, tx.of_leases.shown(rater.user_id, [experiment_id])) if ready else ()
    if lease.state == "held" and lease.idle(now) > RENEW_AFTER:
        with parts.store.begin() as tx:
            tx.of_leases.renew([lease.id], lease.token, now + LEASE_TIME)
    done = sum(option.state in ("ready", "failed") for option in options)
    return Upload(experiment_id, experiment.state, lease, shown, done, len(options) or study.options_per_experiment)


def take_down(parts: Parts, actor: Actor, input_id: str) -> None:
    """Remove an input with all it led to: its ratings stop counting, its images are deleted; done twice, no error.

    Its name and what raters said of it go too: both may tell what the picture showed.
    """
    now = parts.clock.now()
    with parts.store.begin() as tx:
        source = tx.of_studies.lock_input(input_id)
        if source is None:
            raise NotFound(f"There is no input {input_id}.")
        study_to_steer(tx, actor, source.study_id)
        if source.removed_at is None:
            removed = tx.inputs.replace(replace(source, name=TAKEN_DOWN, payload=None, removed_at=now))
            detach(tx, source, now)
            record(tx, now, actor, "input.removed", ("input", source.id), before=source, after=removed)
    forget_objects(parts, input_id)


def detach(tx: Transaction, source: Input, now: datetime) -> None:
    """Drop what was to be shown of an input that goes, and what raters said of it; ask that its objects be deleted."""
    live = [experiment.id for experiment in tx.experiments.all(input_id=source.id, state=LIVE)]
    tx.of_experiments.move(tx.of_experiments.lock(live), "dropped", now)
    tx.of_ratings.forget_comments(now, input_id=source.id)
    tx.of_completions.forget_answers()
    tx.of_jobs.add_once([*jobs_after_rating(source.study_id, now), _forget_job(source, now)])


def forget_objects(parts: Parts, input_id: str) -> None:
    """Delete the objects of an input that was taken down and of all made of it, unless something else needs them."""
    with parts.store.read() as tx:
        source = tx.inputs.get(input_id)
        made = tx.of_objects.made_of(input_id)
    discard(parts, [source.object_key, view_key(source), *made])


def _forget_job(source: Input, now: datetime) -> Job:
    """Return the job that deletes objects, should whoever takes an input down be killed before they have."""
    arguments = {"input": source.id}
    return Job(new_id(), f"forget:{source.id}", "forget", arguments, now, now, study_id=source.study_id)
