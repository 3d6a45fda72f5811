"""Charts are well-formed, escaped, labelled, and say in a table what they draw."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from ml_service.wire.contract import (
    Best,
    CategoryParameter,
    CurvePoint,
    FloatParameter,
    GroupEffect,
    Interval,
    PairReport,
    Parameter,
    ParameterReport,
    RaterEffect,
    Value,
    VarianceParts,
)
from web.domain.rating.numbers.opinion import Sums, level_raters, mean_interval, smooth
from web.domain.reports.report import BestStep, Coverage, VersionMean
from web.pages.drawing import charts
from web.pages.drawing.svg import HEIGHT, WIDTH, Scale, thinned, time_ticks
from web.pages.learning import findings
from web.pages.learning.heat import PIECES, coverage_map, pieces
from web.pages.learning.responses import Curve, responses

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
EXPOSURE = FloatParameter(low=-1, high=1, default=0, unit="EV")
GAMMA = FloatParameter(low=0.1, high=10, default=1, scale="log")
STYLE = CategoryParameter(choices=("natural", "<vivid>"), default="natural")


def around(mean: float, half: float = 0.2) -> Interval:
    return Interval(mean=mean, low=mean - half, high=mean + half)


def report(*values: float | str, importance: float = 0.5) -> ParameterReport:
    curve = tuple(CurvePoint(value=value, rating=around(3 + index / 10)) for index, value in enumerate(values))
    return ParameterReport(curve=curve, importance=importance, settled=0.25)


def steps(count: int = 10) -> list[tuple[datetime, Sums]]:
    return [(START + timedelta(days=day), Sums(2, 6 + day / 5, 20 + day)) for day in range(count)]


def response(
    name: str, parameter: Parameter, found: ParameterReport, at: Value, rated: Sequence[Coverage] = ()
) -> Markup:
    return responses([Curve(name, parameter, found, at, rated)])[name]


def best(mean: float = 4.0, gain: float = 0.8, half: float = 0.3) -> Best:
    return Best(generator="local", point={}, rating=around(mean), gain=around(gain, half), sd=0.1)


RATED = [Coverage(-0.9, 4, 3.0), Coverage(0.3, 12, 3.5)]
ALL = {
    "trend": charts.trend(smooth(steps())),
    "trend of one": charts.trend(smooth(steps(1))),
    "best": charts.best_so_far([BestStep(n, around(3 + n / 100)) for n in (10, 20, 40)]),
    "best of one": charts.best_so_far([BestStep(10, around(3))]),
    "number": response("exposure", EXPOSURE, report(-1, 0, 0.35, 1), 0.35, RATED),
    "number of no ratings": response("exposure", EXPOSURE, report(-1, 0, 0.35, 1), 0.0),
    "log": response("gamma", GAMMA, report(0.1, 1, 10), 1.0, [Coverage(9.8, 3, 3.0), Coverage(0.1, 1, 3.0)]),
    "category": response("style", STYLE, report("natural", "<vivid>"), "<vivid>", [Coverage("natural", 4, 3.0)]),
    "means": charts.means([VersionMean("local", "v1.0.0", 12, around(3.4))]),
    "importance": findings.importance({"exposure": report(0.0), "<b>": report(0.0, importance=0.1)}) or Markup(),
    "importance of many": findings.importance({f"p{number}": report(0.0, importance=0.02) for number in range(40)})
    or Markup(),
    "pairs": findings.pairs([PairReport(parameters=("exposure", "<b>"), importance=0.08)]) or Markup(),
    "effects": findings.effects([("a&b@example.org", RaterEffect(rater="1", ratings=3, effect=around(-0.4)))]),
    "many effects": findings.effects(
        [(f"r{n}", RaterEffect(rater="r", ratings=n, effect=around(1 - n / 9))) for n in range(30)]
    ),
    "groups": findings.groups("Versions", "Version", [("v1", GroupEffect(name="1", ratings=3, effect=around(0.1)))]),
    "variance": findings.variance(VarianceParts(setting=0.4, rater=0.2, item=0.1, luck=0.001, noise=0.5)) or Markup(),
    "variance of some": findings.variance(VarianceParts(setting=0.4, rater=None, item=0.1, luck=None, noise=0.5))
    or Markup(),
    "variance of nothing": findings.variance(VarianceParts(setting=0, rater=0, item=0, luck=0, noise=0)) or Markup(),
    "verdict": findings.best_rating(best(), 4.5),
    "verdict at the end of the scale": findings.best_rating(best(4.98, 4.2), 5.0),
    "verdict of a default": findings.best_rating(best(gain=0, half=0)),
    "left": findings.convergence([BestStep(n, around(4), 2 / n, n / 50) for n in (10, 20, 40)]) or Markup(),
    "left of one": findings.convergence([BestStep(10, around(4), 0.0, 1.0)]) or Markup(),
    "histogram": charts.histogram({1: 0, 2: 1, 3: 4, 4: 2, 5: 0}),
    "empty histogram": charts.histogram({}),
    "coverage": coverage_map(
        {"exposure": EXPOSURE, "gamma": GAMMA, "style": STYLE},
        {
            "exposure": RATED,
            "gamma": [Coverage(9.8, 3, 3.0), Coverage(0.1, 1, 3.0)],
            "style": [Coverage("<vivid>", 4, 3.0)],
        },
    )
    or Markup(),
}


def parts(chart: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(chart))  # fails where anything is left unescaped or unclosed


@pytest.mark.parametrize("name", ALL)
def test_every_chart_is_an_image_with_words_and_a_table(name: str) -> None:
    figure = parts(ALL[name])
    svg = figure.find("svg")
    assert svg is not None
    assert svg.attrib["role"] == "img"
    assert svg.findtext("title")
    assert svg.findtext("desc") is not None
    assert figure.findtext("details/summary") == "Show table"
    columns = len(figure.findall("details/div/table/thead/tr/th"))
    rows = figure.findall("details/div/table/tbody/tr")
    assert rows
    assert all(len(row) == columns for row in rows)
    assert "style=" not in ALL[name]
    assert "nan" not in ALL[name]


@pytest.mark.parametrize("name", ALL)
def test_every_shape_lies_on_the_drawing(name: str) -> None:
    svg = parts(ALL[name]).find("svg")
    assert svg is not None
    tall = float(svg.attrib["viewBox"].split()[3])
    for shape in svg.iter():
        for key, bound in (("x", WIDTH), ("cx", WIDTH), ("x2", WIDTH), ("y", tall), ("cy", tall), ("y2", tall)):
            assert -0.1 <= float(shape.attrib.get(key, 0)) <= bound + 0.1
        for x, y in re.findall(r"([\d.-]+) ([\d.-]+)", shape.attrib.get("d", "")):
            assert 0 <= float(x) <= WIDTH
            assert 0 <= float(y) <= HEIGHT


def test_names_are_escaped_once() -> None:
    assert "&lt;vivid&gt;" in ALL["category"]
    assert "&amp;lt;" not in ALL["category"]
    assert "★ &lt;vivid&gt;" in ALL["category"]


def test_the_table_holds_what_the_curve_draws() -> None:
    cells = [cell.text for cell in parts(ALL["number"]).findall("details/div/table/tbody/tr/td")]
    assert cells[:5] == ["-1", "3", "2.8", "3.2", "4"]
    assert "best 0.35" in ALL["number"]
    assert "default 0" in ALL["number"]
    assert "best, as by default: 0" in ALL["number of no ratings"]


def test_ratings_are_told_at_the_value_of_the_curve_that_they_are_nearest_to() -> None:
    rows = parts(ALL["number"]).findall("details/div/table/tbody/tr")
    assert [row[-1].text for row in rows] == ["4", "0", "12", "0"]


def test_curves_share_one_scale_so_that_what_is_flat_looks_flat() -> None:
    flat, steep = report(-1, 1), report(*(number / 10 for number in range(-10, 11)))
    drawn = responses([Curve("flat", EXPOSURE, flat, -1), Curve("steep", EXPOSURE, steep, 1)])
    labels = [
        {text.text for text in parts(chart).iter("text") if text.text in ("1", "2", "3", "4")}
        for chart in drawn.values()
    ]
    assert labels[0] == labels[1]


def test_a_list_of_hundreds_is_cut_and_says_so() -> None:
    drawn = findings.effects(
        [(f"rater {n}", RaterEffect(rater=str(n), ratings=n, effect=around(0))) for n in range(500)]
    )
    assert len(parts(drawn).findall("details/div/table/tbody/tr")) == 60
    assert "and 48 more in the table, of 500" in drawn
    assert parts(drawn).findtext("details/p") == "The first 60 of 500 rows."


def test_a_line_of_thousands_of_steps_is_drawn_through_few_with_both_ends() -> None:
    many = [BestStep(n, around(3 + n / 5000), gain_left=1 - n / 5000, near_best=n / 5000) for n in range(1, 5001)]
    for drawn in (charts.best_so_far(many), findings.convergence(many)):
        assert drawn is not None
        lines = [one.get("d", "").count("L") for one in parts(drawn).iter("path") if one.get("class") == "line"]
        assert lines
        assert set(lines) == {119}
        assert len(drawn) < 30_000
    assert list(thinned(range(10), 4)) == [0, 3, 6, 9]


def test_a_long_list_goes_on_in_the_table() -> None:
    figure = parts(ALL["importance of many"])
    assert "and 28 more in the table" in ALL["importance of many"]
    assert len(figure.findall("details/div/table/tbody/tr")) == 40


def test_pairs_that_do_nothing_are_not_drawn() -> None:
    assert findings.pairs([PairReport(parameters=("a", "b"), importance=0.004)]) is None


def test_what_is_left_is_not_drawn_before_it_is_known() -> None:
    assert findings.convergence([BestStep(10, around(3))]) is None
    assert findings.convergence([]) is None


def test_the_parts_of_the_variance_fill_the_bar() -> None:
    svg = parts(ALL["variance"]).find("svg")
    assert svg is not None
    wide = [float(shape.attrib["width"]) for shape in svg.iter("rect") if float(shape.attrib["height"]) > 20]
    assert len(wide) == 5
    assert sum(wide) == pytest.approx(WIDTH - 2 * 5, abs=3)
    assert "33 %" in ALL["variance"]
    assert "&lt; 1 %" in ALL["variance"]


def test_an_expectation_tells_its_numbers_to_those_who_do_not_see_it() -> None:
    drawn = parts(findings.expected(around(3.4, 2), 4.0))
    assert drawn.findtext("title") == "Expected 3.4 stars, between 1.4 and 5.4; the best known then: 4.0"
    assert all(0 <= float(shape.attrib.get("x2", 0)) <= WIDTH for shape in drawn)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, (0, 0.5, 1)),
        (-1, 1, (-1, -0.5, 0, 0.5, 1)),
        (0, 7, (0, 2, 4, 6)),
        (3, 3, (3,)),
        (97, 523, (200, 400)),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: tuple[float, ...]) -> None:
    assert Scale(low, high, 0, 100).ticks() == pytest.approx(ticks)


def test_ticks_of_a_log_scale_are_round_too() -> None:
    scale = Scale(0.1, 10, 0, 100, log=True)
    assert scale.ticks() == pytest.approx((0.1, 0.2, 0.5, 1, 2, 5, 10))
    assert scale(1) == pytest.approx(50)


@pytest.mark.parametrize(
    ("span", "labels"),
    [
        (timedelta(0), ["09:00"]),
        (timedelta(minutes=8), ["09:00", "09:02", "09:04", "09:06", "09:08"]),
        (timedelta(hours=7), ["10:00", "12:00", "14:00", "16:00"]),
        (timedelta(days=3), ["2 Mar", "3 Mar", "4 Mar"]),
    ],
)
def test_times_are_marked_at_round_moments(span: timedelta, labels: list[str]) -> None:
    assert [label for _, label in time_ticks(START, START + span)] == labels


def test_a_harsh_rater_does_not_make_a_version_look_worse() -> None:
    harsh, kind = Sums(10, 20, 44), Sums(10, 40, 164)  # means 2 and 4, each on one half of both versions
    groups = [("a", "harsh", harsh), ("b", "kind", kind), ("b", "harsh", Sums(1, 2, 4)), ("a", "kind", Sums(1, 4, 16))]
    levelled = level_raters(groups)
    assert levelled["a"].mean == pytest.approx(3)
    assert levelled["b"].mean == pytest.approx(3)


def test_pieces_of_a_range_hold_every_rating_once() -> None:
    found = pieces(EXPOSURE, [Coverage(-1.0, 4, 3.0), Coverage(1.0, 2, 5.0), Coverage(0.99, 2, 4.0)])
    assert len(found) == PIECES
    assert [(piece.ratings, piece.mean) for piece in found if piece.ratings] == [(4, 3.0), (4, 4.5)]
    assert (found[0].name, found[-1].name) == ("-1 to -0.833", "0.833 to 1")
    assert pieces(GAMMA, [Coverage(1.2, 3, 3.0)])[PIECES // 2].ratings == 3


def test_a_map_of_ratings_says_what_was_never_tried() -> None:
    assert "Not rated yet: exposure: 10 of 12 parts; gamma: 10 of 12 parts; style: 1 of 2 parts." in ALL["coverage"]
    assert coverage_map({"exposure": EXPOSURE}, {}) is None


def test_the_interval_of_a_mean_is_students() -> None:
    found = mean_interval(Sums(4, 12, 40))  # 2, 2, 4, 4: sample variance 4/3, t(3) = 3.182
    assert found.mean == pytest.approx(3)
    assert found.high - found.mean == pytest.approx(3.182 * (4 / 3 / 4) ** 0.5, rel=1e-3)
    assert mean_interval(Sums(1, 4, 16)) == Interval(mean=4, low=1, high=5)


def test_the_trend_follows_slowly_and_knows_more_with_more_ratings() -> None:
    level = [(START + timedelta(days=day), Sums(10, 20, 50)) for day in range(20)]
    jump = [(START + timedelta(days=20), Sums(10, 40, 170))]
    trend = smooth(level + jump)
    assert trend[19].smooth.mean == pytest.approx(2)
    assert 2.3 < trend[20].smooth.mean < 3
    assert trend[10].smooth.high - trend[10].smooth.low < trend[0].smooth.high - trend[0].smooth.low
