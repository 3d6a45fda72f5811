"""Who recommends better settings after so many ratings? Palate beside seven public optimizers on simulated raters.

Run with `python -m benchmarks.optimizers [--quick] [--check] [--jobs K] [--only PART …] [--raters seen|imagined]
[--kept]`. Sessions that were played are kept, those of slow peers with the repository, so a run of hours may be broken
off and taken up. Regret: 0 for the best point, 1 for what a random one is worth. Raters are those of
`benchmarks.raters`, as seen or as once imagined. With seen ones sessions end after 100 ratings, and `--check` fails
unless Palate's mean regret after 50 and 100 is below that of every peer, on all families and, beside the fast peers, on
those kept out of all choices. With imagined ones this must hold after 100 and 200 for both and every peer, and the
upper 95 % bound be below 1 after 200 and, against the fast peers, after 100. `--quick` plays few sessions with the fast
peers, too few for bounds on what is kept out.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError

from benchmarks.ideas import IDEAS
from benchmarks.panel import CONDITIONS, PLAIN
from benchmarks.peers import FAST, PEERS
from benchmarks.population import mean_rating
from benchmarks.problems import FAMILIES, KEPT_OUT
from benchmarks.ratios import Ratio, mean_and_error, paired_ratio
from benchmarks.runs import ONE_BY_ONE, OURS, RATERS, SHELF, STEADY, Played, Run, results
from benchmarks.sessions import BESIDE, CHECKPOINTS

TUNING = 100  # seeds from here on are those that ideas are tried on, none of which is compared with peers
UNSEEN = 400  # seeds from here on are those of the calibration: the width of intervals was chosen on others
Key = tuple[str, int]  # of a session: family and seed
Table = Mapping[str, Mapping[Key, Played]]  # by system


def sessions(seeds: int, extra: int = 0) -> list[Key]:
    """List sessions of every family, and further ones of the families kept out."""
    every = [(family, seed) for seed in range(seeds) for family in FAMILIES]
    return every + [(family, seed) for seed in range(seeds, seeds + extra) for family in KEPT_OUT]


@dataclass(frozen=True)
class Plan:
    """What is compared with some raters: peers that play every session of Palate's, those that play few, and the bars.

    Palate must be ahead at two numbers of ratings: `bars`. With `bounds`, by the bounds of the ratio too.
    """

    raters: str
    last: int
    many: tuple[str, ...]
    few: tuple[str, ...]
    few_sessions: tuple[Key, ...]
    bars: tuple[int, int]
    bounds: bool

    def runs(self, quick: bool) -> list[Run]:
        """List the runs of the comparison: many sessions with the fast peers, fewer with the slow ones."""
        many = sessions(2) if quick else sessions(5, 10)
        runs = [(system, key) for key in many for system in (OURS, *(FAST if quick else self.many))]
        runs += [] if quick else [(system, key) for key in self.few_sessions for system in self.few]
        return [Run(system, *key, last=self.last, raters=self.raters) for system, key in runs]


PLANS = {
    "seen": Plan(
        raters="seen",
        last=100,
        many=FAST,
        few=("Optuna GP", "skopt gp_hedge", "BoTorch one-hot"),
        few_sessions=tuple(sessions(2)),
        bars=(50, 100),
        bounds=False,
    ),
    "imagined": Plan(
        raters="imagined",
        last=200,
        many=(*FAST, "Optuna GP"),
        few=tuple(system for system in PEERS if system not in (*FAST, "Optuna GP")),
        few_sessions=tuple(sessions(2, 2)),
        bars=(100, 200),
        bounds=True,
    ),
}


def by_system(played: Iterable[Played]) -> Table:
    """Sort results by system and session."""
    table: dict[str, dict[Key, Played]] = {}
    for one in played:
        table.setdefault(one.run.system, {})[one.run.family, one.run.seed] = one
    return table


def ratio(table: Table, peer: str, ratings: int, families: Sequence[str]) -> Ratio:
    """Return Palate's regret ÷ that of a peer over the sessions that both played of some families."""
    ours, theirs = table.get(OURS, {}), table.get(peer, {})
    shared = [key for key in theirs if key in ours and key[0] in families]
    shared = [key for key in shared if ratings in ours[key].at and ratings in theirs[key].at]
    return paired_ratio([ours[k].at[ratings].regret for k in shared], [theirs[k].at[ratings].regret for k in shared])


