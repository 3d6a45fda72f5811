"""Opinion scores, flags, the ordinal check and A/B tests on ratings that people gave, beside the mean and `sureal`.

Panels are drawn from public sets (benchmarks/real); the truth of an item is the mean of all raters outside the panel.
Coverage is how often a 95 % interval, widened by the standard error of that truth, holds it. Injected clickers are
raters whose own stars come in shuffled order. `--check` wants Palate in rank no lower than the mean and P.913 12.4 by
more than .004 in any set and design, its RMSE below all, coverage of .93 to .99 in each design; of the clickers 75 %
flagged in panels of 8 and of 24, of the honest at most 1.5 % and 1 %; all known outliers and no clean rater of a whole
set; the ordinal check's RMSE within 1.04 × the scores'; and at most 5 % of A/B tests without an effect promoted.
Differences of a set and shares miss their bar by two standard errors. Clean is who follows all others at least half as
far as is usual in the set.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from benchmarks.judges import Ratings
from benchmarks.opinion_scores import ORDINAL, OURS, Found, by_item, palate, peer
from benchmarks.ratios import mean_and_error, paired_ratio
from benchmarks.real_evidence import TESTS, evidence
from benchmarks.real_sets import KEPT, OUTSIDE, Drawn, Floats, PanelDesign, RealSet, drawn, given, sets
from web.domain.rating.figures import BAND
from web.domain.rating.numbers.panel import panel
from web.domain.rating.numbers.probit import ordinal_scores
from web.domain.rating.numbers.scores import OpinionScores, opinion_scores

DESIGNS = (
    PanelDesign(3, 3),
    PanelDesign(5, 3),
    PanelDesign(8, 3),
    PanelDesign(12, 3),
    PanelDesign(24, 3),
    PanelDesign(24, 3, uneven=True),
    PanelDesign(12, 8),
)
MEAN, P913 = "mean", "BR-SR-MOS, P.913 12.4"
PEERS = (P913, "AP, P.913 12.6", "AP2, P.910")
PANELS, QUICK = 12, 2  # of each set and design
QUICK_TESTS = 100  # A/B tests of each set
CARE, CARE_QUICK = 8, 4  # panels of each set and size that get a clicker
SIZES = {8: 0.015, 24: 0.01}  # raters of such a panel, and how many of the honest may be flagged
CLICKERS, RANK, ORDER, COVERAGE = 0.75, 0.004, 1.04, (0.93, 0.99)
FIGURES = ("rank", "rmse")
MOST = 90  # items that one rates of a set
OUTLIERS: Mapping[str, tuple[int, ...]] = {"nflx_outliers": (26, 27, 28, 29)}


@dataclass(frozen=True)
class Result:
    """How one model scored one panel: rank correlation with the truth, RMSE in stars, and coverage."""

    rank: float
    rmse: float
    coverage: float


Model = Callable[[Ratings], Found]
Table = dict[tuple[str, str], dict[str, list[Result]]]  # by set and design, then by model


def plain_mean(ratings: Ratings) -> Found:
    """Return the mean of each item with the 95 % interval that its own ratings give, as P.910 has it."""
    own: defaultdict[str, list[float]] = defaultdict(list)
    for item, star in zip(ratings.items, ratings.stars, strict=True):
        own[item].append(star)
    return {item: _interval(np.array(stars)) for item, stars in own.items()}


def _interval(stars: Floats) -> tuple[float, float, float]:
    mean, half = float(stars.mean()), 4.0
    if len(stars) > 1:
        half = BAND * float(stars.std(ddof=1) / np.sqrt(len(stars)))
    return mean, mean - half, mean + half


def judged(found: Found, panel: Drawn) -> Result:
    """Compare scores with what the others say; an item without a score is not covered."""
    items = [item for item in panel.truth if item in found]
    mean, low, high = np.array([found[item] for item in items]).T
    truth, error = (np.array([of[item] for item in items]) for of in (panel.truth, panel.error))
    reach = np.hypot(np.where(truth > mean, high - mean, mean - low), BAND * error)
    held = (np.abs(truth - mean) <= reach).sum() / len(panel.truth)
    return Result(float(spearmanr(mean, truth)[0]), float(np.sqrt(np.mean((mean - truth) ** 2))), float(held))


def compared(
    chosen: Sequence[RealSet], models: Mapping[str, Model], panels: int
) -> tuple[Table, dict[str, list[float]]]:
    """Return how the models score panels of all sets, and the RMSE of single ratings that were kept back."""
    table: Table = {}
    single: dict[str, list[float]] = {OURS: [], MEAN: []}
    for one in chosen:
        for design in DESIGNS:
            if one.raters < design.raters + OUTSIDE:
                continue
            row = table.setdefault((one.name, str(design)), {name: [] for name in (*models, ORDINAL)})
            for seed in range(panels):
                _score(drawn(one, design, seed), models, row, single)
    return table, single


def _score(
    panel: Drawn, models: Mapping[str, Model], row: dict[str, list[Result]], single: dict[str, list[float]]
) -> None:
    """Add how each model scores a panel."""
    ratings = Ratings(panel.items, panel.raters, panel.stars, panel.truth)
    found = opinion_scores(panel.items, panel.raters, panel.stars)
    scores = {OURS: by_item(found.scores)} | {name: model(ratings) for name, model in models.items() if name != OURS}
    scores[ORDINAL] = by_item(ordinal_scores(panel.items, panel.raters, panel.stars, found))
    for name, one in scores.items():
        row[name].append(judged(one, panel))
    if panel.kept_back:
        single[OURS].append(_missed(panel, _expected(found)))
        single[MEAN].append(_missed(panel, lambda _, item: scores[MEAN][item][0]))


def _expected(found: OpinionScores) -> Callable[[str, str], float]:
    """Return what to expect of a rater at an item by their level and scale."""
    judges, scores = ({one.rater: one for one in found.judges}, {one.item: one.mean for one in found.scores})

    def expected(rater: str, item: str) -> float:
        bias, scale = (judges[rater].bias.mean, judges[rater].scale.mean) if rater in judges else (0.0, 1.0)
        return found.mean + bias + scale * (scores[item] - found.mean)

    return expected


def _missed(panel: Drawn, expected: Callable[[str, str], float]) -> float:
    known = [(expected(rater, item), star) for rater, item, star in panel.kept_back if item in panel.truth]
    return float(np.sqrt(np.mean([(min(max(one, 1), 5) - star) ** 2 for one, star in known])))


def tell(table: Table, single: Mapping[str, Sequence[float]]) -> list[str]:
    """Print the means of all sets by design, and where a bar is missed in a set; return what is missed."""
    missed = []
    print(f"{'raters × ratings an item (sets)':34}{'model':26}{'rank':>16}{'RMSE':>16}{'coverage':>10}")
    for design in map(str, DESIGNS):
        rows = {name: row for (name, of), row in table.items() if of == design}
        models = list(next(iter(rows.values()), {}))
        for model in models:
            own = [one for row in rows.values() for one in row[model]]
            rank, rmse = ("{:.3f} ± {:.3f}".format(*mean_and_error([getattr(o, of) for o in own])) for of in FIGURES)
            coverage = float(np.mean([one.coverage for one in own]))
            print(f"{f'{design} ({len(rows)})':34}{model:26}{rank:>16}{rmse:>16}{coverage:10.2f}")
            if model == OURS and not COVERAGE[0] <= coverage <= COVERAGE[1]:
                missed.append(f"{design}: coverage {coverage:.3f}")
        missed += [one for name, row in rows.items() for one in _behind(f"{name}, {design}", row)]
        missed += _ordinal(design, rows)
    ours, theirs = (np.array(single[name]) for name in (OURS, MEAN))
    print(f"\nRMSE of single ratings kept back: {ours.mean():.3f}, of the mean's {theirs.mean():.3f}")
    return missed + (["single ratings"] if ours.mean() >= theirs.mean() else [])


def _behind(label: str, row: Mapping[str, Sequence[Result]]) -> list[str]:
    """Say of one set and design where Palate is behind, by more than two standard errors of the difference."""
    said = []
    for name, theirs in row.items():
        for of, most in (("rank", RANK), ("rmse", 0.0)):
            if name in (OURS, ORDINAL) or (of == "rank" and name not in (MEAN, P913)):
                continue
            sign = 1 if of == "rank" else -1
            behind = [sign * (getattr(b, of) - getattr(a, of)) for a, b in zip(row[OURS], theirs, strict=True)]
            mean, error = mean_and_error(behind)
            if mean - 2 * error > most:
                said.append(f"{label}: {of} {mean:.3f} ± {error:.3f} behind {name}")
    return said


def _ordinal(design: str, rows: Mapping[str, Mapping[str, Sequence[Result]]]) -> list[str]:
    ours, check = ([o.rmse for row in rows.values() for o in row[name]] for name in (OURS, ORDINAL))
    if not ours:
        return []
    ratio = paired_ratio(check, ours)
    print(f"{'':34}ordinal check's RMSE ÷ the scores': {ratio}")
    return [f"{design}: ordinal check {ratio.value:.3f}"] if ratio.value > ORDER else []


def care(chosen: Sequence[RealSet], panels: int) -> list[str]:
    """Print who is flagged in panels with an injected clicker; return what is missed."""
    missed = []
    for size, limit in SIZES.items():
        flagged, seen = Counter[str](), Counter[str]()
        for one in chosen:
            for seed in range(panels if one.raters >= size else 0):
                _flag(one, size, seed, flagged, seen)
        shares = {kind: flagged[kind] / seen[kind] for kind in seen}
        told = ", ".join(f"{kind} {flagged[kind]} of {seen[kind]} ({share:.1%})" for kind, share in shares.items())
        print(f"flagged in panels of {size}: {told}")
        if shares["clickers"] < CLICKERS - _two_errors(CLICKERS, seen["clickers"]):
            missed.append(f"panels of {size}: clickers {shares['clickers']:.2f}")
        if shares["honest"] > limit + _two_errors(limit, seen["honest"]):
            missed.append(f"panels of {size}: honest {shares['honest']:.3f}")
    return missed


def _flag(one: RealSet, size: int, seed: int, flagged: Counter[str], seen: Counter[str]) -> None:
    """Count who is flagged in a panel of which one clean rater's stars are shuffled."""
    random = np.random.default_rng([seed, size, *one.name.encode()])
    people = random.permutation(one.raters)[:size]
    clicker = int(random.choice(people[one.clean[people]]))
    items = random.permutation(one.stars.shape[1])[:MOST]
    for rater in panel(given(one, people, items, random, clicker)).raters:
        number = int(rater.rater.split()[1])
        kind = "clickers" if number == clicker else "honest" if one.clean[number] else "careless themselves"
        seen[kind] += 1
        flagged[kind] += bool(rater.flags)


