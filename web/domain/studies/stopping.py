"""When a study has learnt enough: what each stop rule looks at, how near it is, and what it says when it holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import erf, sqrt

from ml_service.errors import InvalidRequest
from ml_service.wire.contract import Diagnosis
from web.domain.studies.study import RuleName, StopRules, Study

GAIN = 0.05  # stars: what is offered where somebody wants a study to end once nothing is left
BETTER = 0.05  # stars: a recommendation must be expected to be better by this much to count as better
# What each rule is called, and what it does, for the forms that set it.
NAMES: Mapping[RuleName, str] = {
    "goal": "Goal",
    "gain": "Nothing left to gain",
    "patience": "Patience",
    "budget": "Budget",
    "ratings": "Ratings in all",
}
SENTENCES: Mapping[RuleName, str] = {
    "goal": "Stops once the best settings reach this mean rating with the probability beside it.",
    "gain": f"Stops once fewer stars than this are expected to be left to gain; {GAIN} is a good value.",
    "patience": f"Stops after so many ratings without a recommendation that is better by {BETTER} stars.",
    "budget": "Stops once the images made have cost so much; what is being made then still adds to it.",
    "ratings": "Stops after so many ratings.",
}
# What a limit may be, ends included, and how the limit is called.
_LIMITS: Mapping[str, tuple[float, float, str]] = {
    "goal": (1, 5, "The goal"),
    "probability": (0.5, 0.999, "The probability of reaching the goal"),
    "gain": (0.001, 4, "The gain that is too little"),
    "patience": (1, 1_000_000, "The ratings without a better recommendation"),
    "at_least": (3, 1_000_000, "The ratings before a belief may stop the study"),
    "budget_micros": (1, 2**53, "The budget"),
    "ratings": (1, 1_000_000, "The number of ratings"),
}


@dataclass(frozen=True)
class Recommended:
    """What the best point was expected to be rated after so many ratings."""

    ratings: int
    mean: float


@dataclass(frozen=True)
class Figures:
    """What the rules of a study look at: ratings that count, micro-dollars spent, and what was learnt.

    `diagnosis` is None where none knows of today's ratings; `history` goes by ratings.
    """

    ratings: int = 0
    spent_micros: int = 0
    diagnosis: Diagnosis | None = None
    history: Sequence[Recommended] = ()


@dataclass(frozen=True)
class Standing:
    """How near a rule is to stopping its study, from 0 to 1, whether it does, and what it goes by.

    `near` is None while that is not known.
    """

    rule: RuleName
    near: float | None
    holds: bool
    words: str
    figures: dict[str, float] = field(default_factory=dict)


def check(rules: StopRules) -> None:
    """Refuse limits that mean nothing, with the one that does and what it may be."""
    for name, (low, high, called) in _LIMITS.items():
        value = getattr(rules, name)
        if value is not None and not low <= value <= high:
            said = "more than $0" if name == "budget_micros" else f"from {low:,} to {high:,}"
            raise InvalidRequest(f"{called} must be {said}{' stars' if name in ('goal', 'gain') else ''}.")


def standings(rules: StopRules, figures: Figures) -> tuple[Standing, ...]:
    """Say how near each rule is that is on, in the order in which they are asked."""
    found = (_RULES[rule](rules, figures) for rule in _RULES)
    return tuple(standing for standing in found if standing is not None)


def reason(rules: StopRules, figures: Figures) -> Standing | None:
    """Return the first rule that holds, or None."""
    return next((standing for standing in standings(rules, figures) if standing.holds), None)


def still_holding(study: Study, figures: Figures) -> RuleName | None:
    """Return the rule that finished a study if it would do so again at once, or None where it was raised."""
    if study.stopped is None:
        return None
    holding = [standing.rule for standing in standings(study.stop, figures) if standing.holds]
    return study.stopped.rule if study.stopped.rule in holding else None


def stale(history: Sequence[Recommended]) -> int:
    """Count the ratings since which no recommendation was better than the one before them."""
    if not history:
        return 0
    since, later = history[-1].ratings, history[-1].mean
    for step in reversed(history[:-1]):
        if later > step.mean + BETTER:
            break
        since, later = step.ratings, max(later, step.mean)
    return history[-1].ratings - since


def chance(diagnosis: Diagnosis | None, goal: float) -> float | None:
    """Return the probability that the best point's mean rating reaches a goal, or None where that is not known."""
    best = diagnosis.best if diagnosis else None
    if best is None or best.sd <= 0:
        return None
    return (1 + erf((best.rating.mean - goal) / (best.sd * sqrt(2)))) / 2