def compare(played: Iterable[Played], plan: Plan, quick: bool) -> bool:
    """Print regrets, paired ratios and CPU time of every system; return whether every bar is held."""
    table, checkpoints = by_system(played), [n for n in CHECKPOINTS if n <= plan.last]
    print(f"{'regret after':22}{'sessions':>9}" + "".join(f"{n:>14}" for n in checkpoints) + f"{'CPU ms':>9}")
    for system, own in table.items():
        cells = [_cell([one.at[n].regret for one in own.values() if n in one.at]) for n in checkpoints]
        milliseconds = 1000 * mean_and_error([one.seconds for one in own.values()])[0]
        print(f"{system:22}{len(own):9}" + "".join(f"{cell:>14}" for cell in cells) + f"{milliseconds:9.0f}")
    held = True
    for title, families in (("all families", tuple(FAMILIES)), ("kept out", KEPT_OUT)):
        print(f"\n{f'Palate ÷ peer, {title}':32}" + "".join(f"{f'after {n} (sessions)':>26}" for n in plan.bars))
        for peer in table:
            if peer != OURS:
                found = {n: ratio(table, peer, n, families) for n in plan.bars}
                print(f"{peer:32}" + "".join(f"{f'{one} ({one.sessions})':>26}" for one in found.values()))
                held &= _holds(plan, found, peer, quick, families == KEPT_OUT)
    return held


def _holds(plan: Plan, found: Mapping[int, Ratio], peer: str, quick: bool, kept_out: bool) -> bool:
    if plan.bounds:
        return _bounded(found, peer, quick and kept_out)
    return _ahead(found) or (kept_out and (quick or peer in plan.few))


def _ahead(found: Mapping[int, Ratio]) -> bool:
    return all(one.sessions and one.value < 1 for one in found.values())


def _bounded(found: Mapping[int, Ratio], peer: str, quick: bool) -> bool:
    strict = [200, 100] if peer in FAST else [200]
    return _ahead(found) and (quick or all(found[n].high < 1 for n in strict))


def compare_kept(runs: Sequence[Run], plan: Plan, quick: bool) -> bool:
    """Compare what is kept; no bar is held while sessions are missing."""
    kept = SHELF.kept(runs)
    held = compare(kept, plan, quick)
    if missing := len(set(runs)) - len(kept):
        print(f"\n{missing} of {len(set(runs))} sessions were not played yet; without --kept they are.")
    return held and not missing


def beside(jobs: int, raters: str) -> bool:
    """Print what joint choice and the rater effect bring where options are seen side by side; it has no bar to hold."""
    arms = {
        "Palate, joint": (OURS, None),
        "Palate, one by one": (ONE_BY_ONE, None),
        "joint, hardly any rater effect": (OURS, "hardly any rater effect"),
        "random": ("random", None),
    }
    keys = [(family, TUNING + seed) for seed in range(10) for family in FAMILIES if family not in KEPT_OUT]
    found = {
        name: by_key(results([Run(s, *key, PLAIN, BESIDE, 100, idea, raters) for key in keys], jobs))
        for name, (s, idea) in arms.items()
    }
    _differences(f"{BESIDE} options side by side", found, "Palate, joint", (50, 100))
    return True


def drifted(jobs: int) -> bool:
    """Print what it costs that raters become stricter, and some sooner than others; it has no bar to hold."""
    keys = sessions(5, 10)
    found = {
        raters: by_key(results([Run(OURS, *key, last=100, raters=raters) for key in keys], jobs))
        for raters in (STEADY, "seen")
    }
    _differences("drift of raters", found, STEADY, (50, 100))
    return True


def tried(jobs: int, raters: str) -> bool:
    """Print what each idea does to the regret on the sessions that ideas are tried on; it has no bar to hold."""
    keys = [(family, TUNING + seed) for seed in range(10) for family in FAMILIES if family not in KEPT_OUT]
    arms = {"as it is": None, **{idea: idea for idea in IDEAS}}
    found = {
        name: by_key(results([Run(OURS, *key, last=100, idea=idea, raters=raters) for key in keys], jobs))
        for name, idea in arms.items()
    }
    _differences("ideas", found, "as it is", (50, 100))
    return True


def by_key(played: Iterable[Played]) -> Mapping[Key, Played]:
    """Sort results of one system by session."""
    return {(one.run.family, one.run.seed): one for one in played}


def _differences(title: str, found: Mapping[str, Mapping[Key, Played]], base: str, ratings: Sequence[int]) -> None:
    print(f"\n{title:34}" + "".join(f"{f'after {n}':>16}{'difference':>16}" for n in ratings))
    for name, own in found.items():
        cells = ""
        for n in ratings:
            values = [one.at[n].regret for one in own.values()]
            cells += f"{_cell(values):>16}"
            apart = [own[key].at[n].regret - found[base][key].at[n].regret for key in own]
            cells += f"{_cell(apart, '+') if name != base else '':>16}"
        print(f"{name:34}" + cells)


