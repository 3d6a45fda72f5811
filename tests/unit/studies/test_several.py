"""What is made of the optimizer's answers about each generator: which is tried next, and which is the best."""

import pytest

from ml_service.wire.contract import (
    Convergence,
    Diagnosis,
    Interval,
    Observation,
    Pending,
    Proposal,
    Suggestion,
    SuggestRequest,
)
from tests.clock import FixedClock
from tests.second import SECOND, told
from tests.world import SPACE
from web.domain.studies import several

BOTH = {"local": SPACE, "second": SECOND}


def seen(*generators: str) -> tuple[Observation, ...]:
    return tuple(
        Observation(
            point={}, rating=3, rater="r", item="i", output=str(at), generator=name, version="v", at=FixedClock().now()
        )
        for at, name in enumerate(generators)
    )


def request(*generators: str, **more: object) -> SuggestRequest:
    given = {"spaces": BOTH, "generator": "local", "seen": seen(*generators), **more}
    return SuggestRequest.model_validate(given)


def test_the_best_of_generators_is_the_best_with_some_caution() -> None:
    asked = request("local", "second")
    close = {"local": told("local", 4.0, 0.1), "second": told("second", 4.1, 0.8)}
    assert several.learnt(asked, close).best == close["local"].best
    clear = close | {"second": told("second", 4.5, 0.8)}
    found = several.learnt(asked, clear)
    assert found.best == clear["second"].best
    assert found.ratings_used == 2


def test_a_generator_that_nobody_has_rated_is_not_recommended_before_one_that_was() -> None:
    both = {"local": told("local", 2.0), "second": told("second", 3.0)}
    found = several.learnt(request("local"), both)
    assert found.best is not None
    assert found.best.generator == "local"


def test_what_other_generators_may_yet_lead_to_is_still_to_be_had() -> None:
    asked = request("local", "second")

    def left(other: Diagnosis) -> Convergence | None:
        return several.learnt(asked, {"local": told("local", 4.0, 0.1, 0.05), "second": other}).convergence

    far, near, unsure = left(told("second", 2.0)), left(told("second", 3.95)), left(told("second", 3.5, 1.0))
    assert far is not None
    assert near is not None
    assert unsure is not None
    assert far.gain_left == pytest.approx(0.05)
    assert far.probability_near_best == pytest.approx(0.9)
    assert near.gain_left == pytest.approx(0.05)  # 0.034 is less than what is left of its own
    assert unsure.gain_left == pytest.approx(0.2, abs=0.01)
    assert unsure.probability_near_best < near.probability_near_best < far.probability_near_best
    assert left(told("second", 3.0, left=None)) is None


def test_of_what_nobody_knows_nothing_is_learnt() -> None:
    nothing = told("local", 3).model_copy(update={"best": None, "convergence": None})
    assert several.learnt(request(), {"local": nothing, "second": nothing}).best is None
    known = several.learnt(request("local"), {"local": told("local", 3), "second": nothing})
    assert known.best is not None
    assert known.convergence is None


def proposed(generator: str, *bounds: tuple[float, float]) -> Suggestion:
    """Initial points have no bounds."""
    proposals = tuple(
        Proposal(generator=generator, point={}, why="explore", expected=Interval(mean=mean, low=mean, high=high))
        for mean, high in bounds
    )
    return Suggestion(proposals=proposals, ratings_used=0, history="h")


def initial(generator: str, count: int) -> Suggestion:
    proposals = tuple(Proposal(generator=generator, point={"at": at}, why="initial") for at in range(count))
    return Suggestion(proposals=proposals, ratings_used=0, history="h")


def test_initial_points_come_first_those_of_the_generator_that_was_tried_least() -> None:
    pending = (Pending(point={}, generator="local", item="i"),)
    asked = request("local", "local", "second", pending=pending, count=4)
    both = several.suggested(asked, {"local": initial("local", 4), "second": initial("second", 4)})
    assert [one.generator for one in both.proposals] == ["second", "second", "local", "second"]
    assert [one.point["at"] for one in both.proposals] == [0, 1, 0, 2]
    mixed = several.suggested(asked, {"local": proposed("local", (4, 5)), "second": initial("second", 2)})
    assert [one.generator for one in mixed.proposals] == ["second", "second", "local"]


def test_then_comes_what_may_be_best_with_as_much_exploration_as_was_asked_for() -> None:
    said = {"local": proposed("local", (4.0, 4.2), (3.9, 4.1)), "second": proposed("second", (3.5, 4.5), (3.2, 4.15))}

    def chosen(exploration: float) -> list[float]:
        asked = request("local", "second", count=3, exploration=exploration)
        return [one.expected.mean for one in several.suggested(asked, said).proposals if one.expected]

    assert chosen(1) == [3.5, 4.0, 3.2]
    assert chosen(0) == [4.0, 3.9, 3.5]
