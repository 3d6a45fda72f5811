"""The page on which a version is written by hand: what it changes, what keeps it back, and what comes next."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, File, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from ml_service.errors import Conflict, InvalidRequest, ServiceError
from web.domain.access import Actor
from web.domain.models.completion import dollars
from web.domain.prompts.gates import Rejection
from web.domain.prompts.prompt import from_bytes
from web.domain.studies.study import Study
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.pages.abtests import words as abtest_words
from web.pages.drawing import prompt_view as view
from web.pages.prompts import form as draft_form
from web.pages.prompts.form import Typed
from web.pages.studies.studies import Fields
from web.services.abtests import abtests, comparisons
from web.services.abtests.abtests import Challenge
from web.services.evolution.evolving import test_under_way
from web.services.prompts import drafts, editing

router = APIRouter(prefix="/admin/prompts", tags=["prompts pages"])


@router.get("/{key}/write")
def write(request: Request, admin: Admin, key: str, source: str = "", study: str = "") -> Response:
    """Show the form in which a version is written, with the words of the live version or of the one named."""
    with context(request).parts.store.read() as tx:
        parent = editing.parent_of(tx, admin, key, source)
    return _form(request, admin, key, draft_form.blank(parent, study=study))


@router.post("/{key}/write")
def written(
    request: Request, admin: Admin, key: str, fields: Fields, file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Say what a draft changes and what keeps it back, keep it as a candidate, or fill the form in from a file.

    The same form sent twice keeps one version and opens one test.
    """
    typed, wanted = draft_form.read(fields), fields.get("do")
    if wanted == "file":
        return _filled(request, admin, key, typed, file)
    if wanted == "keep":
        return _kept(request, admin, key, typed)
    return _form(request, admin, key, typed, is_looked_at=True)


def _filled(request: Request, admin: Actor, key: str, typed: Typed, given: UploadFile | None) -> Response:
    """Show the form with what a version's file says, or what is wrong with the file."""
    try:
        if given is None or not given.size:
            raise InvalidRequest("Choose the file of a version first.")
        with context(request).parts.store.read() as tx:
            parent = editing.parent_of(tx, admin, key, typed.parent)
        typed = draft_form.filled(typed, parent, from_bytes(given.file.read()))
    except InvalidRequest as error:
        return _form(request, admin, key, typed, InvalidRequest(f"Nothing was filled in: {error}"))
    return _form(request, admin, key, typed, is_looked_at=True)


def _kept(request: Request, admin: Actor, key: str, typed: Typed) -> Response:
    parts = context(request).parts
    with parts.store.read() as tx:
        parent = editing.parent_of(tx, admin, key, typed.parent)
    asked, faults = typed.draft(parts, parent)
    if faults:
        return _form(request, admin, key, typed, InvalidRequest("Some settings cannot be used."), is_looked_at=True)
    try:
        made = drafts.draft(parts, admin, key, asked)
    except (InvalidRequest, Conflict) as error:
        return _form(request, admin, key, typed, error, is_looked_at=True)
    if typed.then == "keep":
        return RedirectResponse(f"/admin/prompts/{key}/versions/{made.id}?kept=1", 303)
    try:
        challenge = Challenge((made.id,), asked.changelog, id=typed.test_id)
        test = abtests.open_test(parts, admin, typed.study, challenge)
    except (InvalidRequest, Conflict) as error:
        told = type(error)(f"It was kept as {made.label}, but its A/B test was not opened: {error}")
        return _form(request, admin, key, typed, told)
    return RedirectResponse(f"/admin/abtests/{test.id}", 303)


def _form(
    request: Request,
    admin: Actor,
    key: str,
    typed: Typed,
    error: ServiceError | None = None,
    *,
    is_looked_at: bool = False,
) -> Response:
    parts = context(request).parts
    with parts.store.read() as tx:
        parent = editing.parent_of(tx, admin, key, typed.parent)
    asked, faults = typed.draft(parts, parent)
    found = editing.look(parts, admin, key, asked)
    comparison = found.comparison
    rejections = found.rejections if is_looked_at else {}
    return page(
        request,
        "prompts/prompt_write.html",
        actor=admin,
        active="prompts",
        code=int(error.status) if error else 200,
        key=key,
        typed=typed,
        parent=parent,
        texts={f"{text.generator}.{text.slot}": text for text in comparison.texts},
        changes=[line for line in view.changes(parts, parent, found.made) if line.changed],
        rejections=rejections,
        faults=faults,
        gates=view.GATES,
        settings=draft_form.settings(parts, parent, typed),
        merged=view.merged,
        marked=view.marked,
        most_words=draft_form.MOST_WORDS,
        error=_told(error, rejections),
        **_prospects(request, admin, key, typed),
    )


def _told(error: ServiceError | None, rejections: Mapping[str, Rejection]) -> str:
    """Return what stands above the form: a refusal that has its place in the form is said there in full."""
    if error is None:
        return ""
    if isinstance(error, InvalidRequest) and any(rejections):
        return "It was not kept: see below, where it says why. What you typed is still there."
    return str(error)


def _prospects(request: Request, admin: Actor, key: str, typed: Typed) -> dict[str, Any]:
    """Return what a test would take: studies to choose from, and how long and how dear it is in the one chosen."""
    parts = context(request).parts
    with parts.store.read() as tx:
        found = tx.studies.all(project_id=admin.project_id, prompt_key=key, state="running")
        studies = sorted(found, key=lambda one: one.id, reverse=True)
        chosen = next((one for one in studies if one.id == typed.study), studies[0] if studies else None)
        running = test_under_way(tx, chosen) if chosen else None
        live = editing.parent_of(tx, admin, key)
    told = {"studies": studies, "chosen": chosen, "running": running, "live": live}
    return told | (_prospect(request, admin, chosen) if chosen else {})


def _prospect(request: Request, admin: Actor, study: Study) -> dict[str, Any]:
    parts = context(request).parts
    design = comparisons.prospect(parts, admin, study.id).design
    pace = comparisons.pace(parts, study, raters=design.raters)
    price = comparisons.price(parts, study)
    return {
        "design": design,
        "expected": [abtest_words.duration(one) for one in comparisons.expected(pace, design.threshold)],
        "pace": abtest_words.pace(pace),
        "price": dollars(price * design.most_pairs) if price else "",
    }
