"""What is said of raters and scores holds for people: public sets of ratings that they gave."""

import gzip
from pathlib import Path

import numpy as np

from benchmarks.judges import IMAGINED_RATERS, KNOWN_RATERS, Judges, People, truth
from benchmarks.opinion_scores import ORDINAL, OURS, palate
from benchmarks.real_evidence import ALIKE, HALF, evidence, promoted
from benchmarks.real_raters import MEAN, compared, plain_mean, whole
from benchmarks.real_sets import PanelDesign, drawn, given, sets
from web.domain.rating.numbers.panel import panel

REAL = {one.name: one for one in sets()}


def test_a_set_is_read_without_what_was_rated_again(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "few.csv.gz", "wt") as file:
        file.write("item,rater,stars,again\n7,10,4,0\n7,9,2,0\n8,10,5,0\n7,10,1,1\n")
    (tmp_path / "other.csv").write_text("item,rater,stars\na,1,3\n")
    few, other = sets(tmp_path)
    assert (few.name, other.name) == ("few", "other")
    np.testing.assert_array_equal(few.stars, [[2, np.nan], [4, 5]])
    np.testing.assert_array_equal(other.stars, [[3]])


def test_the_truth_of_a_panel_is_what_the_others_say() -> None:
    one = REAL["nflx"]
    found = drawn(one, PanelDesign(8, 3), 1)
    inside = {int(name.split()[1]) for name in found.raters}
    item, mean = next(iter(found.truth.items()))
    outside = [stars for rater, stars in enumerate(one.stars[:, int(item.split()[1])]) if rater not in inside]
    assert len(inside) == 8
    assert np.mean(outside) == mean
    assert all(found.items.count(one) == 3 for one in found.truth)
    assert not set(zip(found.raters, found.items, strict=True)) & {(r, i) for r, i, _ in found.kept_back}


def test_known_outliers_are_flagged_and_no_clean_rater_is() -> None:
    assert whole([REAL["nflx_outliers"], REAL["nflx"], REAL["vqeghd3"]]) == []
    assert whole([REAL["nflx"]]) == []
    assert not REAL["nflx_outliers"].clean[[26, 27, 28, 29]].any()
    assert REAL["nflx"].clean.all()


def test_tests_of_treatments_that_all_like_alike_promote_nothing_and_half_a_star_is_found() -> None:
    assert evidence([REAL["vqeghd3"]], tests=20) == []
    assert np.isfinite(promoted([REAL["vqeghd3"]], 8, HALF, tests=20)).mean() > 0.8
    assert np.isfinite(promoted([REAL["vqeghd3"]], 8, ALIKE, tests=20)).mean() < 0.2


def test_a_rater_whose_own_stars_are_shuffled_is_flagged() -> None:
    one, random = REAL["vqeghd3"], np.random.default_rng(5)
    people, items = np.arange(8), np.arange(one.stars.shape[1])
    assert {found.rater for found in panel(given(one, people, items, random)).raters if found.flags} == set()
    flagged = {found.rater for found in panel(given(one, people, items, random, clicker=3)).raters if found.flags}
    assert flagged == {"rater 3"}


def test_scores_and_the_ordinal_check_are_nearer_to_what_others_say_than_the_mean() -> None:
    table, single = compared([REAL["nflx"]], {OURS: palate, MEAN: plain_mean}, panels=3)
    row = table["nflx", "8 × 3"]
    rmse = {name: np.mean([one.rmse for one in results]) for name, results in row.items()}
    assert rmse[OURS] < rmse[MEAN]
    assert rmse[ORDINAL] < 1.06 * rmse[OURS]
    assert all(one.coverage > 0.9 for one in row[OURS])
    assert np.mean(single[OURS]) < np.mean(single[MEAN])


def given_stars(people: People, way: str, numbers: range) -> list[float]:
    """What one rater gives items that are all alike, each once."""
    careless = () if way == "honest" else (way,)
    judges = Judges(1 + len(careless), careless, np.random.default_rng(2), people)
    return [judges.stars(len(careless), f"item {number}", 3.0, number) for number in numbers]


def test_a_seen_rater_moves_in_a_session_and_repeats_most_of_what_a_picture_made_them_think() -> None:
    judges = Judges(400, (), np.random.default_rng(1), KNOWN_RATERS)
    early, late = ([judges.stars(at, f"{n}", 3.0, n) for at in range(400)] for n in (0, 100))
    assert -0.35 < np.mean(late) - np.mean(early) < -0.1
    again = [judges.stars(at, "0", 3.0, 0) for at in range(400)]
    assert np.mean(np.abs(np.array(again) - np.array(early)) > 1) < 0.05
    imagined = Judges(400, (), np.random.default_rng(1), IMAGINED_RATERS)
    early, late = ([imagined.stars(at, f"{n}", 3.0, n) for at in range(400)] for n in (0, 100))
    assert abs(np.mean(late) - np.mean(early)) < 0.1


def test_clickers_take_their_stars_from_other_pictures() -> None:
    assert np.std(given_stars(KNOWN_RATERS, "honest", range(200))) < np.std(
        given_stars(KNOWN_RATERS, "shuffled", range(200))
    )
    stars, counts = np.unique(given_stars(KNOWN_RATERS, "habitual", range(400)), return_counts=True)
    assert 0.55 < counts.max() / 400 < 0.8
    assert len(stars) > 2


def test_the_truth_is_what_many_raters_give_on_average() -> None:
    judges = Judges(2000, (), np.random.default_rng(3), KNOWN_RATERS)
    mean = np.mean([judges.stars(at, "one", 3.8, 50) for at in range(2000)])
    assert abs(mean - truth(np.array([3.8]))[0]) < 0.08
