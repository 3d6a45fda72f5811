"""When the comparison of optimizers holds its bars."""

import pytest

from benchmarks.optimizers import PLANS, Plan, compare
from benchmarks.problems import KEPT_OUT
from benchmarks.runs import OURS, At, Played, Run


def played(plan: Plan, regrets: dict[str, float], kept_out: float = 0.5) -> list[Played]:
    """Return what came of every run: a regret by system, of Palate another one on the families kept out."""
    results = []
    for run in plan.runs(quick=False):
        regret = kept_out if run.system == OURS and run.family in KEPT_OUT else regrets.get(run.system, 0.7)
        results.append(Played(run, "code", {n: At(regret) for n in (20, 50, 100, 200) if n <= run.last}, 0.1))
    return results


@pytest.mark.parametrize("raters", PLANS)
def test_bars_are_held_where_palate_is_ahead_of_all(raters: str) -> None:
    assert compare(played(PLANS[raters], {OURS: 0.5}), PLANS[raters], quick=False)


@pytest.mark.parametrize("raters", PLANS)
@pytest.mark.parametrize("peer", ["Optuna TPE", "skopt gp_hedge"])
def test_a_bar_is_broken_by_any_peer_that_is_ahead(raters: str, peer: str) -> None:
    assert not compare(played(PLANS[raters], {OURS: 0.5, peer: 0.4}), PLANS[raters], quick=False)


def test_what_is_kept_out_counts_beside_peers_that_play_many_sessions() -> None:
    plan = PLANS["seen"]
    slow = {OURS: 0.5, "random": 0.9, "Optuna TPE": 0.9, "skopt gp_hedge": 0.75}
    assert compare(played(plan, slow, kept_out=0.8), plan, quick=False)
    assert not compare(played(plan, {OURS: 0.5}, kept_out=0.8), plan, quick=False)


def test_a_peer_without_sessions_beside_palate_breaks_the_bar() -> None:
    plan = PLANS["seen"]
    alone = [one for one in played(plan, {OURS: 0.5}) if one.run.system == "random"]
    others = [Played(Run(OURS, "bumps", 999, last=100, raters="seen"), "code", alone[0].at, 0.1)]
    assert not compare([*alone, *others], plan, quick=False)
