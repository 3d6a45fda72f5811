"""A/B tests: a champion meets challengers in blind pairs, and evidence that may be looked at any time decides.

A pair is one input treated by the champion and by one challenger, equal but for what the challenger changes. It is
closed once, by as many raters as the test fixed when it began, in an order that is kept; what is closed never changes.
A hold-back is a test too: after a promotion the version that was live before challenges the new one. So is a comparison
of versions of which none was live when it was opened: it says which is better, and changes nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

import numpy as np

from ml_service.errors import InvalidRequest
from web.domain.abtests.evidence import USUAL_SPREAD, Spreading, as_stars, bounds, evidence, spread
from web.domain.abtests.liking import Liking, liking
from web.domain.studies.evolving import Policy

TestKind = Literal["challenge", "hold_back", "comparison"]
TestState = Literal["running", "paused", "decided", "stopped"]
PairState = Literal["open", "closed", "failed", "dropped"]
Outcome = Literal["promote", "better", "harm", "tag", "failures", "no_gain", "cap", "stopped", "outdated"]

OPEN: tuple[TestState, ...] = ("running", "paused")
ASKED: tuple[TestKind, ...] = ("challenge", "comparison")  # by somebody or a round, one at a time for a prompt
MOST_CHALLENGERS = 8


@dataclass(frozen=True)
class Design:
    """What a test goes by, fixed when it starts.

    `threshold` is the evidence that promotes one challenger alone, times the number of challengers; `harm` the evidence
    that one is worse, and `guard` that it draws more of one complaint, or fails more often. A challenger is given up
    once it is refuted that it is better by `worth` stars, or after `most_pairs`.
    """

    raters: int = 1
    least_pairs: int = 12
    least_raters: int = 1
    most_pairs: int = 200
    threshold: float = 20.0
    harm: float = 10.0
    guard: float = 10.0
    worth: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what would make a test unsafe or endless, in words."""
        faults = [message for wrong, message in _faults(self) if wrong]
        if faults:
            raise InvalidRequest(" ".join(faults))


@dataclass(frozen=True)
class Evidence:
    """How one challenger stands against the champion.

    `gain` is the mean difference in stars, and `low` and `high` the bounds of those that are not refuted: `low` fails
    with a probability of at most one in the test's threshold, `high` of one in that for a single challenger, for giving
    one up promotes nothing. `tags` and `failures` are evidence of harm. `across` is the gain over its standard error
    across raters, and `across_needed` what a promotion asks of it: 0 where it asks nothing, for fewer than four raters
    and after a promotion. `spread` is the standard deviation of a pair's difference, in stars.
    """

    challenger: str
    pairs: int = 0
    gain: float = 0.0
    low: float = -4.0
    high: float = 4.0
    better: float = 1.0
    worse: float = 1.0
    tags: dict[str, float] = field(default_factory=dict)
    failures: float = 1.0
    failed: int = 0
    raters: int = 0
    across: float = 0.0
    across_needed: float = 0.0
    spread: float = USUAL_SPREAD


@dataclass(frozen=True)
class Decision:
    """How a test ended: which challenger wins, if any, and the evidence as it stood then.

    A winner is one to `promote`, or just `better` in a comparison. It is `outdated` where another version went live
    before: in the middle, or while the winner waited.
    """

    outcome: Outcome
    winner: str | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class ABTest:
    """A champion against challengers, by version id, and what it was decided by.

    `opened_by` is None where Palate opened it itself; `settled_at` is when the decision was acted on: promoted, or
    declined by a person. The champion of a comparison is the version that the others were compared with.
    """

    id: str
    project_id: str
    study_id: str
    prompt_key: str
    kind: TestKind
    state: TestState
    champion: str
    challengers: tuple[str, ...]
    design: Design
    policy: Policy
    created_at: datetime
    hypothesis: str = ""
    opened_by: str | None = None
    decision: Decision | None = None
    decided_at: datetime | None = None
    settled_at: datetime | None = None
    settled_by: str | None = None
    revision: int = 0

    @property
    def threshold(self) -> float:
        """The evidence that promotes one of the challengers."""
        return self.design.threshold * len(self.challengers)

    @property
    def waits_for_approval(self) -> bool:
        """Tell whether a winner waits for a person."""
        return self.decision is not None and self.decision.outcome == "promote" and self.settled_at is None

    def decided(self, decision: Decision, now: datetime) -> "ABTest":
        """Return the test with its decision, which nothing changes any more."""
        return replace(self, state="decided", decision=decision, decided_at=now)


@dataclass(frozen=True)
class Pair:
    """One input treated by the champion and a challenger: open, and then closed once with a number of its own.

    `difference` is the mean over its raters of challenger less champion, in stars, and `given` what each of them, by
    id, gave; `tags` is the mean of each complaint, and `failed` that of failing: 1 where only the challenger's could
    not be made or judged, -1 where only the champion's.
    """

    id: str
    test_id: str
    experiment_id: str
    input_id: str
    challenger: str
    state: PairState
    created_at: datetime
    number: int | None = None
    difference: float | None = None
    tags: dict[str, float] = field(default_factory=dict)
    failed: int = 0
    given: dict[str, float] = field(default_factory=dict)
    closed_at: datetime | None = None
    revision: int = 0

    @property
    def raters(self) -> tuple[str, ...]:
        """Those whose ratings it rests on; none where both pictures were the same."""
        return tuple(self.given)


