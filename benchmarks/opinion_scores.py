"""Opinion scores against raters of known taste, beside the models of `sureal`, and the flags of careless raters.

Each study is scored by all; rank correlation is Spearman's with the truth, coverage how often a nominal 95 % interval
holds it. `--check` wants Palate's rank correlation no lower than that of any peer by more than two standard errors of
the paired difference, coverage of 90 % without careless raters and 85 % with, 80 % of clickers and of straight-liners
flagged by their sixtieth rating, with and without calibration (60 % where raters differ in every way, and may agree on
little), and of the honest at most 1.5 % in panels of 8 and 1 % in larger ones. Bars of flags are missed by two standard
errors, too. How raters differ is in `benchmarks.raters`.
"""

import argparse
import contextlib
import importlib
import io
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from scipy.stats import spearmanr

from benchmarks.judges import (
    IMAGINED_RATERS,
    KNOWN_RATERS,
    Design,
    People,
    Ratings,
    Work,
    rated,
    unknown_raters,
    worked,
)
from benchmarks.ratios import mean_and_error
from web.domain.rating.figures import Score
from web.domain.rating.numbers.panel import panel
from web.domain.rating.numbers.probit import ordinal_scores
from web.domain.rating.numbers.scores import opinion_scores

DESIGNS = (Design(50, 8, 3, 1), Design(300, 10, 3, 1), Design(120, 60, 3, 6), Design(100, 24, 12, 3))
GOOD = Design(300, 10, 3, 1, quality=4.2)  # nearly everything is good: stars bunch at the upper end
WAYS: dict[str, tuple[str, ...]] = {"none": (), "shuffled": ("shuffled",), "both": ("shuffled", "straight")}
STUDIES = (
    (24, ("shuffled", "habitual", "straight", "straight")),
    (8, ("shuffled",)),
    (8, ("habitual",)),
    (8, ("straight",)),
    (12, ()),
)
CARELESS = {"seen": 0.8, "imagined": 0.8, "other": 0.6}  # share of clickers and straight-liners that must be flagged
CLICKERS, SMALL = ("shuffled", "habitual"), 8  # ways to click anything; raters of a small panel
HONEST = {True: 0.015, False: 0.01}  # share of the honest that may be, in small panels and in larger ones
SIZES = (1, 15, 150, 1_500, 15_000)
PEERS = {
    "MOS": "MosModel",
    "SR-MOS, BT.500": "SubjrejMosModel",
    "BR-SR-MOS, P.913 12.4": "BiasremvSubjrejMosModel",
    "AP, P.913 12.6": "MaximumLikelihoodEstimationModelContentObliviousAlternativeProjection",
    "AP2, P.910": "MaximumLikelihoodEstimationModelContentObliviousAlternativeProjection2",
}
OURS, ORDINAL = "Palate", "Palate, ordinal"
Found = dict[str, tuple[float, float, float]]  # by item: mean, low, high


@dataclass(frozen=True)
class Result:
    """How well one model scored one study: rank correlation, coverage, and CPU time in milliseconds."""

    rank: float
    coverage: float
    ms: float


def palate(ratings: Ratings) -> Found:
    """Return Palate's opinion scores."""
    return by_item(opinion_scores(ratings.items, ratings.raters, ratings.stars).scores)


def ordinal(ratings: Ratings) -> Found:
    """Return Palate's ordinal check."""
    given = ratings.items, ratings.raters, ratings.stars
    return by_item(ordinal_scores(*given, opinion_scores(*given)))


def by_item(scores: Sequence[Score]) -> Found:
    """Return scores by item."""
    return {score.item: (score.mean, score.low, score.high) for score in scores}


def peer(name: str) -> Callable[[Ratings], Found]:
    """Return a model of `sureal`, used as its documentation does; scores that it cannot give are left out."""
    model = getattr(importlib.import_module("sureal.subjective_model"), PEERS[name])
    reader = importlib.import_module("sureal.dataset_reader").RawDatasetReader

    def scored(ratings: Ratings) -> Found:
        given: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for item, rater, star in zip(ratings.items, ratings.raters, ratings.stars, strict=True):
            given[item][rater] = star
        videos = [
            {"content_id": 0, "asset_id": place, "path": item, "os": stars}
            for place, (item, stars) in enumerate(given.items())
        ]
        reference = [{"content_id": 0, "content_name": "all", "path": "all"}]
        data = SimpleNamespace(dataset_name="study", ref_videos=reference, dis_videos=videos)
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = model(reader(data)).run_modeling()
        mean, (below, above) = np.array(result["quality_scores"]), result["quality_scores_ci95"]
        rows = zip(given, mean, mean - below, mean + above, strict=True)
        return {item: (float(at), float(low), float(high)) for item, at, low, high in rows if np.isfinite(at)}

    return scored


def judged(model: Callable[[Ratings], Found], ratings: Ratings) -> Result:
    """Score a study, and return how that compares with the truth; an item without a score is not covered."""
    began = time.process_time()
    found = model(ratings)
    ms = 1000 * (time.process_time() - began)
    pairs = [(found[item][0], true) for item, true in ratings.truth.items() if item in found]
    held = [found[item][1] <= true <= found[item][2] for item, true in ratings.truth.items() if item in found]
    rank = float(spearmanr(*zip(*pairs, strict=True))[0]) if len(pairs) > 2 else 0.0
    return Result(rank, sum(held) / len(ratings.truth), ms)