def _two_errors(share: float, count: int) -> float:
    return 2 * float(np.sqrt(share * (1 - share) / count))


def whole(chosen: Sequence[RealSet]) -> list[str]:
    """Print who is flagged where all raters of a set rate together; return what is missed."""
    missed = []
    for one in chosen:
        random = np.random.default_rng(0)
        everybody = given(one, np.arange(one.raters), np.arange(one.stars.shape[1]), random)
        flagged = {int(found.rater.split()[1]) for found in panel(everybody).raters if found.flags}
        known = set(OUTLIERS.get(one.name, ()))
        clean = set(np.flatnonzero(one.clean).tolist()) - known
        told = "; ".join(f"{r} ({one.related[r]:.2f})" for r in sorted(flagged)) or "nobody"
        print(f"{one.name}, all {one.raters}: flagged {told}; usual correlation {np.median(one.related):.2f}")
        missed += [f"{one.name}: the known outlier {r} is not flagged" for r in sorted(known - flagged)]
        missed += [f"{one.name}: the clean rater {r} is flagged" for r in sorted(clean & flagged)]
    return missed


def main(words: Sequence[str] | None = None) -> int:
    """Compare, and say what is missed; 1 if --check finds anything."""
    parser = argparse.ArgumentParser("python -m benchmarks.real_raters", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sets", type=Path, default=KEPT, help="a folder of sets in the form of benchmarks/real")
    parser.add_argument("--quick", action="store_true", help="a quarter of the panels, without the peers")
    parser.add_argument("--check", action="store_true", help="fail where a bar is missed")
    chosen = parser.parse_args(words)
    every = sets(chosen.sets)
    if not every:
        parser.error(f"{chosen.sets} holds no NAME.csv or NAME.csv.gz")
    dense = [one for one in every if one.name not in OUTLIERS]
    models: dict[str, Model] = {OURS: palate, MEAN: plain_mean}
    if not chosen.quick:
        models |= {name: peer(name) for name in PEERS}
    missed = tell(*compared(dense, models, QUICK if chosen.quick else PANELS))
    missed += care(dense, CARE_QUICK if chosen.quick else CARE)
    missed += whole(every)
    missed += evidence(dense, QUICK_TESTS if chosen.quick else TESTS)
    print("\n" + ("every bar is held" if not missed else "missed: " + "; ".join(missed)))
    return int(chosen.check and bool(missed))


if __name__ == "__main__":
    sys.exit(main())