def stand(test: ABTest, pairs: Iterable[Pair]) -> tuple[Evidence, ...]:
    """Return how each challenger stands, from the pairs that are closed, in the order in which they were."""
    streams: dict[str, list[Pair]] = defaultdict(list)
    for pair in sorted((pair for pair in pairs if pair.number is not None), key=lambda pair: pair.number or 0):
        streams[pair.challenger].append(pair)
    return tuple(_stand(test, one, streams[one]) for one in test.challengers)


def decide(test: ABTest, found: Sequence[Evidence]) -> Decision | None:
    """Return what the evidence decides, or None while it does not; a challenger that harms is out, others go on."""
    fates = {one.challenger: _fate(test, one) for one in found}
    won = [one for one in found if fates[one.challenger] == "promote"]
    if won:
        best = max(won, key=lambda one: (one.better, one.challenger))
        return Decision("better" if test.kind == "comparison" else "promote", best.challenger, tuple(found))
    lost = [fate for fate in fates.values() if fate is not None]
    if len(lost) < len(found):
        return None
    return Decision(lost[0] if len(set(lost)) == 1 else "no_gain", None, tuple(found))


def still_in(test: ABTest, found: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Return the challengers that are not out."""
    return tuple(one for one in found if _fate(test, one) is None)


def next_challenger(test: ABTest, found: Sequence[Evidence], planned: int) -> str | None:
    """Choose who meets the champion next by top-two Thompson sampling, or None where all are out (Russo 2016).

    Whom it chooses changes how soon a winner is found, never what a pair says: each challenger's pairs are a bet of
    their own. The same state chooses the same.
    """
    rivals = still_in(test, found)
    if not rivals:
        return None
    random = np.random.default_rng([test.design.seed, planned])
    drawn = {one.challenger: random.normal(one.gain, one.spread / np.sqrt(one.pairs + 1)) for one in rivals}
    ranked = sorted(drawn, key=lambda one: -drawn[one])
    return ranked[1] if len(ranked) > 1 and random.random() < 0.5 else ranked[0]


def _stand(test: ABTest, challenger: str, pairs: Sequence[Pair]) -> Evidence:
    rated = [pair for pair in pairs if pair.difference is not None]
    given = [pair.difference for pair in rated if pair.difference is not None]
    seen = sorted({tag for pair in rated for tag in pair.tags})
    bound = bounds(given, test.threshold)
    low = bound[-1][0] if bound else -4.0
    # Giving one up is no promotion: what refutes its gain need not be multiplied by the challengers beside it.
    high = bounds(given, test.design.threshold)[-1][1] if given else 4.0
    # What was live before goes back for those who judge it now; whether others would agree is not asked.
    shared = Liking() if test.kind == "hold_back" else liking([pair.given for pair in rated], test.threshold)
    return Evidence(
        challenger=challenger,
        pairs=len(rated),
        gain=sum(given) / len(given) if given else 0.0,
        low=low,
        high=high,
        better=evidence(given),
        worse=evidence([-one for one in given]),
        tags={tag: evidence(as_stars([pair.tags.get(tag, 0.0) for pair in rated])) for tag in seen},
        failures=evidence(as_stars([float(pair.failed) for pair in pairs])),
        failed=sum(pair.failed > 0 for pair in pairs),
        raters=len({rater for pair in rated for rater in pair.given}),
        across=shared.across,
        across_needed=shared.needed,
        spread=spread([Spreading(len(given), sum(given), sum(one * one for one in given))]),
    )


def _fate(test: ABTest, one: Evidence) -> Outcome | None:
    """Say what becomes of a challenger by its evidence alone, or None while it is open."""
    design = test.design
    if one.failures >= design.guard:
        return "failures"
    if one.worse >= design.harm:
        return "harm"
    judged = one.pairs >= design.least_pairs
    enough = judged and one.raters >= design.least_raters
    if enough and any(value >= design.guard for value in one.tags.values()):
        return "tag"
    if enough and one.better >= test.threshold and one.across >= one.across_needed:
        return "promote"
    if judged and one.high < design.worth:  # equal pictures are ties that nobody has to look at
        return "no_gain"
    return "cap" if one.pairs >= design.most_pairs else None


def _faults(design: Design) -> tuple[tuple[bool, str], ...]:
    return (
        (not 1 <= design.raters <= 20, "A pair has 1 to 20 raters."),
        (
            not 1 <= design.least_pairs <= design.most_pairs <= 5000,
            "Pairs: at least 1, at most 5,000, least before most.",
        ),
        (not 1 <= design.least_raters <= 50, "At least 1 and at most 50 raters can be asked for."),
        (
            not 10 <= design.threshold <= 10_000,
            "The threshold is from 10 to 10,000: 20 errs once in twenty tests at most.",
        ),
        (not 2 <= design.harm <= 10_000, "The threshold of harm is from 2 to 10,000."),
        (not 2 <= design.guard <= 10_000, "The threshold of a guardrail is from 2 to 10,000."),
        (not 0 <= design.worth <= 2, "What is worth having is from 0 to 2 stars."),
    )
