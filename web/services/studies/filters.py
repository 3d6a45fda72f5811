"""Filters of a study's photos that people keep for themselves."""

from ml_service.errors import InvalidRequest
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.studies.photos import PhotoFilter, SavedFilter
from web.ports.parts import Parts
from web.services.accounts import rights

NAME_LIMIT = 60
MOST = 30  # of one person in one study


def save_filter(parts: Parts, admin: Actor, study_id: str, name: str, wanted: PhotoFilter) -> SavedFilter:
    """Keep a filter under a name; one of theirs that has the name gives way."""
    kept = name.strip()
    if not kept or len(kept) > NAME_LIMIT or not kept.isprintable():
        raise InvalidRequest(f"Give the filter a name of 1 to {NAME_LIMIT} characters.")
    if not wanted.query():
        raise InvalidRequest("Set a filter first; there is nothing to keep.")
    with parts.store.begin() as tx:
        rights.found(tx.studies, admin, "steer", "study", study_id)
        tx.of_people.lock(admin.user_id)
        tx.saved_filters.remove(study_id=study_id, user_id=admin.user_id, name=kept)
        if len(tx.saved_filters.all(study_id=study_id, user_id=admin.user_id)) >= MOST:
            raise InvalidRequest(f"You keep {MOST} filters of this study; delete one first.")
        now = parts.clock.now()
        return tx.saved_filters.add(SavedFilter(new_id(), study_id, admin.user_id, kept, wanted.query(), now))


def forget_filter(parts: Parts, admin: Actor, study_id: str, filter_id: str) -> None:
    """Delete a filter of one's own; done twice, no error."""
    with parts.store.begin() as tx:
        rights.found(tx.studies, admin, "steer", "study", study_id)
        tx.saved_filters.remove(id=filter_id, study_id=study_id, user_id=admin.user_id)
