"""The photos of a study, page by page, and what admins change of one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ml_service.errors import InvalidRequest
from web.domain.access import Actor
from web.domain.jobs import plan_job
from web.domain.reports.history import Page
from web.domain.studies.batch import BatchSummary
from web.domain.studies.photos import PhotoChoices, PhotoCounts, PhotoFilter, PhotoLine, SavedFilter
from web.domain.studies.study import Input, Study
from web.domain.studies.sweeps import Sweep
from web.ports.parts import Parts
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.audit.record import record

STRATUM_LIMIT = 120
AT_ONCE = 500  # rows of an export that are read together
UNFINISHED, FINISHED, REFUSED = 100, 3, 20  # uploads that a page tells of, and refused files of each
LATELY = timedelta(days=1)  # for so long it tells of an upload of which nothing is missing or refused,
NEWS = timedelta(minutes=10)  # and of a change that is done


@dataclass(frozen=True)
class PhotosView:
    """One page of a study's photos; `matching` is how many the filter lets through, of all pages.

    `counts` of all photos are told where there is no filter: whoever searches waits for nothing else.
    """

    study: Study
    wanted: PhotoFilter
    rows: Page[PhotoLine]
    matching: int
    counts: PhotoCounts | None
    choices: PhotoChoices
    kept: tuple[SavedFilter, ...]
    batches: tuple[BatchSummary, ...]
    sweeps: tuple[Sweep, ...]


def photos_view(parts: Parts, admin: Actor, study_id: str, wanted: PhotoFilter, after: str, limit: int) -> PhotosView:
    """Return a page of a study's photos, with all that stands around it."""
    now = parts.clock.now()
    with parts.store.snapshot() as tx:
        study = rights.found(tx.studies, admin, "steer", "study", study_id)
        reports = tx.of_reports
        counts = None if wanted.query() else reports.photo_counts(study_id)
        rows = reports.photos(study_id, wanted, after, limit, admin.time_zone)
        if after or rows.after:
            matching = counts.photos if counts else reports.photo_count(study_id, wanted, admin.time_zone)
        else:  # they are all on this page, and need no counting
            matching = len(rows.rows)
        return PhotosView(
            study=study,
            wanted=wanted,
            rows=rows,
            matching=matching,
            counts=counts,
            choices=reports.photo_choices(study_id),
            kept=tx.saved_filters.all(study_id=study_id, user_id=admin.user_id),
            batches=_uploads(tx, study_id, now),
            sweeps=tx.of_photos.sweeps_since(study_id, now - NEWS),
        )


def _uploads(tx: Transaction, study_id: str, now: datetime) -> tuple[BatchSummary, ...]:
    """Return how far uploads are: those that somebody has to look at first, and the last that came whole."""
    of = tx.of_photos
    found = *of.unfinished(study_id, UNFINISHED), *of.finished(study_id, now - LATELY, FINISHED)
    return tuple(of.summary(batch, REFUSED) for batch in found)


def every_photo(parts: Parts, admin: Actor, study_id: str, wanted: PhotoFilter) -> Iterator[PhotoLine]:
    """Go through all photos that are wanted, newest first."""
    with parts.store.read() as tx:
        rights.found(tx.studies, admin, "steer", "study", study_id)
    return _every(parts, admin, study_id, wanted)


def _every(parts: Parts, admin: Actor, study_id: str, wanted: PhotoFilter) -> Iterator[PhotoLine]:
    after, is_first = "", True
    while after or is_first:
        with parts.store.snapshot() as tx:
            page = tx.of_reports.photos(study_id, wanted, after, AT_ONCE, admin.time_zone)
        yield from page.rows
        after, is_first = page.after, False


def photos_of(parts: Parts, admin: Actor, study_id: str, ids: Iterable[str]) -> tuple[PhotoLine, ...]:
    """Return some photos of a study, newest first; those that are gone are left out."""
    with parts.store.snapshot() as tx:
        rights.found(tx.studies, admin, "steer", "study", study_id)
        return tx.of_reports.photo_lines(study_id, tuple(ids))


def set_stratum(parts: Parts, actor: Actor, input_id: str, stratum: str) -> None:
    """Put a photo into a stratum, or into none; the same one again changes nothing."""
    _change(parts, actor, input_id, stratum=checked_stratum(stratum))


def hold_out(parts: Parts, actor: Actor, input_id: str, *, held: bool) -> None:
    """Hold a photo out, so that nothing more is explored on it, or let it in again."""
    _change(parts, actor, input_id, held_out=held)


def checked_stratum(stratum: str) -> str:
    """Return a stratum as it is kept, or raise InvalidRequest where it is none."""
    kept = stratum.strip()
    if len(kept) > STRATUM_LIMIT or not kept.isprintable():
        raise InvalidRequest(f"A stratum has at most {STRATUM_LIMIT} characters, on one line.")
    return kept


def _change(parts: Parts, actor: Actor, input_id: str, **values: object) -> None:
    """Change a present photo; one that is gone meanwhile is passed over."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        source = _present(tx, actor, input_id)
        changed = None if source is None else replace(source, **values)  # type: ignore[arg-type]
        if source is None or changed is None or changed == source:
            return
        kept = tx.inputs.replace(changed)
        tx.of_jobs.add_once([plan_job(source.study_id, now)])
        record(tx, now, actor, "input.changed", ("input", source.id), before=source, after=kept)


def _present(tx: Transaction, actor: Actor, input_id: str) -> Input | None:
    source = tx.of_studies.lock_input(input_id)
    if source is None or source.removed_at is not None:
        return None
    rights.found(tx.studies, actor, "steer", "study", source.study_id)
    return source
