"""The page of an A/B test says for whom its promise holds: those who judged, or raters like them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from web.domain.abtests.abtest import ABTest, Design, Evidence
from web.pages.abtests import words
from web.services.abtests.comparisons import Pace

TEST = ABTest(
    id="test",
    project_id="project",
    study_id="study",
    prompt_key="photo-enhance",
    kind="challenge",
    state="running",
    champion="one",
    challengers=("two",),
    design=Design(),
    policy="approve",
    created_at=datetime(2026, 12, 1, tzinfo=UTC),
)
FOUND = Evidence("two", 60, 0.5, 0.1, 0.9, 40.0, 0.1, across=2.0, across_needed=1.7)


@pytest.mark.parametrize(
    ("raters", "told"),
    [
        (1, "This rests on 1 rater and holds for this one alone"),
        (3, "This rests on 3 raters and holds for these alone"),
        (
            4,
            "Its 4 raters agree enough to speak for others like them (2.00 of 1.70). The promise is for 8 raters",
        ),
        (7, "with 4, 6 or 7 of 100 tests of nothing find something, not 5."),
        (8, "The promise is for raters like these, not only for these."),
    ],
)
def test_whom_the_promise_is_for_goes_by_how_many_judged(raters: int, told: str) -> None:
    asked = replace(FOUND, raters=raters) if raters >= 4 else replace(FOUND, raters=raters, across=0, across_needed=0)
    assert told in words.promise(TEST, asked)
    assert ("not only for these" in words.promise(TEST, asked)) == (raters >= 8)
    assert ("alone" in words.promise(TEST, asked)) == (raters < 4)


def test_raters_who_do_not_agree_are_told_of_though_the_evidence_is_there() -> None:
    split = replace(FOUND, raters=8, across=0.9)
    assert "Its 8 raters do not agree enough to speak for others like them (0.90 of 1.70)." in words.promise(
        TEST, split
    )


def test_nothing_is_promised_before_anybody_judged_nor_of_what_is_held_back() -> None:
    assert words.promise(TEST, replace(FOUND, raters=0)) == ""
    assert words.promise(replace(TEST, kind="hold_back"), replace(FOUND, raters=8)) == ""


def test_forecasts_say_whose_spread_they_go_by() -> None:
    usual = words.pace(Pace(3.0, is_measured=True, spread=1.1, known=0))
    assert usual.endswith("as this test did lately. Differences are taken to spread by 1.10 stars, as is usual.")
    known = words.pace(Pace(0.0, is_measured=False, spread=1.452, known=120))
    assert known.endswith("Differences are taken to spread by 1.45 stars, as 120 pairs of this study suggest.")