def _goal(rules: StopRules, figures: Figures) -> Standing | None:
    if rules.goal is None:
        return None
    best = figures.diagnosis.best if figures.diagnosis else None
    reached = chance(figures.diagnosis, rules.goal)
    if best is None or reached is None:
        return _unknown("goal", figures)
    words = (
        f"{rules.goal:g} stars are reached with {_percent(reached)} probability, of {_percent(rules.probability)} "
        f"wanted; {best.rating.mean:.2f} are expected."
    )
    told = {"goal": rules.goal, "probability": reached, "wanted": rules.probability, "expected": best.rating.mean}
    return _learnt("goal", rules, figures, reached / rules.probability, words, told)


def _gain(rules: StopRules, figures: Figures) -> Standing | None:
    if rules.gain is None:
        return None
    convergence = figures.diagnosis.convergence if figures.diagnosis else None
    if convergence is None:
        return _unknown("gain", figures)
    left = max(convergence.gain_left, 0.0)
    words = f"{left:.2f} stars are expected to be left to gain; fewer than {rules.gain:g} are too few."
    near = 1.0 if left < rules.gain else min(rules.gain / left, 0.999)
    return _learnt("gain", rules, figures, near, words, {"gain_left": left, "limit": rules.gain})


def _patience(rules: StopRules, figures: Figures) -> Standing | None:
    if rules.patience is None:
        return None
    waited = stale([step for step in figures.history if rules.at_least <= step.ratings <= figures.ratings])
    words = f"{_count(waited)} without a better recommendation, of {rules.patience:,}."
    told = {"without_better": float(waited), "limit": float(rules.patience)}
    return _learnt("patience", rules, figures, waited / rules.patience, words, told)


def _budget(rules: StopRules, figures: Figures) -> Standing | None:
    if rules.budget_micros is None:
        return None
    near = figures.spent_micros / rules.budget_micros
    words = f"{_dollars(figures.spent_micros)} of {_dollars(rules.budget_micros)} are spent."
    told = {"spent": figures.spent_micros / 1e6, "budget": rules.budget_micros / 1e6}
    return Standing("budget", min(near, 1), near >= 1, words, told | {"ratings": float(figures.ratings)})


def _ratings(rules: StopRules, figures: Figures) -> Standing | None:
    if rules.ratings is None:
        return None
    near = figures.ratings / rules.ratings
    words = f"{_count(figures.ratings)} of {rules.ratings:,}."
    told = {"ratings": float(figures.ratings), "limit": float(rules.ratings)}
    return Standing("ratings", min(near, 1), near >= 1, words, told)


_RULES: Mapping[RuleName, Callable[[StopRules, Figures], Standing | None]] = {
    "goal": _goal,
    "gain": _gain,
    "patience": _patience,
    "budget": _budget,
    "ratings": _ratings,
}


def _learnt(
    rule: RuleName, rules: StopRules, figures: Figures, near: float, words: str, told: dict[str, float]
) -> Standing:
    """Return where a rule stands that goes by what was learnt, and so waits for enough ratings."""
    told = told | {"ratings": float(figures.ratings)}
    if figures.ratings >= rules.at_least:
        return Standing(rule, min(near, 1), near >= 1, words, told)
    waits = f"{words} It waits for {rules.at_least:,} ratings; there are {figures.ratings:,}."
    return Standing(rule, min(near, figures.ratings / rules.at_least), holds=False, words=waits, figures=told)


def _unknown(rule: RuleName, figures: Figures) -> Standing:
    words = "Not known yet: it goes by what is learnt of the first ratings."
    return Standing(rule, None, holds=False, words=words, figures={"ratings": float(figures.ratings)})


def _percent(share: float) -> str:
    """Write a probability so that one short of certain is never told as certain."""
    return f"{min(int(share * 1000) / 10, 99.9):g} %"


def _count(ratings: int) -> str:
    return f"{ratings:,} rating{'' if ratings == 1 else 's'}"


def _dollars(micros: int) -> str:
    return f"${micros / 1e6:,.2f}"
