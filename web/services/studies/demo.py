"""The demo study of a first start: inputs that were made, and that say so."""

from collections.abc import Iterable
from dataclasses import dataclass

from web.domain.access import Actor
from web.domain.jobs import plan_job
from web.domain.studies.study import Study
from web.ports.making import CleanImage
from web.ports.parts import Parts
from web.services.studies.intake import present_or_added, store_image
from web.services.studies.studies import StudyDraft, make_study

DEMO_NAME = "Demo: photos from four bad cameras"


@dataclass(frozen=True)
class DemoImage:
    """One made input: what it is called, what was done to it, and which photo it was cut from."""

    name: str
    image: CleanImage
    stratum: str
    related: str


def holding(parts: Parts, actor: Actor, hashes: Iterable[str]) -> tuple[Study, ...]:
    """Return the studies of a project that have an image with one of some SHA-256, the newest first."""
    with parts.store.read() as tx:
        sources = tx.inputs.all(content_hash=tuple(hashes), removed_at=None)
        found = tx.studies.all(id=tuple({source.study_id for source in sources}), project_id=actor.project_id)
    return tuple(sorted(found, key=lambda study: study.id, reverse=True))


def seed_demo(parts: Parts, admin: Actor, images: Iterable[DemoImage]) -> Study | None:
    """Start the demo study in a project that has no study yet; None where it has one."""
    with parts.store.read() as tx:
        if tx.studies.all(project_id=admin.project_id):
            return None
    space = parts.generators["local"].space()
    study = make_study(parts, admin, StudyDraft(DEMO_NAME, {"local": space}), demo=True)
    inputs = [
        store_image(
            parts,
            study,
            image.name,
            image.image,
            stratum=image.stratum,
            related=image.related,
            demo=True,
        )
        for image in images
    ]
    with parts.store.begin() as tx:
        for incoming in inputs:
            present_or_added(tx, parts, study, incoming)
        tx.of_jobs.add_once([plan_job(study.id, parts.clock.now())])
    return study
