"""What the optimizer says of each generator of a study, put together: what to try next, and what was learnt.

Each generator is asked about by itself, with the ratings of all: its answers are on one scale with those of the others.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import erf, exp, hypot, pi, sqrt

from ml_service.wire.contract import (
    Best,
    Convergence,
    Diagnosis,
    Interval,
    Proposal,
    Question,
    Suggestion,
    SuggestRequest,
    digest,
)

CAUTION = 0.3  # standard deviations taken off a best point when it is compared, as the optimizer does within a space
NEAR = 0.1  # stars: so close to the best counts as there


def suggested(request: SuggestRequest, said: Mapping[str, Suggestion]) -> Suggestion:
    """Return the proposals most worth a rating of those for each generator.

    Initial points come first, those of the generator that was tried least; then what may be best, by its upper bound.
    """
    every = [one for answer in said.values() for one in answer.proposals]
    believed = [(one, _bound(one.expected, request.exploration)) for one in every if one.expected is not None]
    ranked = [one for one, _ in sorted(believed, key=lambda pair: -pair[1])]
    proposals = (*_in_turn(request, [one for one in every if one.expected is None]), *ranked)[: request.count]
    return Suggestion(proposals=proposals, ratings_used=len(request.seen), history=_history(request))


def learnt(request: Question, said: Mapping[str, Diagnosis]) -> Diagnosis:
    """Return what was learnt of the generator whose best point is the best, and how far the others may yet lead to.

    Of a generator that nobody has rated nothing is recommended while another one was rated.
    """
    told = {"ratings_used": len(request.seen), "history": _history(request)}
    rated = {one.generator for one in (*request.seen, *request.earlier)}
    found = [(one.best, one) for one in said.values() if one.best is not None]
    known = [(best, one) for best, one in found if best.generator in rated] or found
    if not known:
        return next(iter(said.values())).model_copy(update=told)
    best, own = max(known, key=lambda pair: pair[0].rating.mean - CAUTION * pair[0].sd)
    others = [one for one in said.values() if one is not own]
    return own.model_copy(update={**told, "convergence": _convergence(best, own, others)})


def _in_turn(request: SuggestRequest, initial: Iterable[Proposal]) -> Iterator[Proposal]:
    """Yield initial points so that each generator is tried as often as the others."""
    tried = Counter(one.generator for one in request.pending)
    tried.update(generator for generator, _ in {(one.generator, one.output) for one in request.seen})
    left = list(initial)
    while left:
        one = min(left, key=lambda proposal: tried[proposal.generator])
        left.remove(one)
        tried[one.generator] += 1
        yield one


def _bound(expected: Interval, exploration: float) -> float:
    """Return the upper bound of a rating; the side that the scale does not cut says how wide it is."""
    return expected.mean + exploration * max(expected.high - expected.mean, expected.mean - expected.low)


def _convergence(best: Best, own: Diagnosis, others: Iterable[Diagnosis]) -> Convergence | None:
    """Return what is still to be had of all generators, or None while one of them is not known."""
    if own.convergence is None:
        return None
    left, near = own.convergence.gain_left, own.convergence.probability_near_best
    for one in others:
        if one.best is None or one.convergence is None:
            return None
        ahead = one.best.rating.mean + one.convergence.gain_left - best.rating.mean
        spread = hypot(one.best.sd, best.sd)
        left = max(left, _excess(ahead, spread))
        near *= _below(NEAR - ahead, spread)
    return Convergence(gain_left=left, probability_near_best=near)


def _excess(mean: float, sd: float) -> float:
    """Return by how much a normal quantity is expected to exceed 0, counting 0 where it does not."""
    if sd <= 0:
        return max(mean, 0.0)
    return mean * _below(mean, sd) + sd * exp(-((mean / sd) ** 2) / 2) / sqrt(2 * pi)


def _below(mean: float, sd: float) -> float:
    """Return the probability that a normal quantity around 0 is below a mean."""
    return (1 + erf(mean / (sd * sqrt(2)))) / 2 if sd > 0 else float(mean >= 0)


def _history(request: Question) -> str:
    return digest((*request.earlier, *request.seen))
