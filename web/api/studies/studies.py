"""REST of studies and their inputs, for admins: all that the pages do."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from web.api.fields import optional_fields
from web.domain.reports.history import Page
from web.domain.reports.report import InputLine, StudyLine
from web.domain.studies.assigning import FIRST, Audience, First
from web.domain.studies.guide import Guide
from web.domain.studies.photos import place
from web.domain.studies.stopping import Standing
from web.domain.studies.study import Input, Study
from web.http.edge.session import Admin, context
from web.services.learning.stopping import standings_of
from web.services.studies import intake, views
from web.services.studies.studies import (
    StudyDraft,
    change_guide,
    change_study,
    clone_study,
    make_study,
    move_study,
)

router = APIRouter(prefix="/api/v1", tags=["studies"])

_STUDY = TypeAdapter(Study)
_STUDIES = TypeAdapter(tuple[StudyLine, ...])
_STANDINGS = TypeAdapter(tuple[Standing, ...])
_INPUT = TypeAdapter(Input)
_INPUTS = TypeAdapter(Page[InputLine])
MOST_ROWS = 500
UPLOAD_BYTES = 32_000_000


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class StudyIn(StudyDraft):
    """What is set of a new study; where `raters` is left out, everyone rates it if no other study runs."""

    raters: First | None = None


@optional_fields(StudyDraft, but={"prompt_key"})
class StudyChange(BaseModel):
    """What is changed of a study; what is left out stays. `revision` is the one that was read.

    An empty `starts_from` lets it start from no other study.
    """

    model_config = ConfigDict(extra="forbid")

    revision: int


class GuideIn(BaseModel):
    """What raters of a study are told, whole; `revision` is the study's that was read, `examples` are outputs."""

    model_config = ConfigDict(extra="forbid")

    revision: int
    words: str
    anchors: dict[str, str]
    examples: dict[str, str] = Field(default_factory=dict)
    tags: dict[str, str]
    consent: str = ""


class CloneIn(BaseModel):
    """The name of the new study, whether it starts from the ratings of the one that is cloned, and who rates it."""

    model_config = ConfigDict(extra="forbid")

    name: str
    warm: bool = False
    raters: First | None = None


@router.get("/studies", responses={200: {"model": tuple[StudyLine, ...]}})
def studies(request: Request, admin: Admin) -> Response:
    """Return the project's studies with what they have."""
    return _json(_STUDIES, views.studies(context(request).parts, admin))


@router.post("/studies", status_code=201, responses={201: {"model": Study}})
def make(request: Request, admin: Admin, draft: StudyIn) -> Response:
    """Make a study."""
    made = make_study(context(request).parts, admin, draft, raters=_first(draft.raters))
    return _json(_STUDY, made, 201)


@router.get("/studies/{study_id}", responses={200: {"model": Study}})
def study(request: Request, admin: Admin, study_id: str) -> Response:
    """Return a study."""
    return _json(_STUDY, views.study(context(request).parts, admin, study_id))


@router.patch("/studies/{study_id}", responses={200: {"model": Study}})
def change(request: Request, admin: Admin, study_id: str, changes: StudyChange) -> Response:
    """Change a study while it runs; 409 where its revision has moved on."""
    parts = context(request).parts
    before = views.study(parts, admin, study_id)
    given = {name: value for name, value in _given(changes).items() if value is not None}
    revision = given.pop("revision")
    origin = given.pop("starts_from", before.starts_from) or None
    draft = replace(StudyDraft.of(before), **given, starts_from=origin)
    return _json(_STUDY, change_study(parts, admin, study_id, revision, draft))


@router.put("/studies/{study_id}/guide", responses={200: {"model": Study}})
def guide(request: Request, admin: Admin, study_id: str, told: GuideIn) -> Response:
    """Change what raters of a study are told; 409 where the study's revision has moved on."""
    values = _given(told)
    changed = change_guide(context(request).parts, admin, study_id, values.pop("revision"), Guide(**values))
    return _json(_STUDY, changed)


@router.post("/studies/{study_id}/clone", status_code=201, responses={201: {"model": Study}})
def clone(request: Request, admin: Admin, study_id: str, named: CloneIn) -> Response:
    """Start a study with this one's settings and inputs."""
    parts = context(request).parts
    made = clone_study(parts, admin, study_id, named.name, warm=named.warm, raters=_first(named.raters))
    return _json(_STUDY, made, 201)


@router.post("/studies/{study_id}/pause", responses={200: {"model": Study}})
def pause(request: Request, admin: Admin, study_id: str) -> Response:
    """Pause a study: nothing new is made, what was leased may still be rated."""
    return _json(_STUDY, move_study(context(request).parts, admin, study_id, "paused"))


@router.post("/studies/{study_id}/resume", responses={200: {"model": Study}})
def resume(request: Request, admin: Admin, study_id: str) -> Response:
    """Let a paused or finished study run again; the rule that finished it is switched off unless it was raised."""
    return _json(_STUDY, move_study(context(request).parts, admin, study_id, "running"))


@router.post("/studies/{study_id}/archive", responses={200: {"model": Study}})
def archive(request: Request, admin: Admin, study_id: str) -> Response:
    """Put a study away; its ratings stay."""
    return _json(_STUDY, move_study(context(request).parts, admin, study_id, "archived"))


@router.get("/studies/{study_id}/stopping", responses={200: {"model": tuple[Standing, ...]}})
def stopping(request: Request, admin: Admin, study_id: str) -> Response:
    """Tell how near each stop rule of a study is that is on."""
    return _json(_STANDINGS, standings_of(context(request).parts, admin, study_id))


@router.get("/studies/{study_id}/inputs", responses={200: {"model": Page[InputLine]}})
def inputs(
    request: Request,
    admin: Admin,
    study_id: str,
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = MOST_ROWS,
) -> Response:
    """Return present inputs of a study, newest first; `after` of the answer asks for the next ones."""
    return _json(_INPUTS, views.inputs(context(request).parts, admin, study_id, place(after), limit))


@router.post(
    "/studies/{study_id}/inputs", status_code=201, responses={201: {"model": Input}}, max_body_size=UPLOAD_BYTES
)
def add_input(
    request: Request,
    admin: Admin,
    study_id: str,
    file: Annotated[UploadFile, File()],
    name: Annotated[str, Form(max_length=120)] = "",
) -> Response:
    """Add an image to a study; the same content twice is one input."""
    body = file.file.read()
    added = intake.add_input(context(request).parts, admin, study_id, name or file.filename or "", body)
    return _json(_INPUT, added, 201)


@router.delete("/inputs/{input_id}", status_code=204)
def take_down(request: Request, admin: Admin, input_id: str) -> Response:
    """Take an input down with all it led to; done twice, no error."""
    intake.take_down(context(request).parts, admin, input_id)
    return Response(status_code=204)


def _first(named: First | None) -> tuple[Audience, ...] | None:
    return None if named is None else FIRST[named]


def _given(model: BaseModel) -> dict[str, Any]:
    """Return the fields of a model with their values as they are."""
    return {name: getattr(model, name) for name in type(model).model_fields}


def _json(adapter: TypeAdapter[Any], value: object, status: int = 200) -> Response:
    return Response(adapter.dump_json(value), status, media_type="application/json")
