"""How far a study has come: samples today, samples in all, and how well its best settings are rated."""

from dataclasses import dataclass

from ml_service.wire.contract import Best

A_DAY = 5  # samples: what a day of rating should give at least
IN_ALL = 50  # samples: what it takes to tell good settings from lucky ones


@dataclass(frozen=True)
class Milestone:
    """Something a study is to reach: how near it is from 0 to 1, what there is, and of how much."""

    name: str
    near: float
    have: str
    of: str

    @property
    def reached(self) -> bool:
        """Tell whether it is reached."""
        return self.near >= 1


def milestones(today: int, samples: int, best: Best | None, goal: float | None) -> tuple[Milestone, ...]:
    """Return the milestones of a study; without a goal the rating of the best is none of them."""
    counted = (_of_samples("Samples today", today, A_DAY), _of_samples("Samples in all", samples, IN_ALL))
    return counted if goal is None else (*counted, _of_best(best, goal))


def _of_samples(name: str, have: int, wanted: int) -> Milestone:
    return Milestone(name, min(have / wanted, 1.0), str(have), str(wanted))


def _of_best(best: Best | None, goal: float) -> Milestone:
    """Return how near the expected rating is to the goal, counted from 1 star, the least that can be given."""
    mean = best.rating.mean if best else None
    near = 0.0 if mean is None else min(max((mean - 1) / (goal - 1), 0.0), 1.0) if goal > 1 else 1.0
    return Milestone("Mean of the best", near, "–" if mean is None else f"{mean:.2f} ★", f"{goal:g} ★")
