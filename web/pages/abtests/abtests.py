"""The pages of A/B tests: all of them, one with its evidence, and the form that opens one."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from ml_service.errors import Conflict, Forbidden, InvalidRequest
from web.domain.abtests.abtest import Evidence
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.models.completion import dollars
from web.domain.prompts.diff import compare
from web.domain.studies.guide import TAGS
from web.domain.text import plain
from web.http.answers.forms import Fields
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.pages.abtests import charts
from web.pages.abtests import form as abtest_form
from web.pages.abtests import words as abtest_words
from web.pages.drawing import prompt_view as view
from web.services.abtests import abtests, comparisons, verdicts, views
from web.services.abtests.abtests import ABTestDetail

router = APIRouter(prefix="/admin/abtests", tags=["abtests pages"])

NOTE_LIMIT = 500
Note = Annotated[str, Form(max_length=NOTE_LIMIT)]
Refusal = InvalidRequest | Conflict | Forbidden


@dataclass(frozen=True)
class Challenger:
    """One challenger as its page shows it: how it stands, in words and plots, and what it changes."""

    name: str
    evidence: Evidence
    words: str
    promise: str
    plots: tuple[Markup, ...]
    comparison: Any
    changes: list[view.ChangeLine]


@router.get("")
def every(request: Request, admin: Admin, key: str = "") -> Response:
    """Show the A/B tests of the project."""
    found = abtests.all_tests(context(request).parts, admin, key or None)
    lines = [(one, abtest_words.verdict(one)) for one in found]
    return page(
        request, "abtests/abtests.html", actor=admin, active="abtests", lines=lines, key=key, called=comparisons.called
    )


@router.get("/new")
def new(request: Request, admin: Admin, study: str = "", version: str = "", champion: str = "") -> Response:
    """Show the form that opens a test, with how long it will take."""
    return _form(request, admin, abtest_form.Typed(study=study, challengers=(version,), champion=champion))


@router.post("/new")
def open_test(request: Request, admin: Admin, fields: Fields) -> Response:
    """Open a test, or show the form again with what is wrong."""
    parts, typed = context(request).parts, abtest_form.read(fields)
    try:
        usual = comparisons.prospect(parts, admin, typed.study).design
        test = abtests.open_test(parts, admin, typed.study, typed.challenge(usual))
    except (InvalidRequest, Conflict) as error:
        return _form(request, admin, typed, error)
    return _to(test.id)


@router.get("/{test_id}")
def one(request: Request, admin: Admin, test_id: str) -> Response:
    """Show one test: its verdict, its evidence, what differs, what was said, and what may be done."""
    return _show(request, admin, test_id)


@router.post("/{test_id}/move")
def move(
    request: Request, admin: Admin, test_id: str, action: Annotated[Literal["pause", "resume", "stop"], Form()]
) -> Response:
    """Pause, resume or stop a test."""
    try:
        abtests.move_test(context(request).parts, admin, test_id, action)
    except Conflict as error:
        return _show(request, admin, test_id, error)
    return _to(test_id)


@router.post("/{test_id}/approve")
def approve(
    request: Request,
    admin: Admin,
    test_id: str,
    confirmation: Annotated[str, Form(max_length=64)] = "",
    note: Note = "",
) -> Response:
    """Let the winner of a test go live, once its prompt's key was typed."""
    try:
        verdicts.approve(context(request).parts, admin, test_id, confirmation, plain(note))
    except (InvalidRequest, Conflict, Forbidden) as error:
        return _show(request, admin, test_id, error)
    return _to(test_id)


@router.post("/{test_id}/decline")
def decline(request: Request, admin: Admin, test_id: str, note: Note = "") -> Response:
    """Leave what is live although a challenger won."""
    try:
        abtests.decline(context(request).parts, admin, test_id, plain(note))
    except Conflict as error:
        return _show(request, admin, test_id, error)
    return _to(test_id)


def _show(request: Request, admin: Actor, test_id: str, error: Refusal | None = None) -> Response:
    found = views.test_view(context(request).parts, admin, test_id)
    detail = found.detail
    return page(
        request,
        "abtests/abtest.html",
        actor=admin,
        active="abtests",
        code=int(error.status) if error else 200,
        detail=detail,
        verdict=abtest_words.verdict(detail),
        challengers=[_challenger(request, detail, one) for one in detail.evidence],
        compared=found.compared,
        expected=comparisons.expected(found.pace, detail.test.threshold),
        pace=found.pace,
        called=comparisons.called,
        words=abtest_words,
        live=found.live,
        preferred=abtest_words.preferred(detail.test),
        tags={**TAGS, **detail.study.guide.tags},
        side=view.side,
        note_limit=NOTE_LIMIT,
        opened_by=found.opened_by,
        error=str(error or ""),
    )


def _challenger(request: Request, detail: ABTestDetail, one: Evidence) -> Challenger:
    champion, mine = detail.versions[detail.test.champion], detail.versions[one.challenger]
    name, given = mine.label, charts.differences(detail.pairs, one)
    drawn = (charts.evidence_plot, charts.gain_plot) if len(given) > 1 else ()
    return Challenger(
        name=name,
        evidence=one,
        words=abtest_words.standing(one, name, champion.label),
        promise=abtest_words.promise(detail.test, one),
        plots=tuple(draw(detail.test, given, name) for draw in drawn),
        comparison=compare(champion, mine),
        changes=[line for line in view.changes(context(request).parts, champion, mine) if line.changed],
    )


def _form(
    request: Request, admin: Actor, typed: abtest_form.Typed, error: InvalidRequest | Conflict | None = None
) -> Response:
    found = views.opening(context(request).parts, admin, typed.study, typed.design_or)
    price = found.price * found.design.most_pairs
    many = max(1, len([one for one in typed.challengers if one]))
    return page(
        request,
        "abtests/abtest_new.html",
        actor=admin,
        active="abtests",
        code=int(error.status) if error else 200,
        typed=replace(typed, study=found.prospect.study.id),
        found=found.prospect,
        design=found.design,
        fields=abtest_form.FIELDS,
        studies=found.studies,
        policy=found.policy,
        policies=abtest_words.POLICIES,
        words=abtest_words,
        pace=found.pace,
        expected=comparisons.expected(found.pace, found.design.threshold * many),
        price=dollars(price * many) if price else "",
        id=typed.id or new_id(),
        most_words=abtests.MOST_WORDS,
        error=str(error or ""),
    )


def _to(test_id: str) -> Response:
    return RedirectResponse(f"/admin/abtests/{test_id}", 303)
