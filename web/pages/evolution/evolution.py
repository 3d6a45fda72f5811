"""The pages of evolution: versions as a tree, rounds with what became of them, settings, and common issues."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from ml_service.errors import Conflict, InvalidRequest, ServiceError
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.models.completion import dollars
from web.domain.rating.figures import Share
from web.domain.studies.evolving import Evolving, Policy
from web.domain.studies.guide import TAGS
from web.http.answers.forms import figure
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.pages.abtests import words as abtest_words
from web.pages.drawing import prompt_view
from web.pages.evolution import charts as evolution_charts
from web.services.evolution import evolution, evolving, views
from web.services.studies.views import study as study_of

router = APIRouter(prefix="/admin/evolution", tags=["evolution pages"])

ROUNDS = 30
STATES = {
    "waiting": ("◔", "info", "waits for its turn"),
    "running": ("◑", "info", "is under way"),
    "proposed": ("✓", "good", "proposed, and opened a test"),
    "rejected": ("✕", "warn", "nothing passed the gates"),
    "failed": ("✕", "bad", "failed"),
}
Figure = Annotated[str, Form(max_length=20)]


@router.get("")
def evolution_page(request: Request, admin: Admin, study: str = "") -> Response:
    """Show how a prompt evolves: its versions, its rounds, and what comes next."""
    return _show(request, admin, study)


@router.post("/{study_id}/evolve")
def evolve(request: Request, admin: Admin, study_id: str, id: Annotated[str, Form(max_length=36)]) -> Response:
    """Ask for a round now; the same form sent twice asks once."""
    try:
        evolution.evolve(context(request).parts, admin, study_id, id)
    except (Conflict, InvalidRequest) as error:
        return _show(request, admin, study_id, error)
    return _to(study_id, "#rounds")


@router.post("/{study_id}/settings")
def change(
    request: Request,
    admin: Admin,
    study_id: str,
    revision: Annotated[int, Form(ge=0, lt=2**31)],
    every: Figure = "",
    most_challengers: Figure = "",
    worth_testing: Figure = "",
    policy: Annotated[Policy | Literal[""], Form()] = "",
) -> Response:
    """Change when rounds begin and who lets a winner go live, or show what is wrong with that."""
    before = study_of(context(request).parts, admin, study_id).evolving
    try:
        wanted = _typed(before, every, most_challengers, worth_testing, policy or None)
        evolving.change_evolving(context(request).parts, admin, study_id, revision, wanted)
    except (Conflict, InvalidRequest) as error:
        return _show(request, admin, study_id, error)
    return _to(study_id, "#settings")


@router.get("/{study_id}/issues")
def issues(request: Request, admin: Admin, study_id: str) -> Response:
    """Show what raters complain about: by version, generator and time."""
    seen = views.issues_view(context(request).parts, admin, study_id)
    found, tags = seen.issues, {**TAGS, **seen.study.guide.tags}
    return page(
        request,
        "evolution/issues.html",
        actor=admin,
        active="evolution",
        study=seen.study,
        found=found,
        tags=tags,
        plot=evolution_charts.complaints("Complaints", found.overall, tags) if found.overall.tags else None,
        percent=_percent,
    )


def _typed(before: Evolving, every: str, most: str, worth: str, policy: Policy | None) -> Evolving:
    """Return the settings that were typed: without a number of samples no round begins by itself."""
    return Evolving(
        every=int(figure("After samples", every, whole=True)) if every.strip() else None,
        policy=policy,
        most_challengers=int(figure("Challengers", most, whole=True)) if most.strip() else before.most_challengers,
        worth_testing=figure("Worth testing", worth, whole=False) if worth.strip() else before.worth_testing,
    )


def _show(request: Request, admin: Actor, study_id: str, error: ServiceError | None = None) -> Response:
    parts = context(request).parts
    found = views.evolution_view(parts, admin, study_id)
    nodes = found.nodes
    names = {node.version.id: node.version.label for node in nodes}
    return page(
        request,
        "evolution/evolution.html",
        actor=admin,
        active="evolution",
        code=int(error.status) if error else 200,
        study=found.study,
        studies=found.studies,
        nodes=nodes,
        tree=evolution_charts.tree(nodes),
        rounds=found.rounds[:ROUNDS],
        waits=found.waits,
        test=found.test,
        policy=found.policy,
        policies=abtest_words.POLICIES,
        states=STATES,
        gates=prompt_view.GATES,
        names=names,
        has_model=parts.text_model is not None,
        cost="" if found.cost is None else dollars(found.cost),
        why_not=found.why_not,
        dollars=dollars,
        id=new_id(),
        error=str(error or ""),
    )


def _percent(share: Share) -> str:
    told = share.interval
    return f"{told.mean * 100:.0f} % ({told.low * 100:.0f} to {told.high * 100:.0f})"


def _to(study_id: str, place: str) -> Response:
    return RedirectResponse(f"/admin/evolution?study={study_id}{place}", 303)
