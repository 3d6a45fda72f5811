"""What the pages of studies show, each of one moment, and the images that admins look at."""

from dataclasses import dataclass

from ml_service.errors import Gone, InvalidRequest, NotFound
from web.domain.access import Actor
from web.domain.prompts.diff import differing
from web.domain.prompts.prompt import PromptVersion
from web.domain.reports.history import Page
from web.domain.reports.report import InputLine, StudyLine
from web.domain.studies.guide import Guide
from web.domain.studies.photos import PhotoCounts
from web.domain.studies.stopping import Figures
from web.domain.studies.study import Input, Study
from web.ports.parts import Parts
from web.rows.studies import StudyRows
from web.services.accounts import rights
from web.services.prompts import releases
from web.services.prompts.releases import PromptDetail
from web.services.studies import previews
from web.services.studies.assigning import FirstRaters, WhoRates, first_raters, raters_of
from web.services.studies.intake import view_key
from web.services.studies.studies import example_of, origin


@dataclass(frozen=True)
class StudyView:
    """One study with its figures; `origin` is what it starts from, `others` what it may start from.

    `first` is who may rate a clone of it.
    """

    study: Study
    photos: PhotoCounts
    raters: WhoRates
    figures: Figures
    origin: Study | None
    others: tuple[Study, ...]
    first: FirstRaters


@dataclass(frozen=True)
class NewStudyView:
    """What is offered to a new study: what it may start from, the newest first, and who may rate it."""

    others: tuple[Study, ...]
    first: FirstRaters


@dataclass(frozen=True)
class GuideView:
    """What raters of a study are told, or what was typed instead; `shown` are the scores whose examples are there."""

    study: Study
    guide: Guide
    shown: frozenset[str]


@dataclass(frozen=True)
class Photo:
    """One input of a study."""

    study: Study
    source: Input


@dataclass(frozen=True)
class Beside:
    """Two versions of a prompt, a few inputs to see them on, and the newest study that runs with the prompt.

    `generator` is one that shows what differs, of the study `shown` that the inputs are of.
    """

    prompt: PromptDetail
    old: PromptVersion
    new: PromptVersion
    samples: tuple[Input, ...]
    running: Study | None
    shown: Study | None
    generator: str


@dataclass(frozen=True)
class StoredImage:
    """Where the bytes of an image are."""

    key: str
    media_type: str
    content_hash: str


def studies(parts: Parts, admin: Actor) -> tuple[StudyLine, ...]:
    """Return the studies of a project with what they have."""
    with parts.store.read() as tx:
        return tx.of_reports.studies(admin.project_id)


def study_named(parts: Parts, actor: Actor, wanted: str) -> Study:
    """Return the study of a project that has an id or a whole name."""
    with parts.store.read() as tx:
        studies = tx.studies.all(project_id=actor.project_id)
    found = [study for study in studies if wanted in (study.id, study.name)]
    if len(found) > 1:
        ids = ", ".join(study.id for study in found)
        raise InvalidRequest(f"{len(found)} studies are called {wanted}; use an id: {ids}.")
    if not found:
        names = ", ".join(study.name for study in studies) or "none"
        raise NotFound(f"There is no study {wanted}. There are: {names}.")
    return found[0]


def study(parts: Parts, admin: Actor, study_id: str) -> Study:
    """Return a study that an admin may steer."""
    with parts.store.read() as tx:
        return rights.found(tx.studies, admin, "steer", "study", study_id)


def study_view(parts: Parts, admin: Actor, study_id: str) -> StudyView:
    """Return a study with all that its page shows."""
    with parts.store.snapshot() as tx:
        found = rights.found(tx.studies, admin, "steer", "study", study_id)
        return StudyView(
            study=found,
            photos=tx.of_reports.photo_counts(study_id),
            raters=raters_of(parts.at(tx), admin, study_id),
            figures=tx.of_studies.figures(study_id),
            origin=origin(tx, found),
            others=_newest_first(tx, admin, study_id),
            first=first_raters(tx, admin),
        )


