"""What commands say where something is wrong: one sentence that helps, and the same way of naming a study."""

from argparse import ArgumentParser
from pathlib import Path

import pytest

from tests.unit.cli.conftest import SPACE, Run
from tests.world import photo
from web.cli.command import every
from web.cli.commands import COMMANDS
from web.domain.studies.study import Study
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.studies.studies import StudyDraft, make_study


@pytest.fixture(autouse=True)
def photo_here(here: Parts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder that has a folder of one photo."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.jpg").write_bytes(photo(1))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("rollback",), "There is no earlier version to go back to."),
        (("restore", "nowhere.zip"), "There is no file nowhere.zip."),
        (("user", "off", "nobody@example.org"), "Nobody here has the address nobody@example.org."),
        (("abtests", "show", "X"), "There is no A/B test X."),
    ],
)
def test_what_cannot_be_done_is_said_and_no_more(
    run: Run, study: Study, words: tuple[str, ...], complaint: str
) -> None:
    assert run(*words) == (1, "", f"{complaint}\n")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("work", "--threads", "0"), "argument --threads: 0 is not a whole number of at least 1"),
        (("serve", "--port", "99999"), "argument --port: 99999 is not a whole number from 0 to 65535"),
        (("simulate", "--raters", "many"), "argument --raters: many is not a whole number of at least 1"),
        (("simulate", "--seed", "-1"), "argument --seed: -1 is not a whole number of at least 0"),
        (("simulate", "--noise", "nan"), "argument --noise: nan is not a number of at least 0"),
        (("enhance", "in", "out", "--every", "0"), "argument --every: 0 is not a number of at least 0.01"),
        (("enhance", "in"), "the following arguments are required: OUT"),
    ],
)
def test_misuse_is_one_line_that_names_the_help(run: Run, words: tuple[str, ...], complaint: str) -> None:
    assert run(*words) == (2, "", f"{complaint}; see `python -m web {words[0]} --help`.\n")


def test_a_place_that_cannot_be_written_is_named(run: Run, study: Study, tmp_path: Path) -> None:
    complaint = f"{tmp_path}/in/1.jpg/x.jpg cannot be used: Not a directory.\n"
    assert run("enhance", "in/1.jpg", "in/1.jpg/x.jpg") == (1, "", complaint)


def test_a_folder_of_data_that_cannot_be_made_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", "in/1.jpg")
    assert run("user", "list") == (1, "", "in/1.jpg cannot be used: File exists.\n")


def test_every_command_that_names_a_study_takes_it_as_study() -> None:
    other = set()
    for words, command in every(COMMANDS):
        parser = ArgumentParser(add_help=False)
        command.body().arguments(parser)
        told = " ".join(f"{action.metavar} {action.help}" for action in parser._actions).lower()
        if "study" in told and "--study" not in parser._option_string_actions:
            other.add(words)
    assert other == set()


NAMING = [
    ("abtests", "list"),
    ("abtests", "open", "v1.0.0"),
    ("enhance", "in", "out"),
    ("evolve",),
    ("export", "out.zip"),
    ("import", "in"),
    ("promote", "--best"),
    ("promote", "v1.0.0"),
    ("rollback",),
    ("simulate",),
]


@pytest.mark.parametrize("words", NAMING, ids=" ".join)
def test_a_study_that_is_not_there_is_said_with_those_that_are(run: Run, study: Study, words: tuple[str, ...]) -> None:
    code, said, complained = run(*words, "--study", "Nobody's")
    assert (code, said, complained) == (1, "", "There is no study Nobody's. There are: Photos.\n")


def test_a_study_is_named_by_id_or_name(run: Run, study: Study) -> None:
    for name in (study.id, "Photos"):
        assert run("enhance", "in/1.jpg", "out.jpg", "--study", name)[0] == 0
        assert "6 rows" in run("export", "out.zip", "--study", name)[1]
        assert run("promote", "v1.0.0", "--study", name)[0] == 0
        assert "no best settings yet" in run("promote", "--best", "--study", name)[2]
        assert run("evolve", "--cost", "--study", name)[0] == 0


def test_tests_are_listed_of_one_study(run: Run, here: Parts, study: Study) -> None:
    make_study(here, accounts.operator(here), StudyDraft("Other", {"local": SPACE}))
    assert run("abtests", "list", "--study", "Other")[:2] == (0, "")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("export", "Photos", "out.zip", "--study", "Other"), "Name one study"),
        (("promote", "--best", "Photos", "--study", "Other"), "Name one study"),
        (("promote", "v1.0.0", "--study", "Photos", "--key", "other"), "either by --key or by its --study"),
        (("promote", "--best"), "Name the study"),
        (("evolve",), "Name the study"),
        (("export", "out.zip", "--project", "--study", "Photos"), "--project for all"),
    ],
)
def test_a_study_is_named_once(run: Run, study: Study, words: tuple[str, ...], complaint: str) -> None:
    code, said, complained = run(*words)
    assert (code, said, complaint in complained) == (1, "", True)
