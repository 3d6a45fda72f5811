"""The pages of prompts: what is live and why, how versions differ, and how another one goes live."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from ml_service.errors import Conflict
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.prompts.diff import compare
from web.domain.prompts.feedback import FeedbackSummary
from web.domain.prompts.prompt import PromptVersion, VersionFile
from web.domain.studies.guide import TAGS
from web.domain.studies.study import Input, Study
from web.domain.text import plain
from web.http.answers.images import IMAGE, UNCHANGED, image_response, unchanged
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.http.wire.etags import is_known
from web.pages.abtests import words as abtest_words
from web.pages.drawing import prompt_view as view
from web.pages.prompts import charts as prompt_charts
from web.services.evolution.views import version_view
from web.services.learning.proposal import proposal
from web.services.prompts import promotion, releases
from web.services.prompts.views import prompt_view
from web.services.studies import previews
from web.services.studies.views import beside

router = APIRouter(prefix="/admin/prompts", tags=["prompts pages"])

NOTE_LIMIT = 500
MOVES = {
    "prompt.adopted": "taken in from the files",
    promotion.PUBLISHED: "published",
    promotion.PROMOTED: "promoted",
    promotion.ROLLED_BACK: "rolled back",
}
Note = Annotated[str, Form(max_length=NOTE_LIMIT)]
Revision = Annotated[int, Form(ge=0, lt=2**31)]
Name = Annotated[str, Form(max_length=40)]


@router.get("")
def prompts(request: Request, admin: Admin) -> Response:
    """Show the prompts of the project with what is live of each."""
    lines = releases.prompts(context(request).parts, admin)
    return page(request, "prompts/prompts.html", actor=admin, active="prompts", lines=lines)


@router.get("/{key}")
def prompt(request: Request, admin: Admin, key: str, moved: str = "") -> Response:
    """Show what is live of a prompt, how it came to that, and its versions; `moved` is the revision just made."""
    parts = context(request).parts
    seen = prompt_view(parts, admin, key)
    found, history = seen.detail, seen.history
    just_moved = moved == str(found.pointer.revision) and history and history[0].from_version
    return page(
        request,
        "prompts/prompt.html",
        actor=admin,
        active="prompts",
        found=found,
        history=history,
        undo=history[0] if just_moved else None,
        parameters=view.parameters(parts, found.live),
        names=seen.names,
        words=MOVES,
        no_feedback=FeedbackSummary(),
        course=prompt_charts.course(history, MOVES, parts.clock.now(), admin.time_zone),
        marked=view.marked,
        note_limit=NOTE_LIMIT,
    )


@router.get("/{key}/diff")
def diff(
    request: Request,
    admin: Admin,
    key: str,
    old: Annotated[str, Query(alias="from", max_length=40)],
    new: Annotated[str, Query(alias="to", max_length=40)],
) -> Response:
    """Show any two versions side by side: texts, parameters, and what they make of a few inputs."""
    parts = context(request).parts
    found = beside(parts, admin, key, old, new)
    made_by = _made_by(found.shown, found.generator) if found.shown else ""
    return page(
        request,
        "prompts/prompt_diff.html",
        actor=admin,
        active="prompts",
        found=found.prompt,
        old=found.old,
        new=found.new,
        study=found.running.id if found.running else "",
        comparison=compare(found.old, found.new),
        changes=view.changes(parts, found.old, found.new),
        samples=found.samples,
        old_image=_images(key, found.old, made_by),
        new_image=_images(key, found.new, made_by),
        side=view.side,
    )


@router.get("/{key}/versions/{name}")
def version(request: Request, admin: Admin, key: str, name: str, kept: bool = False) -> Response:
    """Show one version, candidates too, by name or id: what it says, how it was liked, and what became of it."""
    parts = context(request).parts
    seen = version_view(parts, admin, key, name)
    found, studies = seen.life, seen.studies
    running = [one for one in studies if one.state == "running"]
    return page(
        request,
        "prompts/prompt_version.html",
        actor=admin,
        active="prompts",
        key=key,
        life=found,
        study=running[-1].id if running else "",
        own=[line for line in view.parameters(parts, found.version) if line.own],
        tests=[(one, abtest_words.verdict(one)) for one in found.tests],
        tags={tag: words for one in studies for tag, words in {**TAGS, **one.guide.tags}.items()},
        marked=view.marked,
        kept=kept,
    )


@router.get("/{key}/versions/{name}/file", response_class=Response, responses={200: {"model": VersionFile}})
def file(request: Request, admin: Admin, key: str, name: str) -> Response:
    """Answer with the file of any version, to be kept or taken elsewhere; a candidate is v0.0.0 in it."""
    found = releases.exported(context(request).parts, admin, key, name)
    headers = {"Content-Disposition": f'attachment; filename="{key}-{found.version}.json"'}
    return Response(found.body, media_type="application/json", headers=headers)


@router.get("/{key}/publish")
def publish_form(request: Request, admin: Admin, key: str, study: str) -> Response:
    """Show what publishing a study's best settings would change, and what it is expected to be worth."""
    return _publish_form(request, admin, key, study)


