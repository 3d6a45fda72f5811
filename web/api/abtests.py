"""Routes of A/B tests: open, look, pause, resume, stop, approve, decline."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from web.api.fields import Id, Note, Strict
from web.domain.abtests.abtest import ABTest, Design, Evidence, Outcome, Pair, TestKind, TestState
from web.domain.studies.evolving import Policy
from web.domain.text import plain
from web.http.edge.session import Admin, context
from web.services.abtests import abtests, comparisons, verdicts
from web.services.abtests.abtests import ABTestDetail, Challenge
from web.services.prompts import releases

router = APIRouter(prefix="/api/v1/abtests", tags=["abtests"])

Version = Annotated[str, Field(max_length=40, description="A version by its name, or by its id.")]


class DesignIn(Strict):
    """What differs from the study's usual design; it is fixed once the test starts."""

    raters: int | None = None
    least_pairs: int | None = None
    least_raters: int | None = None
    most_pairs: int | None = None
    threshold: float | None = None
    harm: float | None = None
    guard: float | None = None
    worth: float | None = None
    seed: Annotated[int | None, Field(ge=0, lt=2**31)] = None


class ABTestIn(Strict):
    """What is to be tested against the live version; the same `id` again opens nothing new.

    With a champion that is not live the versions are only compared: nothing goes live, so that there is no policy.
    """

    study_id: Id
    challengers: Annotated[list[Version], Field(max_length=20)]
    champion: Annotated[Version | None, Field(description="What they meet, by name or id; else what is live.")] = None
    hypothesis: Annotated[str, Field(max_length=abtests.MOST_WORDS)] = ""
    design: DesignIn | None = None
    policy: Policy | None = None
    id: Id | None = None


class ApprovalIn(Strict):
    """A winner goes live: the prompt's key, typed, and why."""

    confirmation: Annotated[str, Field(max_length=64, description="The prompt's key, typed out.")]
    note: Note = ""


class DeclineIn(Strict):
    """Why a winner does not go live."""

    note: Note = ""


class ABTestOut(BaseModel):
    """A test and how each challenger stands; `names` are those of released versions by their id."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    study_id: str
    prompt_key: str
    kind: TestKind
    state: TestState
    champion: str
    challengers: tuple[str, ...]
    names: dict[str, str]
    hypothesis: str
    design: Design
    threshold: float
    policy: Policy
    created_at: datetime
    opened_by: str | None
    outcome: Outcome | None
    winner: str | None
    waits_for_approval: bool
    decided_at: datetime | None
    settled_at: datetime | None
    settled_by: str | None
    evidence: tuple[Evidence, ...]
    revision: int

    @classmethod
    def of(cls, detail: ABTestDetail) -> "ABTestOut":
        """Show a test."""
        return cls(**_shown(detail))


class ABTestWhole(ABTestOut):
    """A test with its closed pairs, in the order in which they were closed."""

    pairs: tuple[Pair, ...]

    @classmethod
    def of(cls, detail: ABTestDetail) -> "ABTestWhole":
        """Show a test whole."""
        return cls(**_shown(detail), pairs=detail.pairs)


@router.get("")
def every(request: Request, admin: Admin, prompt_key: Annotated[str, Query(max_length=64)] = "") -> list[ABTestOut]:
    """Return the A/B tests of the project, or of one prompt, newest first."""
    parts = context(request).parts
    if prompt_key:
        releases.names(parts, admin, prompt_key)  # another project's prompt is not found
    return [ABTestOut.of(one) for one in abtests.all_tests(parts, admin, prompt_key or None)]


@router.post("", status_code=201)
def open_test(request: Request, admin: Admin, given: ABTestIn) -> ABTestWhole:
    """Open a test of one or more versions against the live one, or a comparison with another one."""
    parts, study_id = context(request).parts, given.study_id
    wanted = comparisons.version_ids(parts, admin, study_id, given.challengers)
    (champion,) = comparisons.version_ids(parts, admin, study_id, [given.champion]) if given.champion else (None,)
    changes = {} if given.design is None else given.design.model_dump(exclude_none=True)
    challenge = Challenge(
        challengers=wanted,
        hypothesis=plain(given.hypothesis),
        design=comparisons.design_with(parts, admin, study_id, changes) if changes else None,
        policy=given.policy,
        id=given.id,
        champion=champion,
    )
    opened = abtests.open_test(parts, admin, study_id, challenge)
    return _whole(request, admin, opened)


@router.get("/{test_id}")
def one(request: Request, admin: Admin, test_id: str) -> ABTestWhole:
    """Return an A/B test with its pairs and its evidence."""
    return ABTestWhole.of(abtests.one_test(context(request).parts, admin, test_id))


@router.post("/{test_id}/pause")
def pause(request: Request, admin: Admin, test_id: str) -> ABTestWhole:
    """Plan no more pairs for now; pairs that raters hold go on."""
    return _whole(request, admin, abtests.move_test(context(request).parts, admin, test_id, "pause"))


@router.post("/{test_id}/resume")
def resume(request: Request, admin: Admin, test_id: str) -> ABTestWhole:
    """Let a paused test go on."""
    return _whole(request, admin, abtests.move_test(context(request).parts, admin, test_id, "resume"))


@router.post("/{test_id}/stop")
def stop(request: Request, admin: Admin, test_id: str) -> ABTestWhole:
    """End a test without a winner; this cannot be undone."""
    return _whole(request, admin, abtests.move_test(context(request).parts, admin, test_id, "stop"))


@router.post("/{test_id}/approve")
def approve(request: Request, admin: Admin, test_id: str, given: ApprovalIn) -> ABTestWhole:
    """Let the winner of a test go live; under the policy `approve` another admin than opened it does so."""
    parts = context(request).parts
    return _whole(request, admin, verdicts.approve(parts, admin, test_id, given.confirmation, given.note))


@router.post("/{test_id}/decline")
def decline(request: Request, admin: Admin, test_id: str, given: DeclineIn) -> ABTestWhole:
    """Leave what is live although a challenger won."""
    return _whole(request, admin, abtests.decline(context(request).parts, admin, test_id, given.note))


def _whole(request: Request, admin: Admin, test: ABTest) -> ABTestWhole:
    return ABTestWhole.of(abtests.one_test(context(request).parts, admin, test.id))


def _shown(detail: ABTestDetail) -> dict[str, Any]:
    test = detail.test
    own = {name: getattr(test, name) for name in ABTestOut.model_fields if hasattr(test, name)}
    decision = test.decision
    return {
        **own,
        "names": {one.id: one.name for one in detail.versions.values() if one.name},
        "outcome": decision.outcome if decision else None,
        "winner": decision.winner if decision else None,
        "evidence": detail.evidence,
    }
