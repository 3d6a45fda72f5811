"""Take inputs in, for the queue or for the person who uploads them, and take them down."""

import hashlib
from dataclasses import replace
from datetime import datetime

from ml_service.errors import NotFound
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.jobs import forget_job, jobs_after_rating, plan_job
from web.domain.studies.experiment import LIVE
from web.domain.studies.study import Input, Study
from web.ports.making import CleanImage
from web.ports.parts import Parts
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.studies.objects import VIEW, delete_later, discard, new_name

VIEW_SIDE = 2048
NAME_LIMIT = 120
TAKEN_DOWN = "taken down"


def view_key(source: Input) -> str:
    """Name the object that pages show of an input: at most 2,048 pixels, as the options are."""
    return f"{source.object_key}{VIEW}"


def add_input(parts: Parts, actor: Actor, study_id: str, name: str, body: bytes) -> Input:
    """Add an image to a study's inputs; the same content twice is one input."""
    with parts.store.read() as tx:
        study = rights.found(tx.studies, actor, "steer", "study", study_id)
    incoming = store_image(parts, study, name, parts.cleaner.clean(body), added_by=actor.user_id or None)
    with parts.store.begin() as tx:
        now = parts.clock.now()
        kept = present_or_added(tx, parts, study, incoming)
        tx.of_jobs.add_once([plan_job(study.id, now)])
        if kept.id == incoming.id:
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
    metadata: dict[str, str] | None = None,
    demo: bool = False,
    added_by: str | None = None,
) -> Input:
    """Put a clean image into the object store and return the input to be added."""
    content_hash = hashlib.sha256(image.body).hexdigest()
    source = Input(
        id=new_id(),
        study_id=study.id,
        kind="image",
        name="".join(character for character in name if character.isprintable())[:NAME_LIMIT] or "image",
        content_hash=content_hash,
        object_key=new_name(f"inputs/{study.project_id}", content_hash),
        media_type=image.media_type,
        created_at=parts.clock.now(),
        width=image.width,
        height=image.height,
        stratum=stratum,
        related=related,
        metadata=metadata,
        demo=demo,
        added_by=added_by,
    )
    small = max(image.width, image.height) <= VIEW_SIDE
    view = image.body if small else parts.cleaner.thumbnail(image.body, VIEW_SIDE)
    parts.objects.create(source.object_key, image.body)
    parts.objects.create(view_key(source), view)
    return source


def present_or_added(tx: Transaction, parts: Parts, study: Study, source: Input) -> Input:
    """Return the study's input with this content, adding it where there is none; inputs of a project share objects."""
    tx.lock_objects([source.object_key])
    key = tx.of_objects.shared(study.project_id, source.content_hash)
    if key is not None:
        delete_later(tx, [source.object_key, view_key(source)], parts.clock.now())
    known = tx.inputs.find(study_id=source.study_id, content_hash=source.content_hash, removed_at=None)
    return known or tx.inputs.add(replace(source, object_key=key or source.object_key))


def take_down(parts: Parts, actor: Actor, input_id: str) -> None:
    """Remove an input with all it led to: its ratings stop counting, its images are deleted; done twice, no error.

    Its name and what raters said of it go too: both may tell what the picture showed.
    """
    now = parts.clock.now()
    with parts.store.begin() as tx:
        source = tx.of_studies.lock_input(input_id)
        if source is None:
            raise NotFound(f"There is no input {input_id}.")
        rights.found(tx.studies, actor, "steer", "study", source.study_id)
        if source.removed_at is None:
            removed = tx.inputs.replace(replace(source, name=TAKEN_DOWN, payload=None, metadata=None, removed_at=now))
            detach(tx, source, now)
            record(tx, now, actor, "input.removed", ("input", source.id), before=source, after=removed)
    forget_objects(parts, input_id)


def detach(tx: Transaction, source: Input, now: datetime) -> None:
    """Drop what was to be shown of an input that goes, and what raters said of it; ask that its objects be deleted."""
    live = [experiment.id for experiment in tx.experiments.all(input_id=source.id, state=LIVE)]
    tx.of_experiments.move(tx.of_experiments.lock(live), "dropped", now)
    tx.of_ratings.forget_comments(now, input_id=source.id)
    tx.of_completions.forget_answers()
    tx.of_photos.forget_names(source.id, TAKEN_DOWN)
    tx.of_jobs.add_once([*jobs_after_rating(source.study_id, now), forget_job(source.id, source.study_id, now)])


def forget_objects(parts: Parts, input_id: str) -> None:
    """Delete the objects of an input that was taken down and of all made of it, unless something else needs them."""
    with parts.store.read() as tx:
        source = tx.inputs.get(input_id)
        made = tx.of_objects.made_of(input_id)
    discard(parts, [source.object_key, view_key(source), *made])
