"""What a comparison of two studies says: no more than the intervals carry, the same from either side."""

from datetime import UTC, datetime

from ml_service.wire.contract import Best, Interval
from tests.world import SPACE
from web.domain.reports.report import BestStep
from web.domain.studies.study import Study
from web.pages.drawing.charts import best_of_each
from web.pages.learning.comparing import Side, difference, sentences

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def around(mean: float, half: float) -> Interval:
    return Interval(mean=mean, low=mean - half, high=mean + half)


def side(name: str, rating: Interval | None, gain: Interval | None = None) -> Side:
    study = Study(name, "p", name, "running", {"local": SPACE}, "photo", NOW)
    best = Best(generator="local", point={}, rating=rating, gain=gain or around(0.5, 0.1)) if rating else None
    return Side(study, best, 40, 80_000)


def test_what_intervals_leave_open_is_said_to_be_open() -> None:
    rated, gained, caution = sentences(side("Skies", around(4.0, 0.3)), side("Faces", around(3.8, 0.4)))
    assert rated.startswith("It is open which of the best settings are rated higher")
    assert "up to 0.3 stars behind those of Faces, or up to 0.7 ahead" in rated  # .2 ± the root of .3² + .4²
    assert gained.startswith("It is open which of the best settings gain over their own default more")
    assert "A/B test" in caution


def test_what_is_sure_is_said_of_the_better_one_whichever_stands_first() -> None:
    better, worse = side("Skies", around(4.5, 0.3)), side("Faces", around(3.0, 0.4))
    said = "The best settings of Skies are rated higher than those of Faces, by 1 to 2 stars."
    assert sentences(better, worse)[0] == sentences(worse, better)[0] == said


def test_a_study_without_best_settings_is_not_compared() -> None:
    (said,) = sentences(side("Skies", around(4.0, 0.3)), side("New", None))
    assert said.startswith("New cannot be compared yet")


def test_a_difference_is_wider_than_either_of_what_it_is_between() -> None:
    by = difference(around(4.0, 0.3), around(4.0, 0.4))
    assert (round(by.low, 6), by.mean, round(by.high, 6)) == (-0.5, 0.0, 0.5)


def test_both_curves_stand_in_one_picture_with_one_table() -> None:
    steps = [BestStep(10, around(3.0, 0.5)), BestStep(40, around(4.0, 0.2))]
    drawn = str(best_of_each([("Skies", steps), ("Faces <b>", steps[:1])]))
    assert drawn.count("<svg") == 1
    assert drawn.count('class="band"') == 2
    assert "Faces &lt;b&gt;" in drawn
    assert best_of_each([]) is None