@router.post("/{key}/publish")
def publish(
    request: Request,
    admin: Admin,
    key: str,
    study: Annotated[str, Form()],
    version_id: Annotated[str, Form(max_length=36)],
    revision: Revision,
    learnt: Annotated[str, Form(max_length=36)],
    note: Note = "",
) -> Response:
    """Release a study's best settings and make them live; the same form sent twice publishes once."""
    parts = context(request).parts
    try:
        done = promotion.publish_best(
            parts, admin, study, revision=revision, version_id=version_id, learnt_id=learnt, note=plain(note)
        )
    except Conflict as error:
        return _stale(request, admin, key, error, again=f"/admin/prompts/{key}/publish?study={study}")
    return _to(key, done.pointer.revision)


@router.post("/{key}/promote")
def promote(request: Request, admin: Admin, key: str, version: Name, revision: Revision, note: Note = "") -> Response:
    """Make a released version live; an older one than the live one is a rollback."""
    try:
        done = promotion.go_live(context(request).parts, admin, key, version, revision, note=plain(note))
    except Conflict as error:
        return _stale(request, admin, key, error)
    return _to(key, done.pointer.revision)


@router.post("/{key}/versions/{name}/withdraw")
def withdraw(request: Request, admin: Admin, key: str, name: str, note: Note = "") -> Response:
    """Withdraw a version; the live one cannot be."""
    parts = context(request).parts
    version = releases.version(parts, admin, key, name)
    try:
        promotion.withdraw(parts, admin, version.id, plain(note))
    except Conflict as error:
        return _stale(request, admin, key, error)
    return RedirectResponse(f"/admin/prompts/{key}#versions", 303)


@router.get(
    "/{key}/versions/{name}/preview/{input_id}",
    response_class=Response,
    responses={200: IMAGE, 304: UNCHANGED},
)
def preview(
    request: Request,
    admin: Admin,
    key: str,
    name: str,
    input_id: str,
    best: Annotated[str, Query(max_length=36, description="A diagnosis whose best settings are used instead.")] = "",
    generator: Annotated[str, Query(max_length=64, description="What makes it, where the study has several.")] = "",
) -> Response:
    """Answer with what a version makes of an input, small."""
    parts = context(request).parts
    recipe = previews.recipe(parts, admin, key, name, input_id, best, generator)
    etag = f'"{recipe.tag}"'
    if is_known(request, etag):
        return unchanged(etag)
    made = previews.picture(parts, recipe)
    return image_response(made.body, made.media_type, etag=etag)


def _publish_form(request: Request, admin: Actor, key: str, study: str) -> Response:
    parts = context(request).parts
    found = proposal(parts, admin, study)
    kind, words = view.verdict(found.gain, found.learnt.diagnosis.ratings_used)
    return page(
        request,
        "prompts/prompt_publish.html",
        actor=admin,
        active="prompts",
        found=found,
        changes=view.moves(parts, found.generator, found.before, found.after),
        samples=found.samples,
        old_image=_images(key, found.live, _made_by(found.study, found.generator)),
        new_image=_images(key, found.live, f"?best={found.learnt.id}"),
        verdict=(kind, words),
        version_id=new_id(),
        note_limit=NOTE_LIMIT,
    )


def _made_by(study: Study, generator: str) -> str:
    """Return what asks for a picture by one of a study's generators; nothing where there is no other."""
    return f"?{urlencode({'generator': generator})}" if len(study.spaces) > 1 else ""


def _images(key: str, version: PromptVersion, more: str = "") -> Callable[[Input], str]:
    """Return what names the picture of an input as a version makes it."""
    return lambda source: f"/admin/prompts/{key}/versions/{version.name or version.id}/preview/{source.id}{more}"


def _stale(request: Request, admin: Actor, key: str, error: Conflict, again: str = "") -> Response:
    """Show why nothing was changed: what is live now, and since when."""
    found = releases.prompt(context(request).parts, admin, key)
    values: dict[str, Any] = {"found": found, "reason": str(error), "again": again}
    return page(request, "prompts/prompt_stale.html", actor=admin, active="prompts", code=int(error.status), **values)


def _to(key: str, revision: int) -> Response:
    return RedirectResponse(f"/admin/prompts/{key}?moved={revision}", 303)