def degraded(jobs: int, raters: str, peer: str) -> Ratio:
    """Print how the recommendation suffers from bad conditions, beside a peer; return the ratio over all of them."""
    print(f"\n{'after 100 ratings, with':34}{'Palate':>14}{peer:>18}{'Palate ÷ it':>26}")
    pooled: tuple[list[float], list[float]] = ([], [])
    for name in CONDITIONS:
        keys = sessions(1)
        runs = [Run(s, *key, conditions=name, last=100, raters=raters) for key in keys for s in (OURS, peer)]
        table = by_system(results(runs, jobs))
        ours, theirs = ([table[s][key].at[100].regret for key in keys] for s in (OURS, peer))
        print(f"{name:34}{_cell(ours):>14}{_cell(theirs):>18}{paired_ratio(ours, theirs)!s:>26}")
        if name != PLAIN:
            pooled[0].extend(ours)
            pooled[1].extend(theirs)
    whole = paired_ratio(*pooled)
    print(f"{'pooled over the bad conditions':66}{whole!s:>26}")
    return whole


def calibrated(jobs: int, raters: str) -> float:
    """Print how often the 95 % interval of the best point's mean rating holds the truth; return the share."""
    keys = [(family, UNSEEN + seed) for seed in range(25) for family in FAMILIES]
    played = list(results([Run(OURS, *key, last=100, raters=raters) for key in keys], jobs))
    print(f"\n95 % intervals of the recommended point's mean rating over all raters and items, {len(keys)} sessions")
    share = 0.0
    for n in (20, 50, 100):
        known = [
            (at.interval, mean_rating(at.quality or 0, RATERS[raters])) for one in played if (at := one.at[n]).interval
        ]
        covered = [low <= truth <= high for (low, high), truth in known]
        share, error = mean_and_error([float(one) for one in covered])
        wide = mean_and_error([high - low for (low, high), _ in known])[0]
        print(f"after {n:3}: {share:6.1%} ± {error:.1%} hold it, {wide:.2f} stars wide")
    return share


def _cell(values: Sequence[float], sign: str = "") -> str:
    mean, error = mean_and_error(values)
    return f"{mean:{sign}.2f} ± {error:.2f}"


def main(words: list[str] | None = None) -> int:
    """Play what is missing and print every part, the comparison last; 1 if --check finds a bar broken."""
    parser = argparse.ArgumentParser("python -m benchmarks.optimizers", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="sixteen sessions with random search and Optuna TPE only")
    parser.add_argument("--check", action="store_true", help="fail unless Palate is ahead of every peer played")
    parser.add_argument("--jobs", type=int, default=2, help="sessions played at once")
    parser.add_argument("--kept", action="store_true", help="play nothing: compare what is kept")
    parser.add_argument("--peer", default="Optuna GP", choices=PEERS, help="the peer under bad conditions")
    parts = ("ideas", "beside", "drift", "degraded", "calibrated", "compared")
    parser.add_argument("--only", nargs="*", choices=parts, default=parts)
    parser.add_argument("--raters", choices=PLANS, default="seen", help="as they are, or as assumed once")
    chosen = parser.parse_args(words)
    wanted, plan = ("compared",) if chosen.quick or chosen.kept else chosen.only, PLANS[chosen.raters]
    runs = plan.runs(chosen.quick)
    asked: Mapping[str, Callable[[], bool]] = {
        "ideas": lambda: tried(chosen.jobs, chosen.raters),
        "beside": lambda: beside(chosen.jobs, chosen.raters),
        "drift": lambda: drifted(chosen.jobs),
        "degraded": lambda: degraded(chosen.jobs, chosen.raters, chosen.peer).low <= 1,
        "calibrated": lambda: 0.9 <= calibrated(chosen.jobs, chosen.raters) <= 0.98,
        "compared": lambda: (
            compare_kept(runs, plan, chosen.quick)
            if chosen.kept
            else compare(results(runs, chosen.jobs), plan, chosen.quick)
        ),
    }
    try:
        held = {part: asked[part]() for part in parts if part in wanted}
    except PackageNotFoundError as error:
        parser.error(f"{error.name} is not installed, which such sessions need: use make bench PEERS=peers …")
    broken = [part for part, is_held in held.items() if not is_held]
    print(f"\n{'every bar is held' if not broken else 'below the bar: ' + ', '.join(broken)}")
    return 1 if chosen.check and broken else 0


if __name__ == "__main__":
    sys.exit(main())
