"""`enhance IN OUT --watch`: every photo once, whole, with the version that is live, whatever is killed meanwhile."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import pytest

from client.palate_client import PalateClient
from ml_service.errors import Conflict, Unavailable
from ml_service.wire.contract import ParameterSpace
from tests.client.palate import KEY, Palate, as_bytes, document, speaking, until
from tests.world import photo
from web.__main__ import main
from web.adapters.generators.local import LocalGenerator
from web.adapters.images.cleaner import Cleaner
from web.cli.prompts.journal import Journal
from web.cli.prompts.watch import Watcher, output_name
from web.ports.making import Generated, GenerateRequest
from web.settings import Settings

ROOT = Path(__file__).parents[2]


def version(name: str = "v1.0.0", **parameters: Any) -> bytes:
    return as_bytes(document(name, parameter_defaults={"local": parameters}))


def entries(out: Path) -> list[dict[str, Any]]:
    log = out / "palate.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


class Folders:
    """A folder of photos, one of results, and one where versions are published."""

    def __init__(self, root: Path) -> None:
        self.source, self.out, self.prompts = root / "in", root / "out", root / "prompts"
        self.source.mkdir()
        (self.prompts / "versions").mkdir(parents=True)
        self.publish(version())

    def publish(self, body: bytes) -> None:
        """Make a version live."""
        draft = self.prompts / "draft"
        draft.write_bytes(body)
        draft.replace(self.prompts / "versions" / "current.json")

    def add(self, name: str, body: bytes) -> None:
        """Put a photo in."""
        (self.source / name).write_bytes(body)

    def done(self) -> list[tuple[str, str, str]]:
        """Return what became of which photo with which version."""
        return [(entry["input"], entry["outcome"], entry["version"]) for entry in entries(self.out)]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


class Breaking(LocalGenerator):
    """A generator that counts what it makes, and breaks where it is told to."""

    def __init__(self) -> None:
        super().__init__(max_side=None)
        self.made = 0
        self.before: Callable[[], None] = lambda: None

    def space(self) -> ParameterSpace:
        return super().space()

    def generate(self, request: GenerateRequest) -> Generated:
        self.before()
        self.made += 1
        return super().generate(request)


class Bench:
    """A watcher in this process, looking when it is told to."""

    def __init__(self, folders: Folders, source: str | Path, *, again: bool = False) -> None:
        self.folders, self.said, self.generator = folders, list[str](), Breaking()
        self.client = PalateClient(source, KEY, ttl=0)
        self.journal = Journal(folders.out)
        self.watcher = Watcher(
            self.client,
            Cleaner(),
            self.generator,
            folders.source,
            self.journal,
            lambda words, _: self.said.append(words),
            again,
        )

    def look(self, times: int = 2) -> None:
        """Look at the folder; a photo is taken at the second look at the earliest."""
        for _ in range(times):
            self.once()

    def once(self) -> None:
        """Look once, as the loop does."""
        stop = threading.Event()
        for path in self.watcher._settled():
            self.watcher._attend(path, stop)


@pytest.fixture
def bench(folders: Folders) -> Iterator[Callable[..., Bench]]:
    with ExitStack() as stack:

        def make(source: str | Path = folders.prompts, **more: bool) -> Bench:
            stack.close()
            made = Bench(folders, source, **more)
            stack.enter_context(made.journal)
            return made

        yield make


def test_a_photo_is_enhanced_once_and_again_only_when_it_changes(folders: Folders, bench: Callable[..., Bench]) -> None:
    one = bench()
    folders.add("a.jpg", photo(1))
    one.look(5)
    folders.publish(version("v1.1.0", exposure=0.5))
    one.look(3)
    assert folders.done() == [("a.jpg", "enhanced", "v1.0.0")]
    two = bench()
    two.look(3)
    assert two.generator.made == 0
    folders.add("a.jpg", photo(2))
    two.look(3)
    assert folders.done()[1:] == [("a.jpg", "enhanced", "v1.1.0")]


def test_the_log_says_what_was_made_with_what(folders: Folders, bench: Callable[..., Bench]) -> None:
    folders.publish(version("v1.1.0", exposure=0.5, style="film"))
    folders.add("a.png", photo(1))
    made = bench()
    made.look()
    [entry] = entries(folders.out)
    assert (entry["output"], entry["prompt_key"], entry["version"]) == ("a.png.jpg", "photo-enhance", "v1.1.0")
    assert entry["sha256"] == made.client.version.sha256
    assert entry["parameters"] == {**LocalGenerator().space().default(), "exposure": 0.5, "style": "film"}
    assert made.said == ["v1.1.0: a.png became a.png.jpg"]
    assert (folders.out / "a.png.jpg").read_bytes()[-2:] == b"\xff\xd9"
    assert str(folders.source) not in (folders.out / "palate.jsonl").read_text()


def test_with_again_everything_is_done_again_with_each_new_version(
    folders: Folders, bench: Callable[..., Bench]
) -> None:
    one = bench(again=True)
    folders.add("a.jpg", photo(1))
    one.look(3)
    before = (folders.out / "a.jpg").read_bytes()
    folders.publish(version("v1.1.0", exposure=1))
    two = bench(again=True)
    two.look(4)
    assert folders.done() == [("a.jpg", "enhanced", "v1.0.0"), ("a.jpg", "enhanced", "v1.1.0")]
    assert (folders.out / "a.jpg").read_bytes() != before


def test_a_file_that_is_still_being_written_is_left_until_it_rests(
    folders: Folders, bench: Callable[..., Bench]
) -> None:
    one, whole = bench(), photo(1, 200)
    for end in range(1000, len(whole), 1000):
        folders.add("a.jpg", whole[:end])
        one.once()
    folders.add("a.jpg", whole)
    one.look()
    assert folders.done() == [("a.jpg", "enhanced", "v1.0.0")]


def test_a_photo_that_is_cut_off_is_refused_and_taken_once_it_is_whole(
    folders: Folders, bench: Callable[..., Bench]
) -> None:
    one, whole = bench(), photo(1, 200)
    folders.add("a.jpg", whole[:4000])
    one.look(4)
    folders.add("a.jpg", whole)
    one.look()
    assert [outcome for _, outcome, _ in folders.done()] == ["refused", "enhanced"]


def test_each_photo_gets_the_version_of_its_moment(folders: Folders, bench: Callable[..., Bench]) -> None:
    one, names = bench(), iter(["v1.1.0", "v1.2.0", "v1.3.0"])
    for name in "abc":
        folders.add(f"{name}.jpg", photo(ord(name)))
        os.utime(folders.source / f"{name}.jpg", (ord(name), ord(name)))
    one.generator.before = lambda: folders.publish(version(next(names)))
    one.look()
    assert folders.done() == [(f"{n}.jpg", "enhanced", f"v1.{i}.0") for i, n in enumerate("abc")]


def test_only_files_of_the_folder_itself_are_photos(
    folders: Folders, bench: Callable[..., Bench], tmp_path: Path
) -> None:
    (tmp_path / "elsewhere.jpg").write_bytes(photo(1))
    (folders.source / "link.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    (folders.source / "folder.jpg").mkdir()
    os.mkfifo(folders.source / "pipe.jpg")
    for name in (".hidden.jpg", "a.jpg.part", "notes.txt"):
        folders.add(name, photo(2))
    one = bench()
    one.look(3)
    assert (folders.done(), one.said) == ([], [])


def test_what_is_no_photo_is_refused_once_and_is_not_the_versions_fault(
    folders: Folders, bench: Callable[..., Bench]
) -> None:
    folders.add("a.jpg", b"no photo")
    folders.add("b.jpg", b"\xff\xd8" + bytes(30_000_000))
    with speaking() as palate:
        palate.live = version()
        one = bench(palate.url)
        one.look(3)
        palate.live = version("v1.1.0")
        one.look(3)
        assert one.client.flush() == 0
        assert palate.reports == []
    assert sorted(folders.done()) == [("a.jpg", "refused", "v1.0.0"), ("b.jpg", "refused", "v1.0.0")]
    assert "30 MB" in entries(folders.out)[1]["error"] + entries(folders.out)[0]["error"]


@pytest.mark.parametrize("place", ["the cleaner", "the generator"])
def test_a_photo_waits_while_the_machine_has_no_time_and_nothing_is_said_against_it(
    folders: Folders, bench: Callable[..., Bench], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> NoReturn:
        raise Unavailable("The machine is too busy; try again.")

    folders.add("a.jpg", photo(1))
    with speaking() as palate:
        palate.live = version()
        one = bench(palate.url)
        if place == "the generator":
            one.generator.before = busy
        with monkeypatch.context() as hindered:
            if place == "the cleaner":
                hindered.setattr(Cleaner, "clean", busy)
            one.look(3)
        assert (folders.done(), one.said) == ([], ["a.jpg waits: The machine is too busy; try again."])
        one.generator.before = lambda: None
        one.look()
        assert one.client.flush() == 0
        assert palate.reports == []
    assert folders.done() == [("a.jpg", "enhanced", "v1.0.0")]


def test_a_version_that_cannot_be_used_is_reported_and_its_photos_wait_for_the_next(
    folders: Folders, bench: Callable[..., Bench]
) -> None:
    folders.add("a.jpg", photo(1))
    with speaking() as palate:
        palate.live = version("v1.1.0", exposure=99)
        one = bench(palate.url)
        one.look(4)
        palate.live = as_bytes(document("v1.2.0", components={"leonardo": {"prompt": "x"}}))
        one.look(3)
        palate.live = version("v1.3.0")
        one.look(3)
        until("the reports", lambda: one.client.flush() == 0)
    assert folders.done() == [
        ("a.jpg", "failed", "v1.1.0"),
        ("a.jpg", "failed", "v1.2.0"),
        ("a.jpg", "enhanced", "v1.3.0"),
    ]
    told = [(report["version"], report["failure"]) for report in palate.reports]
    assert told == [("v1.1.0", "invalid-request"), ("v1.2.0", "no-prompt")]
    assert "exposure = 99" in palate.reports[0]["comment"]
    assert "a.jpg" not in json.dumps(palate.reports)


def test_without_any_version_it_waits_and_says_so_once(folders: Folders, bench: Callable[..., Bench]) -> None:
    live = folders.prompts / "versions" / "current.json"
    live.rename(folders.prompts / "away.json")
    folders.add("a.jpg", photo(1))
    one = bench()
    one.look(4)
    assert len(one.said) == 1
    assert "There is no current version" in one.said[0]
    (folders.prompts / "away.json").rename(live)

    def looked() -> bool:
        one.look()
        return folders.done() == [("a.jpg", "enhanced", "v1.0.0")]

    until("the photo", looked)


def test_a_folder_that_is_away_is_said_once_and_watched_again(folders: Folders, bench: Callable[..., Bench]) -> None:
    one = bench()
    folders.source.rename(folders.source.with_name("away"))
    one.look(3)
    assert [words.endswith("cannot be read: No such file or directory.") for words in one.said] == [True]
    folders.source.with_name("away").rename(folders.source)
    folders.add("a.jpg", photo(1))
    one.look()
    assert folders.done() == [("a.jpg", "enhanced", "v1.0.0")]


def test_two_photos_never_share_a_result(folders: Folders, bench: Callable[..., Bench]) -> None:
    assert [output_name(name) for name in ("a.jpg", "A.JPG", "a.jpeg", "a.png", "a.b.webp")] == [
        "a.jpg",
        "A.JPG",
        "a.jpeg",
        "a.png.jpg",
        "a.b.webp.jpg",
    ]
    folders.add("a.png", photo(1))
    one = bench()
    one.look()
    folders.add("a.png.jpg", photo(2))
    one.look(3)
    assert folders.done() == [("a.png", "enhanced", "v1.0.0"), ("a.png.jpg", "refused", "v1.0.0")]


def test_a_log_that_was_cut_off_or_scribbled_in_is_read_as_far_as_it_is_whole(
    folders: Folders, bench: Callable[..., Bench]
) -> None:
    for name in ("a.jpg", "b.jpg"):
        folders.add(name, photo(ord(name[0])))
    bench().look()
    log = folders.out / "palate.jsonl"
    whole = log.read_bytes()
    log.write_bytes(b"\xff{}\nnull\n" + whole[:-30])
    (folders.out / ".new-abc").write_bytes(b"half")
    again = bench()
    assert not (folders.out / ".new-abc").exists()
    again.look()
    assert again.generator.made == 1
    lines = log.read_bytes().splitlines()
    assert len(lines) == 5
    assert {json.loads(line)["input"] for line in (lines[2], lines[4])} == {"a.jpg", "b.jpg"}


def test_only_one_watches_for_a_folder_of_results(folders: Folders, bench: Callable[..., Bench]) -> None:
    bench()
    with pytest.raises(Conflict, match="Another"):
        Journal(folders.out)


@pytest.fixture
def environment(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("PROMPTS_DIR", str(folders.prompts))
    monkeypatch.setenv("DATA_DIR", str(folders.out.parent / "data"))
    return dict(os.environ)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["in", "out", "--again"], "go with --watch"),
        (["in", "out", "--from", "https://palate.example.org"], "go with --watch"),
        (["in", "in", "--watch"], "two folders"),
        (["nowhere", "out", "--watch"], "There is no folder"),
        (["in", "out", "--watch", "--study", "Photos"], "leave --study"),
        (["in", "out", "--watch", "--from", "http://palate.example.org"], "use https"),
        (["in", "out", "--watch", "--prompt-key", "../x"], "prompt key"),
    ],
)
def test_misuse_is_said(
    folders: Folders,
    environment: dict[str, str],
    words: list[str],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folders.source.parent)
    assert main(["enhance", *words]) == 1
    assert complaint in capsys.readouterr().err
    assert not folders.out.exists()


class Running:
    """The command as a process of its own."""

    def __init__(self, folders: Folders, environment: dict[str, str], *words: str) -> None:
        self.log = folders.out.parent / "said"
        command = [sys.executable, "-m", "web", "enhance", str(folders.source), str(folders.out), "--watch", *words]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--every", "0.1"], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def ends(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        os.killpg(self.process.pid, number)
        return self.process.wait(60)

    def said(self) -> str:
        """Return what it said so far."""
        return self.log.read_text()


def whole_jpegs(out: Path) -> int:
    """Count the results, each of which must be whole at any time."""
    found = [path.read_bytes() for path in out.glob("*.jpg")]
    assert all(body[:2] == b"\xff\xd8" and body[-2:] == b"\xff\xd9" for body in found)
    return len(found)


def test_killed_at_any_time_it_goes_on_where_it_was(folders: Folders, environment: dict[str, str]) -> None:
    for seed in range(12):
        folders.add(f"{seed:02}.jpg", photo(seed, 700))
    running = Running(folders, environment)
    until("some results", lambda: whole_jpegs(folders.out) >= 4, 60)
    assert running.ends(signal.SIGKILL) == -signal.SIGKILL
    assert whole_jpegs(folders.out) < 12
    folders.publish(version("v1.1.0"))
    running = Running(folders, environment)
    until("all results", lambda: len({entry["input"] for entry in entries(folders.out)}) == 12, 60)
    folders.add("late.png", photo(99))
    until("the late one", lambda: (folders.out / "late.png.jpg").exists(), 60)
    assert running.ends(signal.SIGTERM) == 0
    assert whole_jpegs(folders.out) == 13
    done = folders.done()
    assert len(done) == len({name for name, _, _ in done}) == 13, "no photo is logged twice"
    assert {(outcome, name) for _, outcome, name in done} == {("enhanced", "v1.0.0"), ("enhanced", "v1.1.0")}
    assert running.said().endswith("enhanced.\n")


def test_from_a_server_it_goes_on_through_an_outage_and_a_restart(
    folders: Folders, environment: dict[str, str], palate: Palate
) -> None:
    palate.live = version("v1.5.0", exposure=0.25)
    words = ["--from", palate.url, "--json"]
    given = {**environment, "PALATE_KEY": KEY}
    folders.add("a.jpg", photo(1))
    running = Running(folders, given, *words)
    until("a result", lambda: folders.done() == [("a.jpg", "enhanced", "v1.5.0")], 60)
    assert running.ends(signal.SIGINT) == 0
    palate.fault = lambda at: at.answer(503, b"")
    folders.add("b.jpg", photo(2))
    running = Running(folders, given, *words)
    until("another result", lambda: len(folders.done()) == 2, 60)
    assert running.ends(signal.SIGINT) == 0
    assert folders.done()[1] == ("b.jpg", "enhanced", "v1.5.0")
    assert palate.asked[0].key == f"Bearer {KEY}"
    said = running.said()
    assert KEY not in said + (folders.out / "palate.jsonl").read_text()
    facts = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert facts[-1] == {"enhanced": 1, "unsent": 0}
    assert [fact["output"] for fact in facts if "output" in fact] == ["a.jpg", "b.jpg"]
