"""What production would use today: the best point that was learnt, and the live prompt."""

from collections.abc import Mapping
from dataclasses import dataclass

from ml_service.errors import NotFound
from ml_service.wire.contract import Point
from web.domain.studies.study import Study
from web.ports.parts import Books
from web.rows.rating import RatingRows
from web.services.prompts import pointers


@dataclass(frozen=True)
class BestSettings:
    """A point, the rendered prompt, the version they go with, and words for where the point comes from."""

    point: Point
    prompt: Mapping[str, str]
    version: str
    seed: int
    origin: str


def settings(parts: Books, study_id: str | None = None, generator: str | None = None) -> BestSettings:
    """Return the best settings of a study: the newest diagnosis over the live version's own parameters.

    They are those of a generator where one is named, else of the one that is best, or of the first while none is.
    """
    with parts.store.read() as tx:
        study = tx.studies.get(study_id) if study_id else _most_rated(tx)
        version = pointers.live_version(tx, study.prompt_key)
        learnt = tx.of_studies.newest_diagnosis(study.id)
    best = learnt.diagnosis.best if learnt else None
    wanted = generator or (best.generator if best else study.generators[0])
    tuned = {name: parameter.default for name, parameter in study.parameters(wanted).items()}
    live = tuned | version.parameter_defaults.get(wanted, {})
    if best is None or learnt is None:
        origin = f"the defaults, since {study.name} has no ratings yet"
    elif best.generator != wanted:
        origin = f"the defaults of {wanted}, since the best settings of {study.name} are of {best.generator}"
    else:
        origin = f"the best settings of {study.name} after {learnt.diagnosis.ratings_used} ratings"
    point = live | best.point if best and best.generator == wanted else live
    return BestSettings(point, version.rendered(wanted), version.name or version.id, study.seed, origin)


def is_learnt(parts: Books, study_id: str) -> bool:
    """Tell whether the newest diagnosis of a study knows all of its ratings."""
    with parts.store.snapshot() as tx:
        learnt = tx.of_studies.newest_diagnosis(study_id)
        return learnt is not None and learnt.diagnosis.ratings_used >= tx.of_ratings.count(study_id)


def _most_rated(tx: RatingRows) -> Study:
    studies = tx.studies.all()
    if not studies:
        raise NotFound("There is no study yet; start the server once, or make a study.")
    return max(studies, key=lambda study: (tx.of_ratings.count(study.id), study.id))
