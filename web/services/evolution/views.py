"""What the pages of evolution, of one version and of writing one show, each of one moment."""

from collections.abc import Callable
from dataclasses import dataclass

from ml_service.errors import Conflict, InvalidRequest, NotFound
from web.domain.abtests.abtest import Design
from web.domain.access import Actor
from web.domain.evolution.evolution import Round
from web.domain.prompts.prompt import PromptVersion
from web.domain.studies.evolving import Policy
from web.domain.studies.study import Study
from web.ports.parts import Parts
from web.rows.abtests import ABTestRows
from web.rows.rating import RatingRows
from web.services.abtests import comparisons
from web.services.abtests.abtests import policy_of
from web.services.abtests.comparisons import Pace
from web.services.accounts import rights
from web.services.evolution import evolution, evolving, lives
from web.services.evolution.evolving import Issues, Node, Waiting
from web.services.evolution.lives import Life
from web.services.prompts import editing
from web.services.prompts.drafts import Draft
from web.services.prompts.editing import Look


@dataclass(frozen=True)
class EvolutionView:
    """How a study's prompt evolves; `cost` is of a round at most, in micro-dollars, None where `why_not` says why."""

    study: Study
    studies: tuple[Study, ...]
    nodes: tuple[Node, ...]
    rounds: tuple[Round, ...]
    waits: Waiting
    test: str | None
    policy: Policy
    cost: int | None
    why_not: str


@dataclass(frozen=True)
class IssuesView:
    """What raters of a study complain about."""

    study: Study
    issues: Issues


@dataclass(frozen=True)
class VersionView:
    """The life of one version, and the studies of its prompt."""

    life: Life
    studies: tuple[Study, ...]


@dataclass(frozen=True)
class TestProspect:
    """What a test of a draft would take in a study; `price` is what a pair costs in micro-dollars."""

    study: Study
    running: str | None
    design: Design
    pace: Pace
    price: int


@dataclass(frozen=True)
class Writing:
    """A version while it is written, what is live, the studies that could test it, and what that would take."""

    look: Look
    live: PromptVersion
    studies: tuple[Study, ...]
    prospect: TestProspect | None


def evolution_view(parts: Parts, admin: Actor, study_id: str) -> EvolutionView:
    """Return how the prompt of a study evolves; without one, of the study that was made last."""
    with parts.store.snapshot() as tx:
        seen, studies = parts.at(tx), tx.studies.all(project_id=admin.project_id)
        study = rights.found(tx.studies, admin, "steer", "study", study_id or _newest(studies).id)
        cost, why_not = _cost(tx, seen, study)
        return EvolutionView(
            study=study,
            studies=tuple(one for one in studies if one.state != "archived"),
            nodes=evolving.lineage(tx, study),
            rounds=evolution.rounds(seen, admin, study.prompt_key),
            waits=evolving.waiting(tx, study),
            test=evolving.test_under_way(tx, study),
            policy=policy_of(tx, study),
            cost=cost,
            why_not=why_not,
        )


def issues_view(parts: Parts, admin: Actor, study_id: str) -> IssuesView:
    """Return what raters of a study complain about."""
    with parts.store.snapshot() as tx:
        study = rights.found(tx.studies, admin, "steer", "study", study_id)
        return IssuesView(study, evolving.issues(tx, study, admin.time_zone))


def version_view(parts: Parts, admin: Actor, key: str, name: str) -> VersionView:
    """Return the life of a version that is given by its name or id."""
    with parts.store.snapshot() as tx:
        life = lives.life(parts.at(tx), admin, key, name)
        return VersionView(life, tx.studies.all(project_id=admin.project_id, prompt_key=key))


def writing(
    parts: Parts, admin: Actor, key: str, source: str, study_id: str, drafted: Callable[[PromptVersion], Draft]
) -> Writing:
    """Return what a draft changes of the version it is written from, and what its test would take in a study.

    Without a study, or where the one named does not run, it is the newest one that does.
    """
    with parts.store.snapshot() as tx:
        seen = parts.at(tx)
        look = editing.look(seen, admin, key, drafted(editing.parent_of(tx, admin, key, source)))
        found = tx.studies.all(project_id=admin.project_id, prompt_key=key, state="running")
        studies = tuple(sorted(found, key=lambda one: one.id, reverse=True))
        chosen = next((one for one in studies if one.id == study_id), studies[0] if studies else None)
        prospect = _prospect(tx, seen, admin, chosen) if chosen else None
        return Writing(look, editing.parent_of(tx, admin, key), studies, prospect)


def _newest(studies: tuple[Study, ...]) -> Study:
    if not studies:
        raise NotFound("There is no study yet; make one, and its prompt can evolve.")
    return max(studies, key=lambda one: (one.state == "running", one.id))


def _cost(tx: RatingRows, parts: Parts, study: Study) -> tuple[int | None, str]:
    """Return what a round costs at most, or why there can be none yet."""
    if not tx.of_ratings.count(study.id):
        return None, "Nobody has rated in this study yet, so there is nothing to learn from."
    try:
        return evolution.estimate(parts, study.id), ""
    except (Conflict, NotFound, InvalidRequest) as error:
        return None, str(error)


def _prospect(tx: ABTestRows, parts: Parts, admin: Actor, study: Study) -> TestProspect:
    design = comparisons.prospect(parts, admin, study.id).design
    return TestProspect(
        study=study,
        running=evolving.test_under_way(tx, study),
        design=design,
        pace=comparisons.pace(parts, study, raters=design.raters),
        price=comparisons.price(parts, study),
    )