def new_study_view(parts: Parts, admin: Actor) -> NewStudyView:
    """Return what the form of a new study offers."""
    rights.demand(admin, "steer")
    with parts.store.snapshot() as tx:
        return NewStudyView(_newest_first(tx, admin), first_raters(tx, admin))


def inputs(parts: Parts, admin: Actor, study_id: str, after: str, limit: int) -> Page[InputLine]:
    """Return present inputs of a study, newest first, from behind the one with an id."""
    with parts.store.snapshot() as tx:
        rights.found(tx.studies, admin, "steer", "study", study_id)
        return tx.of_reports.inputs(study_id, after, limit)


def known_inputs(parts: Parts, study_id: str) -> frozenset[str]:
    """Return the ids of all inputs that a study has or had."""
    with parts.store.read() as tx:
        return frozenset(source.id for source in tx.inputs.all(study_id=study_id))


def photo(parts: Parts, admin: Actor, study_id: str, input_id: str) -> Photo:
    """Return one input of a study."""
    with parts.store.snapshot() as tx:
        found = rights.found(tx.studies, admin, "steer", "study", study_id)
        source = tx.inputs.find(id=input_id, study_id=study_id)
    if source is None:
        raise NotFound(f"There is no input {input_id} in this study.")
    return Photo(found, source)


def guide_view(parts: Parts, admin: Actor, study_id: str, typed: Guide | None = None) -> GuideView:
    """Return what raters of a study are told, or what was typed, with the examples that can be shown."""
    with parts.store.snapshot() as tx:
        found = rights.found(tx.studies, admin, "steer", "study", study_id)
        told = typed or found.guide
        shown = frozenset(score for score, output in told.examples.items() if example_of(tx, found, output) is not None)
        return GuideView(found, told, shown)


def beside(parts: Parts, admin: Actor, key: str, old: str, new: str) -> Beside:
    """Return two versions of a prompt side by side, each by its name or id."""
    with parts.store.snapshot() as tx:
        seen = parts.at(tx)
        prompt = releases.prompt(seen, admin, key)
        before, after = (releases.version(seen, admin, key, name) for name in (old, new))
        running = tx.studies.all(project_id=admin.project_id, prompt_key=key, state="running")
        samples = previews.samples(tx, parts, admin, key)
        shown = tx.studies.get(samples[0].study_id) if samples else None
        generator = differing(before, after, previews.free(parts, shown))[0] if shown else ""
        return Beside(prompt, before, after, samples, running[-1] if running else None, shown, generator)


def input_image(parts: Parts, admin: Actor, input_id: str) -> StoredImage:
    """Return where the image of an input is; Gone where it was taken down."""
    with parts.store.read() as tx:
        source = tx.inputs.find(id=input_id)
        if source is None or tx.studies.get(source.study_id).project_id != admin.project_id:
            raise NotFound(f"There is no input {input_id}.")
    if source.removed_at is not None:
        raise Gone("This image was taken down.")
    return StoredImage(view_key(source), "image/jpeg", source.content_hash)


def output_image(parts: Parts, admin: Actor, output_id: str) -> StoredImage:
    """Return where the image is that an option gave; Gone where its input was taken down, or it was deleted."""
    with parts.store.snapshot() as tx:
        options = tx.options.all(output_id=output_id)
        found = tx.studies.all(id=tuple({option.study_id for option in options}), project_id=admin.project_id)
        mine = {study.id for study in found}
        sources = tx.inputs.all(id=tuple({option.input_id for option in options if option.study_id in mine}))
        if not sources:
            raise NotFound(f"There is no output {output_id}.")
        if all(source.removed_at is not None for source in sources):
            raise Gone("This image was taken down.")
        output = tx.outputs.get(output_id)
    if output.removed_at is not None:
        raise Gone("This image was set aside unrated, and was deleted since.")
    return StoredImage(output.object_key, output.media_type, output.content_hash)


def _newest_first(tx: StudyRows, admin: Actor, but: str = "") -> tuple[Study, ...]:
    found = tx.studies.all(project_id=admin.project_id)
    return tuple(sorted((one for one in found if one.id != but), key=lambda one: one.id, reverse=True))
