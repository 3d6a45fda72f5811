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
from web.http.answers.forms import Fields
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.pages.abtests import words as abtest_words
from web.pages.drawing import prompt_view as view
from web.pages.prompts import form as draft_form
from web.pages.prompts.form import Typed
from web.services.abtests import abtests, comparisons
from web.services.abtests.abtests import Challenge
from web.services.evolution.views import TestProspect, writing
from web.services.prompts import drafts
from web.services.prompts.views import parent as parent_of

router = APIRouter(prefix="/admin/prompts", tags=["prompts pages"])


@router.get("/{key}/write")
def write(request: Request, admin: Admin, key: str, source: str = "", study: str = "") -> Response:
    """Show the form in which a version is written, with the words of the live version or of the one named."""
    return _form(request, admin, key, Typed(source, study=study))


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
        parent = parent_of(context(request).parts, admin, key, typed.parent)
        typed = draft_form.filled(typed, parent, from_bytes(given.file.read()))
    except InvalidRequest as error:
        return _form(request, admin, key, typed, InvalidRequest(f"Nothing was filled in: {error}"))
    return _form(request, admin, key, typed, is_looked_at=True)


def _kept(request: Request, admin: Actor, key: str, typed: Typed) -> Response:
    parts = context(request).parts
    asked, faults = typed.draft(parts, parent_of(parts, admin, key, typed.parent))
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
    seen = writing(parts, admin, key, typed.parent, typed.study, lambda parent: typed.draft(parts, parent)[0])
    found, parent = seen.look, seen.look.parent
    _, faults = typed.draft(parts, parent)
    typed = typed if typed.id else draft_form.blank(parent, study=typed.study)
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
        studies=seen.studies,
        live=seen.live,
        **_prospect(seen.prospect),
    )


def _told(error: ServiceError | None, rejections: Mapping[str, Rejection]) -> str:
    """Return what stands above the form: a refusal that has its place in the form is said there in full."""
    if error is None:
        return ""
    if isinstance(error, InvalidRequest) and any(rejections):
        return "It was not kept: see below, where it says why. What you typed is still there."
    return str(error)


def _prospect(found: TestProspect | None) -> dict[str, Any]:
    """Return what a test would take: how long and how dear it is in the study that is chosen, if there is one."""
    if found is None:
        return {"chosen": None, "running": None}
    price = found.price * found.design.most_pairs
    return {
        "chosen": found.study,
        "running": found.running,
        "design": found.design,
        "expected": [abtest_words.duration(one) for one in comparisons.expected(found.pace, found.design.threshold)],
        "pace": abtest_words.pace(found.pace),
        "price": dollars(price) if price else "",
    }
