"""The pages of evolution: versions as a tree, rounds with what became of them, settings, and common issues."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from ml_service.errors import Conflict, InvalidRequest, NotFound, ServiceError
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.models.completion import dollars
from web.domain.rating.figures import Share
from web.domain.studies.evolving import Evolving, Policy
from web.domain.studies.guide import TAGS
from web.domain.studies.study import Study
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.pages.abtests import words as abtest_words
from web.pages.abtests.form import figure
from web.pages.drawing import prompt_view
from web.pages.evolution import charts as evolution_charts
from web.services.abtests import abtests
from web.services.accounts import rights
from web.services.evolution import evolution, evolving

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
    return _show(request, admin, _study(request, admin, study))


@router.post("/{study_id}/evolve")
def evolve(request: Request, admin: Admin, study_id: str, id: Annotated[str, Form(max_length=36)]) -> Response:
    """Ask for a round now; the same form sent twice asks once."""
    chosen = _study(request, admin, study_id)
    try:
        evolution.evolve(context(request).parts, admin, study_id, id)
    except (Conflict, InvalidRequest) as error:
        return _show(request, admin, chosen, error)
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
    chosen = _study(request, admin, study_id)
    try:
        wanted = _typed(chosen.evolving, every, most_challengers, worth_testing, policy or None)
        evolving.change_evolving(context(request).parts, admin, study_id, revision, wanted)
    except (Conflict, InvalidRequest) as error:
        return _show(request, admin, chosen, error)
    return _to(study_id, "#settings")


@router.get("/{study_id}/issues")
def issues(request: Request, admin: Admin, study_id: str) -> Response:
    """Show what raters complain about: by version, generator and time."""
    chosen = _study(request, admin, study_id)
    tags = {**TAGS, **chosen.guide.tags}
    with context(request).parts.store.read() as tx:
        found = evolving.issues(tx, chosen)
    return page(
        request,
        "evolution/issues.html",
        actor=admin,
        active="evolution",
        study=chosen,
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


def _show(request: Request, admin: Actor, study: Study, error: ServiceError | None = None) -> Response:
    parts = context(request).parts
    with parts.store.read() as tx:
        nodes, waits = evolving.lineage(tx, study), evolving.waiting(tx, study)
        test = evolving.test_under_way(tx, study)
        studies = tx.studies.all(project_id=admin.project_id)
        policy = abtests.policy_of(tx, study)
    cost, why_not = _cost(request, study)
    names = {node.version.id: node.version.label for node in nodes}
    return page(
        request,
        "evolution/evolution.html",
        actor=admin,
        active="evolution",
        code=int(error.status) if error else 200,
        study=study,
        studies=[one for one in studies if one.state != "archived"],
        nodes=nodes,
        tree=evolution_charts.tree(nodes),
        rounds=evolution.rounds(parts, admin, study.prompt_key)[:ROUNDS],
        waits=waits,
        test=test,
        policy=policy,
        policies=abtest_words.POLICIES,
        states=STATES,
        gates=prompt_view.GATES,
        names=names,
        has_model=parts.text_model is not None,
        cost=cost,
        why_not=why_not,
        dollars=dollars,
        id=new_id(),
        error=str(error or ""),
    )


def _cost(request: Request, study: Study) -> tuple[str, str]:
    """Return what a round costs at most, or why there can be none yet."""
    parts = context(request).parts
    with parts.store.read() as tx:
        if not tx.of_ratings.count(study.id):
            return "", "Nobody has rated in this study yet, so there is nothing to learn from."
    try:
        return dollars(evolution.estimate(parts, study.id)), ""
    except (Conflict, NotFound, InvalidRequest) as error:
        return "", str(error)


def _percent(share: Share) -> str:
    told = share.interval
    return f"{told.mean * 100:.0f} % ({told.low * 100:.0f} to {told.high * 100:.0f})"


def _study(request: Request, admin: Actor, study_id: str) -> Study:
    """Return a study, or the one that was made last where none is named."""
    with context(request).parts.store.read() as tx:
        if study_id:
            return rights.found(tx.studies, admin, "steer", "study", study_id)
        found = tx.studies.all(project_id=admin.project_id)
    if not found:
        raise NotFound("There is no study yet; make one, and its prompt can evolve.")
    return max(found, key=lambda one: (one.state == "running", one.id))


def _to(study_id: str, place: str) -> Response:
    return RedirectResponse(f"/admin/evolution?study={study_id}{place}", 303)
