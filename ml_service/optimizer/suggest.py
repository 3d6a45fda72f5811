"""Which points to rate next, and what was learnt: functions of the request, with nothing kept between two calls.

The same request gets the same answer bit for bit on one machine: observations are sorted, drawing starts from the
request's seed and the size of its history, and linear algebra runs on one thread (which is also what is fastest here).
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.special import ndtr
from threadpoolctl import ThreadpoolController

from ml_service.errors import InvalidRequest
from ml_service.optimizer import diagnosis
from ml_service.optimizer.acquisition import CAUTION, Choice, interval, upper_bounds
from ml_service.optimizer.known import Known
from ml_service.optimizer.rating_gp import RatingGP
from ml_service.optimizer.space import SAME, Array, SearchSpace
from ml_service.wire.contract import (
    DiagnoseRequest,
    Diagnosis,
    Point,
    Proposal,
    Suggestion,
    SuggestRequest,
    Why,
    digest,
)

LIKELY = 50  # tried points that are looked at for the best one
FEWEST = 3  # ratings needed to say anything of the best point
NOTHING = Diagnosis(best=None, convergence=None, parameters={}, raters=(), variance=None, ratings_used=0, history="")


def suggest(request: SuggestRequest) -> Suggestion:
    """Propose the points most worth a rating, given all that was rated and all that is out.

    A reference comes first, whatever else is out. Then initial points while fewer than `initial` options were rated
    or are out, then what the belief chooses. None of these is pending on the request's item and none comes twice, so
    a space with few points may give fewer than `count`, or none. Raises InvalidRequest where the reference lies
    outside the space, and where a point of this generator has values of another kind.
    """
    with _threads().limit(limits=1):
        known = Known.read(request.spaces, request.asked, request.seen, request.pending, request.earlier)
        chosen = _reference(request, known)
        chosen += _initial(request, known, chosen)
        chosen += _believed(request, known, chosen)
    return Suggestion(proposals=tuple(chosen), ratings_used=len(known.seen), history=digest(known.rows))


def diagnose(request: DiagnoseRequest) -> Diagnosis:
    """Say what was learnt; of fewer than three ratings, only how many there are."""
    with _threads().limit(limits=1):
        known = Known.read(request.spaces, request.asked, request.seen, earlier=request.earlier)
        random = np.random.default_rng([request.seed, len(request.seen)])
        learnt = diagnosis.learnt(known, random) if len(known.rows) >= FEWEST else NOTHING
    return learnt.model_copy(update={"ratings_used": len(known.seen), "history": digest(known.rows)})


@cache
def _threads() -> ThreadpoolController:
    """Return what limits the threads of numpy and scipy; it looks through all loaded libraries, so once."""
    return ThreadpoolController()


def _reference(request: SuggestRequest, known: Known) -> list[Proposal]:
    if request.reference is None:
        return []
    if faults := request.spaces[known.generator].faults(request.reference):
        raise InvalidRequest(
            f"The reference point is not in the space: {'; '.join(faults)}. Send a point of the space."
        )
    point = dict(sorted(request.reference.items()))
    return [Proposal(generator=known.generator, point=point, why="reference")]


def _initial(request: SuggestRequest, known: Known, chosen: Sequence[Proposal]) -> list[Proposal]:
    wanted = min(request.count - len(chosen), request.initial - known.options)
    if wanted <= 0:
        return []
    tried = [o.point for o in known.seen] + [point for _, point in known.pending] + [one.point for one in chosen]
    keys = {known.space.key(point) for point in tried}
    fresh = [
        point for point in known.space.initial(request.seed, request.initial) if known.space.key(point) not in keys
    ]
    return [Proposal(generator=known.generator, point=point, why="initial") for point in fresh[:wanted]]


def _believed(request: SuggestRequest, known: Known, chosen: Sequence[Proposal]) -> list[Proposal]:
    wanted = request.count - len(chosen)
    if not wanted:
        return []
    space = known.space
    beside = [one.point for one in chosen]
    waiting = space.unit([point for _, point in known.pending] + beside)
    taken = space.unit([point for item, point in known.pending if item == request.item] + beside)
    random = np.random.default_rng([request.seed, len(request.seen), len(request.pending)])
    belief = RatingGP(known.ratings())
    choices = upper_bounds(belief, space, waiting, taken, wanted, random, request.exploration)
    return [
        Proposal(
            generator=known.generator,
            point=point,
            why="explore" if one.sd > math.sqrt(belief.prior(one.row[None])[0]) / 2 else "refine",
            expected=interval(one.mean, one.sd),
            evidence=why,
        )
        for one, (point, why) in zip(choices, _evidence(belief, known, choices), strict=True)
    ]


def _evidence(belief: RatingGP, known: Known, choices: Sequence[Choice]) -> list[tuple[Point, Why]]:
    """Return each chosen point and how it compares with the best of the points that were tried, or the default."""
    rows = np.vstack([_best_tried(belief, known.space), *(one.row for one in choices)])
    best, *points = known.points(rows)
    mean, covariance = belief.posterior(rows)
    gain, own = mean - mean[0], np.diagonal(covariance)
    sd = np.sqrt(np.clip(own + own[0] - 2 * covariance[0], 0, None))
    return [
        (
            point,
            Why(
                best=float(np.clip(mean[0], 1, 5)),
                chance=float(ndtr(gain[place] / sd[place])) if sd[place] > SAME else 0.0,
                rated=known.rated[known.space.key(point)],
                differs=tuple(name for name in known.space.parameters if point[name] != best[name]),
            ),
        )
        for place, point in enumerate(points, start=1)
    ]


def _best_tried(belief: RatingGP, space: SearchSpace) -> Array:
    """Return the row of the best point that was tried, or the default's: of the highest mean - 0.3 sd."""
    here = np.logical_not(belief.ratings.earlier) & space.holds(belief.ratings.points)
    tried = belief.ratings.points[here]
    likely = tried[np.argsort(-belief.fitted[here], kind="stable")[:LIKELY]]
    rows = np.vstack([space.unit([space.default]), likely])
    mean, sd = belief.marginal(rows)
    return np.asarray(rows[int(np.argmax(mean - CAUTION * sd))])
