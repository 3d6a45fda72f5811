"""Pictures of what a version does to a study's inputs, made where that costs nothing."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ml_service.errors import Gone, InvalidRequest, NotFound, Unavailable
from ml_service.wire.contract import Best, Point
from web.domain.access import Actor
from web.domain.studies.study import Input, Study
from web.ports.making import Generated, GenerateRequest, Generator, Refused
from web.ports.parts import Parts
from web.rows.rating import RatingRows
from web.rows.studies import StudyRows
from web.services.accounts import rights
from web.services.prompts.releases import either
from web.services.studies.intake import view_key

SIDE = 512
SHOWN = 3


@dataclass(frozen=True)
class Recipe:
    """All that decides what a picture looks like."""

    object_key: str
    content_hash: str
    generator: str
    prompt: Mapping[str, str]
    point: Point
    seed: int
    side: int = SIDE

    @property
    def tag(self) -> str:
        """Return what equal pictures have in common."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def recipe(
    parts: Parts, actor: Actor, key: str, name: str, input_id: str, learnt_id: str = "", generator: str = ""
) -> Recipe:
    """Return what a version makes of an input; `learnt_id` puts a diagnosis's best point over its own.

    It is made by the generator of that point or the one named, else by the first of the study's that costs nothing.
    """
    with parts.store.read() as tx:
        version = either(tx, rights.found(tx.prompts, actor, "see_all", "prompt", key).key, name)
        source, study = _source(tx, actor, input_id)
        best = _best(tx, study, learnt_id) if learnt_id else None
    made_by = best.generator if best else generator or next(iter(free(parts, study)), study.generators[0])
    maker = parts.generator(made_by)
    point = version.parameter_defaults.get(made_by, {}) | (best.point if best else {})
    prompt = version.rendered(made_by)
    if maker.price(GenerateRequest(b"", "image/jpeg", prompt, point, study.seed)):
        raise InvalidRequest(f"{made_by} costs money, so no pictures are made with it just to look at.")
    return Recipe(view_key(source), source.content_hash, made_by, prompt, point, study.seed)


def picture(parts: Parts, wanted: Recipe) -> Generated:
    """Make the picture of a recipe, at most 512 pixels long."""
    small = parts.cleaner.thumbnail(parts.objects.read(wanted.object_key), wanted.side)
    request = GenerateRequest(small, "image/jpeg", wanted.prompt, wanted.point, wanted.seed)
    return made_at_once(parts.generator(wanted.generator), request)


def made_at_once(generator: Generator, request: GenerateRequest) -> Generated:
    """Return what a generator makes while one waits, or raise what it says instead."""
    match generator.look(generator.begin(request)):
        case Generated() as made:
            return made
        case Refused(words):
            raise InvalidRequest(words)
        case _:
            raise Unavailable(f"{generator.name} takes its time; nothing is made with it just to look at.")


def samples(
    tx: RatingRows, parts: Parts, actor: Actor, key: str, study_id: str = "", generator: str = ""
) -> tuple[Input, ...]:
    """Return a few inputs that differ, of the study named or else of the prompt's most rated one.

    Where a generator is named, it has to be one that costs nothing.
    """
    found = tx.studies.all(project_id=actor.project_id, prompt_key=key, **({"id": study_id} if study_id else {}))
    costless = {study.id: free(parts, study) for study in found}
    studies = [one for one in found if (generator in costless[one.id] if generator else costless[one.id])]
    for study in sorted(studies, key=lambda one: (-tx.of_ratings.count(one.id), one.id)):
        present = tx.inputs.all(study_id=study.id, kind="image", removed_at=None)
        if present:
            return _different(present)
    return ()


def free(parts: Parts, study: Study) -> list[str]:
    """Name the generators of a study that cost nothing."""
    known = [parts.generators[name] for name in study.generators if name in parts.generators]
    return [
        one.name
        for one in known
        if one.price(GenerateRequest(b"", "image/jpeg", {}, one.space().default(), study.seed)) == 0
    ]


def _different(present: tuple[Input, ...]) -> tuple[Input, ...]:
    """Return inputs of different strata and groups as far as there are any."""
    by_kind = {(one.stratum, one.related): one for one in reversed(present)}
    by_stratum = {one.stratum: one for one in reversed(by_kind.values())}
    chosen = {one.id: one for one in (*by_stratum.values(), *by_kind.values(), *present)}
    return tuple(chosen.values())[:SHOWN]


def _source(tx: StudyRows, actor: Actor, input_id: str) -> tuple[Input, Study]:
    source = tx.inputs.find(id=input_id)
    study = None if source is None else tx.studies.find(id=source.study_id, project_id=actor.project_id)
    if source is None or study is None:
        raise NotFound(f"There is no input {input_id}.")
    if source.removed_at is not None:
        raise Gone("This image was taken down.")
    return source, study


def _best(tx: StudyRows, study: Study, learnt_id: str) -> Best:
    learnt = tx.diagnoses.find(id=learnt_id, study_id=study.id)
    if learnt is None or learnt.diagnosis.best is None:
        raise NotFound("These settings are not known any more; newer ones have been learnt.")
    return learnt.diagnosis.best
