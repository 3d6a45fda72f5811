"""The raters of a study seen together: what each is like, how far they agree, and what they would say of each item."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from scipy.special import chdtri

from ml_service.wire.contract import Interval
from web.domain.rating.figures import (
    BAND,
    Agreement,
    AgreementStep,
    Contender,
    Drift,
    Judge,
    Level,
    RaterFigures,
    Score,
    Share,
)
from web.domain.rating.numbers.agreement import alpha, icc, reliability, repeat_sd, shared
from web.domain.rating.numbers.conduct import LEAST, drift, flags
from web.domain.rating.numbers.scores import OWN, OpinionScores, numbered, opinion_scores
from web.domain.rating.numbers.usual import Usual, Work, passed, repeats
from web.domain.rating.work import Given
from web.domain.studies.experiment import LEARNT_FROM

STEPS = 12  # in time, that the agreement is told at
DRAWS = 2000  # of all scores together, to learn how likely each item is the best
CONTENDERS = 40  # items that may be the best
KEEP = 0.9  # of the weight of earlier ratings with each that follows, where a level is followed
LEVELS = 200  # steps that a rater's level is told at; of more ratings only every so many
LEAST_SPREAD = 0.25  # square stars: equal scores do not make a level certain


@dataclass(frozen=True)
class Panel:
    """All raters of a study by what they are like, and what they make of the items together."""

    raters: tuple[RaterFigures, ...] = ()
    agreement: Agreement = field(default_factory=Agreement)
    over_time: tuple[AgreementStep, ...] = ()
    contenders: tuple[Contender, ...] = ()


def panel(given: Sequence[Given], since: Mapping[str, datetime] | None = None) -> Panel:
    """Return what the standing scores of a study, oldest first, say of its raters and its items.

    `since` tells of some raters from when on their care is judged.
    """
    fitted, found = fit(given)
    by_rater: defaultdict[str, Work] = defaultdict(list)
    for one, expected in zip(given, _expected(given, found), strict=True):
        by_rater[one.rater].append((one, expected))
    judges = {one.rater: one for one in found.judges}
    usual, over_time = Usual.of(by_rater), _over_time(fitted)
    return Panel(
        raters=tuple(
            _figures(rater, work, judges.get(rater), found, usual, (since or {}).get(rater))
            for rater, work in by_rater.items()
        ),
        agreement=_agreement(fitted, found, over_time),
        over_time=over_time,
        contenders=contenders(found.scores),
    )


def fit(given: Sequence[Given]) -> tuple[list[Given], OpinionScores]:
    """Return the scores that count, and what they make of items and raters."""
    fitted = [one for one in given if one.counts and one.kind in LEARNT_FROM]
    return fitted, opinion_scores(*columns(fitted), repeat_sd=repeat_sd(repeats(fitted)))


def _expected(given: Sequence[Given], found: OpinionScores) -> Iterator[float | None]:
    """Yield what the others let one expect of each score; None of checks, and of items that nobody else has scored."""
    known, told = {one.item: one.mean for one in found.scores}, iter(found.expected)
    for one in given:
        if one.kind not in LEARNT_FROM:
            yield None
        else:
            yield next(told) if one.counts else known.get(one.item)


def contenders(scores: Sequence[Score]) -> tuple[Contender, ...]:
    """Return the items, the best first, with how likely each is the best, by scores drawn from what is known of them.

    Only those that may well be are drawn; of the others that likelihood counts as none. Draws have one more among them
    that any of these may win, so that none is certain by the draws alone (Laplace's rule of succession).
    """
    ordered = sorted(scores, key=lambda one: (-one.mean, one.item))
    likely = ordered[:CONTENDERS]
    if not likely:
        return ()
    means = np.array([one.mean for one in likely])
    sds = (
        np.array([max(one.high - one.mean, one.mean - one.low) for one in likely]) / BAND
    )  # the scale may cut one side
    drawn = np.random.default_rng(0).normal(means, sds, (DRAWS, len(likely)))
    won = np.zeros(len(ordered))
    won[: len(likely)] = (np.bincount(drawn.argmax(1), minlength=len(likely)) + 1 / len(likely)) / (DRAWS + 1)
    return tuple(Contender(one, float(share)) for one, share in zip(ordered, won, strict=True))


def columns(given: Sequence[Given]) -> tuple[list[str], list[str], list[float]]:
    """Return the item, the rater and the stars of each score."""
    return [one.item for one in given], [one.rater for one in given], [one.score for one in given]


def _figures(
    rater: str, work: Work, judge: Judge | None, found: OpinionScores, usual: Usual, since: datetime | None
) -> RaterFigures:
    given = [one for one, _ in work]
    checks, again = passed(given), repeats(given)
    scores = Counter(round(one.score) for one in given)
    recent = [(one, expected) for one, expected in work if since is None or one.at >= since]
    return RaterFigures(
        rater=rater,
        ratings=len(given),
        judge=judge,
        noise=_noise(judge) if judge and judge.ratings > 1 else None,
        checks=checks,
        repeats=Share(sum(abs(first - later) <= 1 for first, later in again), len(again)),
        scores={score: scores.get(score, 0) for score in range(1, 6)},
        seconds=tuple(one.seen_ms / 1000 for one in given if one.seen_ms),
        levels=_levels([(one.at, one.score - expected) for one, expected in work if expected is not None]),
        flags=flags(usual.signals(rater, recent)),
        drift=_drift([(one.score, expected) for one, expected in recent if expected is not None], judge, found),
        first_at=given[0].at,
        last_at=given[-1].at,
    )


def _noise(judge: Judge) -> Interval:
    """Return a rater's noise with the interval of a standard deviation of so many ratings and what holds it."""
    freedom = judge.ratings + 2 * OWN
    low, high = (float(np.sqrt(freedom / chdtri(freedom, share))) for share in (0.025, 0.975))
    return Interval(mean=judge.noise, low=judge.noise * low, high=judge.noise * high)


def _levels(above: Sequence[tuple[datetime, float]]) -> tuple[Level, ...]:
    """Return how far above the others a rater was, as an exponential mean over some ten ratings with its 95 % band."""
    weight = weights = total = squares = 0.0
    steps, every = [], -(-len(above) // LEVELS)
    for number, (at, far) in enumerate(above, start=1):
        weight, weights = weight * KEEP + 1, weights * KEEP * KEEP + 1
        total, squares = total * KEEP + far, squares * KEEP + far * far
        if (len(above) - number) % every:
            continue
        mean = total / weight
        spread = max(squares / weight - mean * mean, LEAST_SPREAD)
        half = BAND * float(np.sqrt(spread * weights)) / weight
        steps.append(Level(at, number, Interval(mean=mean, low=mean - half, high=mean + half)))
    return tuple(steps)


def _drift(rated: Sequence[tuple[float, float]], judge: Judge | None, found: OpinionScores) -> Drift | None:
    """Return where a rater's level moved; the noise comes from neighbours, which a shift hardly touches."""
    if len(rated) < LEAST:
        return None
    score, expected = np.array(rated).T
    away = score - (judge.scale.mean if judge else 1.0) * (expected - found.mean)
    residuals = away - away.mean()
    noise = max(judge.noise if judge else found.noise, float(np.sqrt((np.diff(residuals) ** 2).mean() / 2)))
    return drift(residuals.tolist(), noise)


def _agreement(fitted: Sequence[Given], found: OpinionScores, over_time: Sequence[AgreementStep]) -> Agreement:
    if not fitted:
        return Agreement()
    per_item = len(fitted) / len(found.scores)
    alpha_now, icc_now = (over_time[-1].alpha, over_time[-1].icc) if over_time else (None, None)
    if icc_now is None:  # the spreads are the prior's alone
        return Agreement(alpha_now, icc_now, per_item)
    return Agreement(alpha_now, icc_now, per_item, reliability(found, max(round(per_item), 1)))


def _over_time(fitted: Sequence[Given]) -> tuple[AgreementStep, ...]:
    items, raters, scores = columns(fitted)
    item, rater, stars = numbered(items)[1], numbered(raters)[1], np.array(scores, dtype=float)
    steps = []
    for end in sorted({len(fitted) * step // STEPS for step in range(1, STEPS + 1)} - {0}):
        counts = shared(item[:end], rater[:end], stars[:end])
        agreed, correlated = alpha(counts), icc(counts)
        if agreed is not None and correlated is not None:
            steps.append(AgreementStep(fitted[end - 1].at, end, agreed, correlated))
    return tuple(steps)
