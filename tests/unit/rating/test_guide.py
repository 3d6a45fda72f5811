"""What raters are told, whether they agreed, when they are calibrated, and which answers are right."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ml_service.errors import InvalidRequest
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.gold import Gold
from web.domain.studies.guide import ANCHORS, SCORES, WORDS, Guide

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
NEW = Enrolment("e", "s", "r", NOW)


def test_the_guide_that_studies_begin_with_is_in_order() -> None:
    Guide().check()
    assert Guide().anchors.keys() == SCORES.keys()
    assert Guide().tags["too_dark"] == "Too dark"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"words": " \n"}, "need words"),
        ({"words": "x" * 8001}, "8000 characters"),
        ({"consent": "x" * 8001}, "8000 characters"),
        ({"anchors": {"1": "Bad"}}, "each score"),
        ({"anchors": ANCHORS | {"3": " "}}, "each score"),
        ({"anchors": ANCHORS | {"3": "so\nso"}}, "one line"),
        ({"examples": {"6": "o"}}, "Examples"),
        ({"tags": {}}, "1 to 12 tags"),
        ({"tags": {f"t{'a' * n}": "Tag" for n in range(13)}}, "1 to 12 tags"),
        ({"tags": {"too_dark": "x" * 41}}, "at most 40"),
        ({"tags": {"Too dark": "Too dark"}}, "small letters"),
    ],
)
def test_a_guide_that_could_not_be_shown_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        replace(Guide(), **wrong).check()


def test_consent_is_to_the_words_that_were_agreed_to() -> None:
    first, second = Guide(consent="You are paid."), Guide(consent="You are paid well.")
    assert NEW.consents_to(Guide())
    assert not NEW.consents_to(first)
    agreed = replace(NEW, consented_to=first.consent_hash)
    assert agreed.consents_to(first)
    assert not agreed.consents_to(second)
    assert agreed.consents_to(Guide())


def test_calibration_is_due_at_first_and_when_it_is_asked_for_again() -> None:
    assert NEW.calibration_since == NOW
    done = replace(NEW, trained_at=NOW + HOUR)
    assert done.calibration_since is None
    again = replace(done, recalibrate_from=NOW + 2 * HOUR)
    assert again.calibration_since == NOW + 2 * HOUR
    assert replace(again, trained_at=NOW + 3 * HOUR).calibration_since is None


@pytest.mark.parametrize(("score", "missed"), [(1, True), (2, False), (3, False), (5, False)])
def test_an_answer_misses_only_by_more_than_a_star(score: int, missed: bool) -> None:
    assert Gold("g", "e", "s", 3, 4, "agreement", NOW).misses(score) is missed


def test_the_rating_guide_says_what_raters_are_told() -> None:
    document = " ".join(Path("docs/rating-guide.md").read_text(encoding="utf-8").split())
    for sentence in (*WORDS.split("\n\n"), *ANCHORS.values()):
        assert " ".join(sentence.split()) in document
