"""Studies for journeys: photos that look like photos, and a queue filled by the server's own worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from tests.journeys.server import Server, until
from web.adapters.demo import DemoInput, demo_inputs
from web.domain.study import Study
from web.ports import CleanImage
from web.services import intake, queue
from web.services.studies import StudyDraft, make_study, move_study

PHOTOS = 12


@cache
def photos() -> tuple[DemoInput, ...]:
    """Return a dozen small photos, the same ones each time."""
    return tuple(demo_inputs(PHOTOS))


@contextmanager
def studying(server: Server, name: str, ready: int = 6, raters_wanted: int = 1) -> Iterator[Study]:
    """Run a study, from when so many experiments are ready until the block is left."""
    parts, admin = server.parts, server.operator
    space = parts.generators["local"].space()
    study = make_study(parts, admin, StudyDraft(name, {"local": space}, raters_wanted=raters_wanted))
    for photo in photos():
        image = CleanImage(photo.body, "image/jpeg", photo.width, photo.height)
        incoming = intake.store_image(parts, study, photo.name, image, related=photo.group)
        with server.store.begin() as tx:
            intake.present_or_added(parts, tx, incoming)
    queue.plan(parts, study.id, depth=ready)
    until(f"{ready} experiments of {name} made by the worker", lambda: ready_count(server, study) >= ready)
    try:
        yield study
    finally:
        move_study(parts, admin, study.id, "archived")


def ready_count(server: Server, study: Study) -> int:
    """Return how many experiments of a study can be shown."""
    with server.store.read() as tx:
        return len(tx.experiments.all(study_id=study.id, state="ready"))
