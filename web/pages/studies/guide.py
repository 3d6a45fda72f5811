"""The page where an admin says what raters of a study are told: guidelines, scale, examples, tags, consent."""

import re
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from ml_service.errors import InvalidRequest, ServiceError
from web.domain.access import Actor
from web.domain.studies.guide import MOST_ANCHOR, MOST_LABEL, MOST_TAGS, MOST_WORDS, SCORES, Guide
from web.domain.studies.study import Study
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.services.accounts import rights
from web.services.studies.studies import change_guide, example_of

router = APIRouter(prefix="/admin/studies/{study_id}/guide", tags=["studies pages"])

LONGEST_ID = 24


async def form_fields(request: Request) -> FormData:
    """Return what a form sent."""
    return await request.form()


Fields = Annotated[FormData, Depends(form_fields)]


@router.get("")
def guide(request: Request, admin: Admin, study_id: str, said: str = "") -> Response:
    """Show what raters of a study are told."""
    study = _study(request, admin, study_id)
    flash = "Saved. Raters see it from now on." if said == "saved" else ""
    return _show(request, admin, study, study.guide, flash=flash)


@router.post("")
def change(request: Request, admin: Admin, study_id: str, fields: Fields) -> Response:
    """Change what raters are told, or show the form again with what is wrong."""
    study = _study(request, admin, study_id)
    told = study.guide
    try:
        told = read(fields, study.guide)
        change_guide(context(request).parts, admin, study_id, _revision(fields), told)
    except ServiceError as error:
        return _show(request, admin, study, told, error)
    return RedirectResponse(f"/admin/studies/{study_id}/guide?said=saved", 303)


@router.post("/example")
def choose_example(
    request: Request,
    admin: Admin,
    study_id: str,
    score: Annotated[str, Form(pattern="^[1-5]$")],
    output: Annotated[str, Form(max_length=36)],
) -> Response:
    """Make an image the example of a score, as from the page of its experiment."""
    study = _study(request, admin, study_id)
    told = replace(study.guide, examples={**study.guide.examples, score: output})
    change_guide(context(request).parts, admin, study_id, study.revision, told)
    return RedirectResponse(f"/admin/studies/{study_id}/guide?said=saved#scale", 303)


def read(fields: FormData, before: Guide) -> Guide:
    """Return the guide that was typed; examples whose field is empty are none."""
    examples = {score: typed for score in SCORES if (typed := _text(fields, f"example.{score}"))}
    return Guide(
        words=_text(fields, "words"),
        anchors={score: _text(fields, f"anchor.{score}") for score in SCORES},
        examples=examples,
        tags=_tags(_text(fields, "tags"), before.tags),
        consent=_text(fields, "consent"),
    )


def _tags(typed: str, before: dict[str, str]) -> dict[str, str]:
    """Read one tag a line: a label alone keeps the id that it had, or gets one; `id = label` renames."""
    known = {label: tag for tag, label in before.items()}
    tags: dict[str, str] = {}
    for line in filter(None, map(str.strip, typed.splitlines())):
        tag, equals, label = (part.strip() for part in line.partition("="))
        if not equals:
            tag, label = known.get(line) or _id_of(line), line
        if tag in tags:
            raise InvalidRequest(f"Two tags are called {tag}; write one as “another_id = {label}”.")
        tags[tag] = label
    return tags


def _id_of(label: str) -> str:
    return re.sub(r"[^a-z]+", "_", label.lower()).strip("_")[:LONGEST_ID] or "other"


def _revision(fields: FormData) -> int:
    typed = _text(fields, "revision")
    return int(typed) if typed.isdecimal() and len(typed) < 10 else -1


def _text(fields: FormData, name: str) -> str:
    value = fields.get(name, "")
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""


def _study(request: Request, admin: Actor, study_id: str) -> Study:
    with context(request).parts.store.read() as tx:
        return rights.found(tx.studies, admin, "steer", "study", study_id)


def _show(
    request: Request, admin: Actor, study: Study, told: Guide, error: ServiceError | None = None, flash: str = ""
) -> Response:
    with context(request).parts.store.read() as tx:
        shown = {score for score, output in told.examples.items() if example_of(tx, study, output) is not None}
    return page(
        request,
        "studies/guide.html",
        actor=admin,
        active="studies",
        code=error.status if error else 200,
        study=study,
        guide=told,
        scores=SCORES,
        shown=shown,
        limits={"words": MOST_WORDS, "anchor": MOST_ANCHOR, "label": MOST_LABEL, "tags": MOST_TAGS},
        error=str(error or ""),
        flash=flash,
    )
