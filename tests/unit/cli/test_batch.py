"""Commands that take a whole folder: past a bad photo, patient with a busy machine, and honest about both."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_service.errors import ServiceError, StorageFull, Unavailable
from tests.unit.cli.conftest import Run
from tests.world import photo
from web.adapters.images.cleaner import Cleaner
from web.cli.batch import GIVE_UP, TRIES
from web.domain.studies.study import Study
from web.ports.making import CleanImage

BUSY = Unavailable("The machine is too busy; try again.")
PHOTOS = 4
Hinder = Callable[[Callable[[int], ServiceError | None]], None]


@pytest.fixture(autouse=True)
def folder(study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of four photos beside an installation with a study."""
    folder = tmp_path / "in"
    folder.mkdir()
    for seed in range(PHOTOS):
        (folder / f"{seed}.jpg").write_bytes(photo(seed))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def hinder(monkeypatch: pytest.MonkeyPatch) -> Hinder:
    """Let the cleaner fail at its nth call as a function says; whoever waits does so at once."""
    monkeypatch.setattr("web.cli.batch.time.sleep", lambda _: None)
    clean, calls = Cleaner.clean, iter(range(1000))

    def hinder(trouble: Callable[[int], ServiceError | None]) -> None:
        def hindered(cleaner: Cleaner, body: bytes) -> CleanImage:
            if error := trouble(next(calls)):
                raise error
            return clean(cleaner, body)

        monkeypatch.setattr(Cleaner, "clean", hindered)

    return hinder


def results() -> list[str]:
    return sorted(path.name for path in Path("out").glob("*"))


def test_a_bad_photo_is_named_and_the_others_are_enhanced(run: Run, folder: Path) -> None:
    (folder / "1.jpg").write_bytes(b"no photo")
    (folder / "2.jpg").write_bytes(b"")
    (folder / "folder.jpg").mkdir()
    code, said, complained = run("enhance", "in", "out")
    first, second, summary = said.splitlines()
    assert (code, complained, results()) == (1, "", ["0.jpg", "3.jpg"])
    assert first.startswith("1.jpg: This is no picture")
    assert second == "2.jpg: The file is empty; choose an image."
    assert summary.startswith("2 enhanced with the defaults")
    assert summary.endswith("; 2 refused.")


def test_scripts_are_told_which_photo_was_bad(run: Run, folder: Path) -> None:
    (folder / "2.jpg").write_bytes(b"")
    refused, summary = map(json.loads, run("enhance", "in", "out", "--json")[1].splitlines())
    assert refused["file"] == "2.jpg"
    assert (summary["files"], summary["refused"], summary["left"]) == (3, 1, 0)


def test_a_photo_that_cannot_be_read_is_named_too(run: Run, folder: Path) -> None:
    (folder / "0.jpg").unlink()
    (folder / "0.jpg").symlink_to("/proc/self/mem")  # a file whose first byte no read gets, whoever asks
    code, said, _ = run("enhance", "in", "out")
    assert (code, said.splitlines()[0]) == (1, "0.jpg: in/0.jpg cannot be read: Input/output error.")
    assert results() == ["1.jpg", "2.jpg", "3.jpg"]


def test_one_bad_photo_alone_is_an_error(run: Run, folder: Path) -> None:
    (folder / "1.jpg").write_bytes(b"")
    assert run("enhance", "in/1.jpg", "out.jpg") == (1, "", "The file is empty; choose an image.\n")


@pytest.mark.parametrize("words", [("enhance", "in", "out"), ("import", "in", "--study", "Photos")], ids=" ".join)
def test_a_machine_that_is_busy_for_a_moment_is_asked_again(run: Run, hinder: Hinder, words: tuple[str, ...]) -> None:
    hinder(lambda call: BUSY if call in (1, 2) else None)
    code, said, _ = run(*words)
    assert (code, len(said.splitlines()), said[0]) == (0, 1, str(PHOTOS))


@pytest.mark.parametrize("words", [("enhance", "in", "out"), ("import", "in", "--study", "Photos")], ids=" ".join)
def test_what_there_was_no_time_for_is_left_and_not_refused(run: Run, hinder: Hinder, words: tuple[str, ...]) -> None:
    hinder(lambda call: BUSY if 1 <= call <= TRIES else None)
    code, said, _ = run(*words, "--json")
    left, summary = map(json.loads, said.splitlines())
    assert (code, left) == (1, {"file": "1.jpg", "left": str(BUSY)})
    assert (summary["refused"], summary["left"]) == (0, 1)


@pytest.mark.parametrize("words", [("enhance", "in", "out"), ("import", "in", "--study", "Photos")], ids=" ".join)
def test_a_machine_that_stays_busy_is_left_alone(run: Run, hinder: Hinder, words: tuple[str, ...]) -> None:
    hinder(lambda _: BUSY)
    code, said, _ = run(*words)
    *named, summary = said.splitlines()
    assert (code, len(named)) == (1, GIVE_UP)
    assert f"{PHOTOS} left" in summary
    assert summary.endswith("Run it again for those that are left.")


@pytest.mark.parametrize("words", [("enhance", "in", "out"), ("import", "in", "--study", "Photos")], ids=" ".join)
def test_a_full_disk_ends_it_and_is_said_once(run: Run, hinder: Hinder, words: tuple[str, ...]) -> None:
    hinder(lambda call: StorageFull("The disk is full.") if call else None)
    assert run(*words) == (1, "", "The disk is full.\n")


def test_settings_that_cannot_be_used_are_no_photos_fault(run: Run) -> None:
    code, said, complained = run("enhance", "in", "out", "--point", '{"exposure": 99}')
    assert (code, said, results()) == (1, "", [])
    assert complained == "Nothing can be made with the settings of --point: exposure = 99 is outside its range.\n"


def test_a_folder_goes_into_a_folder(run: Run) -> None:
    Path("out").write_bytes(b"a file")
    assert run("enhance", "in", "out") == (1, "", "out cannot be the folder of the results: File exists.\n")
