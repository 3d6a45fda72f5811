"""The pages of studies: list, make, change while they run, clone, pause, archive."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from ml_service.errors import InvalidRequest, NotFound, ServiceError
from ml_service.wire.contract import ParameterSpace
from web.domain.access import Actor
from web.domain.studies.assigning import FIRST, Audience
from web.domain.studies.stopping import NAMES, SENTENCES, standings, still_holding
from web.domain.studies.study import StudyState
from web.http.answers.forms import Fields, revision, text
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.pages.studies import form as study_form
from web.pages.studies.assigning import audience
from web.ports.parts import Parts
from web.services.studies import views
from web.services.studies.studies import StudyDraft, change_study, clone_study, make_study, move_study

router = APIRouter(prefix="/admin/studies", tags=["studies pages"])


@router.get("")
def studies(request: Request, admin: Admin) -> Response:
    """Show the studies of the project."""
    lines = views.studies(context(request).parts, admin)
    return page(request, "studies/studies.html", actor=admin, active="studies", lines=lines)


@router.get("/new")
def new(request: Request, admin: Admin, generator: str = "") -> Response:
    """Show the form of a new study."""
    parts = context(request).parts
    name = _generator(parts, generator)
    return _new(request, admin, study_form.blank(name, parts.generators[name].space()))


@router.post("/new")
def make(request: Request, admin: Admin, fields: Fields) -> Response:
    """Make a study, or show the form again with what is wrong."""
    parts = context(request).parts
    generator = _generator(parts, str(fields.get("generator", "")))
    offered = parts.generators[generator].space()
    draft = study_form.blank(generator, offered)
    try:
        draft = study_form.read(fields, {generator: offered}, draft)
        study = make_study(parts, admin, draft, raters=_first(text(fields, "raters")))
    except InvalidRequest as error:
        return _new(request, admin, draft, error, text(fields, "raters"))
    return _to(study.id, "#inputs")


@router.get("/{study_id}")
def study(request: Request, admin: Admin, study_id: str) -> Response:
    """Show a study: its state, how many photos it has, its settings."""
    return _show(request, admin, study_id)


@router.post("/{study_id}")
def change(request: Request, admin: Admin, study_id: str, fields: Fields) -> Response:
    """Change a study while it runs, or show the form again with what is wrong."""
    parts = context(request).parts
    chosen = views.study(parts, admin, study_id)
    draft = StudyDraft.of(chosen)
    try:
        draft = study_form.read(fields, _offered(parts, draft), draft)
        change_study(parts, admin, study_id, revision(fields), draft)
    except ServiceError as error:
        return _show(request, admin, study_id, draft, error)
    return _to(study_id, "")


@router.post("/{study_id}/clone")
def clone(
    request: Request,
    admin: Admin,
    study_id: str,
    name: Annotated[str, Form(max_length=120)],
    warm: Annotated[str, Form()] = "",
    raters: Annotated[str, Form(max_length=50)] = "",
) -> Response:
    """Start a study with this one's settings and inputs, and where it is warm with what its ratings teach."""
    made = clone_study(context(request).parts, admin, study_id, name, warm=bool(warm), raters=_first(raters))
    return _to(made.id, "")


@router.post("/{study_id}/state")
def move(request: Request, admin: Admin, study_id: str, state: Annotated[StudyState, Form()]) -> Response:
    """Pause, resume or archive a study."""
    move_study(context(request).parts, admin, study_id, state)
    return _to(study_id, "")


def _first(typed: str) -> tuple[Audience, ...] | None:
    """Return who rates a new study as it was typed, or None where nothing was said."""
    return FIRST[typed] if typed in FIRST else (audience(typed),) if typed else None


def _generator(parts: Parts, name: str) -> str:
    chosen = name or min(parts.generators)
    if chosen not in parts.generators:
        raise NotFound(f"There is no generator {chosen}.")
    return chosen


def _offered(parts: Parts, draft: StudyDraft) -> dict[str, ParameterSpace]:
    """Return what the generators of a draft offer; one that is not here any more offers what is chosen."""
    known = parts.generators
    return {name: known[name].space() if name in known else chosen for name, chosen in draft.spaces.items()}


def _new(
    request: Request, admin: Actor, draft: StudyDraft, error: ServiceError | None = None, raters: str = ""
) -> Response:
    parts = context(request).parts
    (generator,) = draft.spaces
    offered = views.new_study_view(parts, admin)
    return page(
        request,
        "studies/study_new.html",
        actor=admin,
        active="studies",
        code=error.status if error else 200,
        draft=draft,
        generator=generator,
        generators=sorted(parts.generators),
        rows=study_form.rows_of(_offered(parts, draft), draft.spaces),
        sentences=SENTENCES,
        others=offered.others,
        first=offered.first,
        raters=raters or offered.first.proposed,
        error=str(error or ""),
    )


def _show(
    request: Request, admin: Actor, study_id: str, typed: StudyDraft | None = None, error: ServiceError | None = None
) -> Response:
    parts = context(request).parts
    found = views.study_view(parts, admin, study_id)
    study, draft = found.study, typed or StudyDraft.of(found.study)
    return page(
        request,
        "studies/study.html",
        actor=admin,
        active="studies",
        code=error.status if error else 200,
        study=study,
        draft=draft,
        rows=study_form.rows_of(_offered(parts, draft), draft.spaces),
        photos=found.photos,
        raters=found.raters,
        standings=standings(study.stop, found.figures),
        off=still_holding(study, found.figures),
        names=NAMES,
        origin=found.origin,
        sentences=SENTENCES,
        others=found.others,
        first=found.first,
        error=str(error or ""),
    )


def _to(study_id: str, place: str) -> Response:
    return RedirectResponse(f"/admin/studies/{study_id}{place}", 303)
