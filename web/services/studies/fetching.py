"""Photos from addresses that a manifest names: asked by jobs, a few at a time, and taken in as files are."""

from datetime import timedelta

from ml_service.errors import InvalidRequest, TooLarge, Unavailable
from web.domain.access import Actor
from web.domain.jobs import fetch_job
from web.domain.studies.batch import Item
from web.ports.parts import Parts
from web.services.studies.batches import put_off, receive, settle

AT_ONCE = 10  # addresses until other work has its turn
AGAIN = timedelta(seconds=20)  # until one that gave no answer is asked again


def fetch(parts: Parts, batch_id: str) -> None:
    """Ask the next addresses of a batch, and go on later while there are more; a batch put away is left alone."""
    with parts.store.read() as tx:
        batch = tx.batches.find(id=batch_id)
        if batch is None or batch.closed_at is not None:
            return
        actor = Actor(batch.made_by or "", "", tx.studies.get(batch.study_id).project_id, "admin")
        some = tx.of_photos.items_in(batch_id, "fetching", AT_ONCE)
    answered = [_ask(parts, actor, item) for item in some]
    if some:
        delay = timedelta(0) if all(answered) else AGAIN
        with parts.store.begin() as tx:
            tx.of_jobs.add_once([fetch_job(batch_id, batch.study_id, parts.clock.now(), delay)])


def _ask(parts: Parts, actor: Actor, item: Item) -> bool:
    """Ask one address and note what came of it; False where it is to be asked again."""
    if parts.fetcher is None:
        settle(parts, item.id, "refused", "This server asks no addresses.")
        return True
    try:
        receive(parts, actor, item.id, parts.fetcher.fetch(item.path))
    except (InvalidRequest, TooLarge) as error:
        settle(parts, item.id, "refused", str(error))
        return True
    except Unavailable as error:
        return put_off(parts, item.id, str(error))
    return True
