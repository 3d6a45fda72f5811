"""Simulated studies whose raters drift, and lines that are taken off their stars."""

import numpy as np
import pytest

from benchmarks.drift import LINES, Study, study, without_lines
from benchmarks.raters import SEEN, SESSION


@pytest.fixture(scope="module")
def drawn() -> Study:
    return study(300, 4, 4, "own", 1)


def test_raters_give_fewer_stars_the_longer_they_rate(drawn: Study) -> None:
    moved, late = drawn.drifting - drawn.steady, drawn.sessions > drawn.sessions.max() / 2
    assert moved[~late].mean() > 0.05
    assert moved[late].mean() < -0.05
    assert drawn.sessions.max() == (300 - 1) / SESSION


def test_the_common_line_is_the_trend_alone(drawn: Study) -> None:
    taken = without_lines(drawn, drawn.drifting, LINES[f"{SEEN.trend} for all"])
    middle = (300 - 1) / SESSION / 2
    assert taken - drawn.drifting == pytest.approx(-SEEN.trend * (drawn.sessions - middle))


def test_fitted_lines_are_nearer_to_those_that_were_drawn(drawn: Study) -> None:
    away = drawn.sessions - drawn.sessions.mean()
    lines = {name: drawn.drifting - without_lines(drawn, drawn.drifting, line) for name, line in LINES.items()}
    for rater in set(drawn.raters):
        own = np.array([one == rater for one in drawn.raters])
        seen = np.polyfit(away[own], (drawn.drifting - drawn.steady)[own], 1)[0]
        fitted, common = (
            np.polyfit(away[own], lines[name][own], 1)[0]
            for name in (f"own lines about {SEEN.trend}", f"{SEEN.trend} for all")
        )
        assert abs(fitted - seen) < max(abs(common - seen), 0.1)
