"""What the pages of A/B tests show, each of one moment."""

from collections.abc import Callable
from dataclasses import dataclass

from ml_service.errors import NotFound
from web.domain.abtests.abtest import ABTest, Design
from web.domain.access import Actor
from web.domain.prompts.prompt import PromptVersion
from web.domain.studies.evolving import Policy
from web.domain.studies.study import Study
from web.ports.parts import Parts
from web.rows.transaction import Transaction
from web.services.abtests import comparisons
from web.services.abtests.abtests import ABTestDetail, one_test, policy_of
from web.services.abtests.comparisons import Compared, Pace, Prospect
from web.services.prompts import pointers


@dataclass(frozen=True)
class TestView:
    """One test with its evidence, what was said in it, how fast it goes, who opened it, and what is live."""

    detail: ABTestDetail
    compared: Compared
    pace: Pace
    live: PromptVersion
    opened_by: str


@dataclass(frozen=True)
class Opening:
    """What a test that is being opened would take; `price` is what a pair costs in micro-dollars."""

    prospect: Prospect
    design: Design
    pace: Pace
    price: int
    studies: tuple[Study, ...]
    policy: Policy


def test_view(parts: Parts, admin: Actor, test_id: str) -> TestView:
    """Return one test with all that its page shows."""
    with parts.store.snapshot() as tx:
        seen = parts.at(tx)
        detail = one_test(seen, admin, test_id)
        return TestView(
            detail=detail,
            compared=comparisons.compared(seen, detail),
            pace=comparisons.pace(seen, detail.study, detail),
            live=pointers.live_version(tx, detail.test.prompt_key),
            opened_by=_opened_by(tx, detail.test),
        )


def opening(parts: Parts, admin: Actor, study_id: str, design_of: Callable[[Design], Design]) -> Opening:
    """Return what a test of a study would take by the design that is made of the usual one.

    Without a study it is the one that was made last, of those that run if any does.
    """
    with parts.store.snapshot() as tx:
        seen = parts.at(tx)
        studies = tx.studies.all(project_id=admin.project_id)
        found = comparisons.prospect(seen, admin, study_id or _newest(studies).id)
        design = design_of(found.design)
        return Opening(
            prospect=found,
            design=design,
            pace=comparisons.pace(seen, found.study, raters=design.raters),
            price=comparisons.price(seen, found.study),
            studies=tuple(one for one in studies if one.state != "archived"),
            policy=policy_of(tx, found.study),
        )


def _newest(studies: tuple[Study, ...]) -> Study:
    if not studies:
        raise NotFound("There is no study yet; make one before you open an A/B test.")
    return max(studies, key=lambda one: (one.state == "running", one.id))


def _opened_by(tx: Transaction, test: ABTest) -> str:
    """Return who opened a test, in words."""
    if test.opened_by is None:
        events = tx.events.all(object_type="abtest", object_id=test.id)
        # The events of another place stay there when a study is moved.
        return events[0].nobody if events else "Palate or the terminal"
    user = tx.users.find(id=test.opened_by)
    return user.email if user else "somebody who was erased"