def compare(models: dict[str, Callable[[Ratings], Found]], seeds: int, people: People) -> list[str]:
    """Print how the models score all designs; return what Palate misses."""
    missed = []
    print("items, raters, each, careless | model | rank correlation | Palate's lead | coverage | ms")
    for design in (*DESIGNS, GOOD):
        for way, careless in WAYS.items():
            one = design if careless else Design(design.items, design.raters, design.each, 0, design.quality)
            studies = [rated(one, seed, careless, people) for seed in range(seeds)]
            results = {name: [judged(model, study) for study in studies] for name, model in models.items()}
            missed += _told(f"{one.items}, {one.raters}, {one.each}, {one.careless} {way}", one, results)
    return missed


def _told(label: str, design: Design, results: dict[str, list[Result]]) -> list[str]:
    """Print one design's rows; return what Palate misses in it."""
    missed, least = [], 0.85 if design.careless else 0.9
    label += ", nearly all good" if design.quality > 4 else ""
    for name, found in results.items():
        rank, error = mean_and_error([one.rank for one in found])
        ahead = [ours.rank - one.rank for ours, one in zip(results[OURS], found, strict=True)]
        lead, lead_error = mean_and_error(ahead)
        coverage, ms = (float(np.mean([getattr(one, of) for one in found])) for of in ("coverage", "ms"))
        print(
            f"{label} | {name} | {rank:.3f} ± {error:.3f} | {lead:+.3f} ± {lead_error:.3f} | {coverage:.2f} | {ms:.0f}"
        )
        if name != ORDINAL and lead < -2 * lead_error:
            missed.append(f"{label}: behind {name} by {-lead:.3f}")
        if name == OURS and coverage < least:
            missed.append(f"{label}: coverage {coverage:.2f} < {least}")
    return missed


def care(seeds: range, calibrated: bool, people: Callable[[int], People], label: str) -> list[str]:
    """Print who is flagged by their sixtieth rating; return what is missed."""
    flagged, seen = Counter[str](), Counter[str]()
    for raters, ways in STUDIES:
        study = Work(raters, 3, ways, 60, calibrated)
        for seed in seeds:
            for one in panel(worked(study, people(seed), seed)).raters:
                way = one.rater.split()[0]
                for kind in _kinds(way, raters):
                    seen[kind] += 1
                    flagged[kind] += bool(one.flags)
    told = f"{label} raters, {'with' if calibrated else 'without'} calibration"
    print(f"\nflagged by 60 ratings: {told}")
    for kind, count in sorted(seen.items()):
        print(f"{kind}: {flagged[kind]} of {count} ({flagged[kind] / count:.1%})")
    bars = {"all clickers": CARELESS[label], "straight": CARELESS[label]}
    bars |= {kind: HONEST[kind.endswith(f" {SMALL}")] for kind in seen if " of " in kind}
    return [f"{told}: {kind} {flagged[kind] / seen[kind]:.1%}" for kind in bars if _beyond(kind, bars, flagged, seen)]


def _kinds(way: str, raters: int) -> tuple[str, ...]:
    """Return what a rater is counted as."""
    if way in CLICKERS:
        return way, "all clickers"
    honest = f"honest of {raters}"
    return {"honest": (honest,), "compressed": (honest, way)}.get(way, (way,))


def _beyond(kind: str, bars: Mapping[str, float], flagged: Counter[str], seen: Counter[str]) -> bool:
    """Tell whether a share is beyond its bar by more than two standard errors of a share that is at the bar."""
    bar, share = bars[kind], flagged[kind] / seen[kind]
    error = 2 * float(np.sqrt(bar * (1 - bar) / seen[kind]))
    return share > bar + error if " of " in kind else share < bar - error


def speed() -> None:
    """Print the CPU time of scoring 1 to 15,000 ratings, the best of five."""
    for size in SIZES:
        each = min(12, size)
        ratings = rated(Design(max(size // each, 1), max(60 if size > 1000 else 12, each), each), 0, ())
        best = min(judged_ms(ratings) for _ in range(5))
        print(f"{len(ratings.stars)} ratings: {best:.1f} ms")


def judged_ms(ratings: Ratings) -> float:
    """Return the CPU time of scoring once, in milliseconds."""
    began = time.process_time()
    palate(ratings)
    return 1000 * (time.process_time() - began)


def main() -> None:
    """Compare, and say what is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="studies of each design")
    parser.add_argument("--first", type=int, default=0, help="seed of the first study for flags")
    parser.add_argument(
        "--quick", action="store_true", help="only Palate and its ordinal check, in a quarter of the studies"
    )
    parser.add_argument("--check", action="store_true", help="fail where a bar is missed")
    parser.add_argument("--raters", choices=("seen", "imagined"), default="seen", help="who rates")
    args = parser.parse_args()
    seeds = args.seeds // 4 if args.quick else args.seeds
    models: dict[str, Callable[[Ratings], Found]] = {OURS: palate, ORDINAL: ordinal}
    if not args.quick:
        models |= {name: peer(name) for name in PEERS}
    known = KNOWN_RATERS if args.raters == "seen" else IMAGINED_RATERS
    missed = compare(models, seeds, known)
    populations = {args.raters: lambda _: known, "other": unknown_raters}
    for label, people in populations.items():
        for calibrated in (True, False):
            missed += care(range(args.first, args.first + seeds), calibrated, people, label)
    print()
    speed()
    if missed and args.check:
        sys.exit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
