"""What raters and the pages of raters are shown, each of one moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from ml_service.errors import Gone, NotFound
from web.domain.access import Actor
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.standing import RatersReport
from web.domain.studies.experiment import Output
from web.domain.studies.guide import SCORES
from web.domain.studies.study import Study
from web.ports.parts import Parts
from web.services.accounts import rights
from web.services.rating import enrolment
from web.services.rating.pay import Period, period
from web.services.studies.experiments import study_to_see
from web.services.studies.intake import view_key
from web.services.studies.studies import example_of
from web.services.studies.views import StoredImage


@dataclass(frozen=True)
class Raters:
    """The raters of a study."""

    study: Study
    report: RatersReport


@dataclass(frozen=True)
class RatersView:
    """The raters of a study, the studies to choose from, and the days whose work is offered as a file."""

    study: Study
    report: RatersReport
    studies: tuple[Study, ...]
    period: Period


@dataclass(frozen=True)
class Told:
    """A study whose guide a rater reads, their place in it, and by score the examples that can be shown."""

    study: Study
    place: Enrolment | None
    examples: Mapping[str, Output]


def raters_view(parts: Parts, admin: Actor, study_id: str) -> RatersView | None:
    """Return the raters of a study with all that their page shows; None where there is no study yet."""
    with parts.store.snapshot() as tx:
        study = study_to_see(tx, admin, study_id or None)
        if study is None:
            return None
        paid = period(parts.at(tx), admin, None, None, None)
        return RatersView(study, tx.of_reports.raters(study), tx.studies.all(project_id=admin.project_id), paid)


def raters(parts: Parts, admin: Actor, study_id: str) -> Raters:
    """Return the raters of a study that an admin steers."""
    with parts.store.snapshot() as tx:
        study = rights.found(tx.studies, admin, "steer", "study", study_id)
        return Raters(study, tx.of_reports.raters(study))


def told(parts: Parts, rater: Actor, study_id: str | None, tab: str) -> Told:
    """Return what a rater is told of a study: the one asked for, else the one of the next photos of their tab."""
    with parts.store.snapshot() as tx:
        study, place = enrolment.own(tx, rater, study_id, parts.clock.now(), tab)
        found = {score: example_of(tx, study, study.guide.examples.get(score, "")) for score in SCORES}
        return Told(study, place, {score: output for score, output in found.items() if output is not None})


def example(parts: Parts, rater: Actor, study_id: str, score: str) -> StoredImage:
    """Return where the example of a score is."""
    with parts.store.snapshot() as tx:
        study, _ = enrolment.own(tx, rater, study_id, parts.clock.now())
        output = example_of(tx, study, study.guide.examples.get(score, ""))
    if output is None:
        raise NotFound("This score has no example.")
    return StoredImage(output.object_key, output.media_type, output.content_hash)


def leased_image(parts: Parts, rater: Actor, lease_id: str, target_id: str) -> StoredImage:
    """Return where an option's or an input's image is, under a running lease of the rater who asks."""
    with parts.store.read() as tx:
        lease = tx.leases.find(id=lease_id)
        if lease is None or lease.rater_id != rater.user_id:
            raise NotFound("There is no image at this address.")
        if not rights.belongs(tx, rater, tx.studies.get(lease.study_id).project_id):
            raise NotFound("There is no image at this address.")
        if not lease.is_running(parts.clock.now()):
            raise Gone("This address held while you were rating the image; open the rating page for the next one.")
        option = tx.options.find(id=target_id, experiment_id=lease.experiment_id)
        source = tx.inputs.get(option.input_id if option else tx.experiments.get(lease.experiment_id).input_id)
        if source.removed_at is not None:
            raise Gone("This image was taken down.")
        if option is None:
            return StoredImage(view_key(source), "image/jpeg", source.content_hash)
        if option.output_id is None:
            raise NotFound("This image has not been made yet.")
        output = tx.outputs.get(option.output_id)
    return StoredImage(output.object_key, output.media_type, output.content_hash)
