"""Studies for journeys: photos that look like photos, and a queue of what the product's own generator makes of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from hashlib import sha256

from benchmarks.rate_world import option_of
from ml_service.optimizer.space import SearchSpace
from ml_service.wire.contract import Point
from tests.journeys.server import Server
from web.adapters.demo.inputs import DemoInput, demo_inputs
from web.adapters.generators.atonce import AtOnce
from web.adapters.generators.local import SPACE, LocalGenerator
from web.domain.ids import new_id
from web.domain.studies.assigning import EVERYONE, Audience
from web.domain.studies.experiment import Experiment
from web.domain.studies.study import Input, Study
from web.ports.making import CleanImage, Generated, GenerateRequest
from web.rows.transaction import Transaction
from web.services.making import generation
from web.services.prompts import pointers
from web.services.studies import intake
from web.services.studies.studies import StudyDraft, make_study, move_study

PHOTOS = 12
READY = 16  # so many that the worker makes no more while a few are rated
REMEMBERED: dict[str, Generated] = {}


class Remembering(LocalGenerator):
    """The local generator, which makes the same picture once for all journeys."""

    def generate(self, request: GenerateRequest) -> Generated:
        key = sha256(repr(request).encode()).hexdigest()
        return REMEMBERED.get(key) or REMEMBERED.setdefault(key, super().generate(request))


@cache
def photos() -> tuple[DemoInput, ...]:
    """Return a dozen small photos, the same ones each time."""
    return tuple(demo_inputs(PHOTOS))


@cache
def points() -> tuple[Point, ...]:
    """Return two points for each photo: how an optimizer begins that knows nothing."""
    return tuple(SearchSpace(SPACE).initial(0, 2 * PHOTOS))


@contextmanager
def studying(
    server: Server,
    name: str,
    ready: int = READY,
    raters_wanted: int = 1,
    raters: tuple[Audience, ...] = (EVERYONE,),
) -> Iterator[Study]:
    """Run a study with so many experiments ready until the block is left."""
    parts, admin = server.parts, server.operator
    draft = StudyDraft(name, {"local": SPACE}, raters_wanted=raters_wanted, uploads=True)
    study = make_study(parts, admin, draft, raters=raters)
    incoming = [intake.store_image(parts, study, photo.name, image(photo), related=photo.group) for photo in photos()]
    with server.store.begin() as tx:
        sources = [intake.present_or_added(tx, parts, study, one) for one in incoming]
        planned = [_plan(tx, study, number, sources[number % PHOTOS]) for number in range(ready)]
    remembering = replace(parts, generators={"local": AtOnce(Remembering())})
    for experiment in planned:
        with server.store.read() as tx:
            options = tx.options.all(experiment_id=experiment.id)
        for option in options:
            generation.make(remembering, option.id)
    try:
        yield study
    finally:
        move_study(parts, admin, study.id, "archived")


def image(photo: DemoInput) -> CleanImage:
    return CleanImage(photo.body, "image/jpeg", photo.width, photo.height)


def _plan(tx: Transaction, study: Study, number: int, source: Input) -> Experiment:
    now, version = source.created_at, pointers.live_version(tx, study.prompt_key).id
    experiment = tx.experiments.add(Experiment(new_id(), study.id, source.id, "explore", "planned", now, now))
    for place in (0, 1):
        point = points()[(2 * number + place) % len(points())]
        tx.options.add(replace(option_of(experiment, place, version, "", point), state="planned", output_id=None))
    return experiment
