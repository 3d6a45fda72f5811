"""Results of long benchmarks are played once by each form of the code, and kept where they belong."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks import games, runs
from benchmarks.digests import digest, of_raters
from benchmarks.kept import OWN, PLAYED, Shelf


@dataclass(frozen=True)
class Run:
    """Something to be played."""

    player: str


@dataclass(frozen=True)
class Played:
    """What came of it."""

    run: Run
    code: str
    letters: int


def play(run: Run) -> Played:
    with Path("played.log").open("a") as log:
        log.write(f"{run.player}\n")
    return Played(run, Path("code").read_text(), len(run.player))


def parse(kept: Mapping[str, Any]) -> Played:
    return Played(**{**kept, "run": Run(**kept["run"])})


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf[Run, Played]:
    monkeypatch.chdir(tmp_path)
    Path("code").write_text("one")
    return Shelf("runs", play, parse, lambda _: Path("code").read_text(), is_slow=lambda run: run.player == "peer")


Log = Callable[[], list[str]]


@pytest.fixture
def log() -> Log:
    """Return who played, in any order."""
    return lambda: sorted(Path("played.log").read_text().split())


def test_a_run_is_played_once_and_kept(shelf: Shelf[Run, Played], log: Log) -> None:
    runs = [Run("us"), Run("peer"), Run("us")]
    first = set(shelf.results(runs, jobs=2))
    assert first == {Played(Run("us"), "one", 2), Played(Run("peer"), "one", 4)}
    assert set(shelf.results(runs, jobs=2)) == first == set(shelf.kept(runs))
    assert log() == ["peer", "us"]


def test_slow_peers_are_kept_with_the_repository(shelf: Shelf[Run, Played]) -> None:
    list(shelf.results([Run("us"), Run("peer")], jobs=1))
    kept = {folder: json.loads((folder / "runs.jsonl").read_text())["run"]["player"] for folder in (PLAYED, OWN)}
    assert kept == {PLAYED: "peer", OWN: "us"}


def test_other_code_plays_anew(shelf: Shelf[Run, Played], log: Log) -> None:
    list(shelf.results([Run("us")], jobs=1))
    Path("code").write_text("two")
    assert shelf.kept([Run("us")]) == []
    assert [one.code for one in shelf.results([Run("us")], jobs=1)] == ["two"]
    assert log() == ["us", "us"]
    Path("code").write_text("one")
    assert [one.code for one in shelf.kept([Run("us")])] == ["one"]


def test_a_digest_tells_what_code_does_not_where_it_lies_or_whom_it_imports(tmp_path: Path) -> None:
    code = {
        "first": "import os\n\nfrom a.b import (\n    c,\n)\n\nX = c(1)\n",
        "moved": "from a.d.b import c\nfrom a import e\n\n\nX = c(1)\n",
        "other": "from a.d.b import c\n\nX = c(2)\n",
    }
    for name, text in code.items():
        (tmp_path / name).write_text(text)
    first, moved, other = (digest([str(tmp_path / name)]) for name in code)
    assert first == moved != other


def test_lines_of_the_repository_are_of_the_world_and_the_raters_of_today() -> None:
    peers = {
        (one.run.raters, *one.code.split()[:2])
        for one in (runs.parse(json.loads(line)) for line in (PLAYED / "sessions.jsonl").read_text().splitlines())
    }
    world = digest((*runs.THE_WORLD, *runs.THE_PEERS))
    assert peers == {(raters, world, of_raters(runs.RATERS[raters])) for raters, *_ in peers}
    played = {
        (one.run.raters, *one.code.split()[:2])
        for one in (games.parse(json.loads(line)) for line in (PLAYED / "restoration.jsonl").read_text().splitlines())
    }
    world = digest(games.THE_GAME)
    assert played == {(raters, world, of_raters(games.RATERS[raters])) for raters, *_ in played}
    assert {"imagined"} <= {raters for raters, *_ in peers} & {raters for raters, *_ in played}


def test_other_raters_make_another_run_but_where_nobody_is_asked() -> None:
    seen, imagined = (runs.Run("random", "bumps", 0, raters=raters) for raters in ("seen", "imagined"))
    assert (seen == imagined, runs.code(seen) == runs.code(imagined)) == (False, False)
    assert runs.Run("random", "bumps", 0) == seen
    either = [games.planned(player, "haze", 0, raters=r) for player in games.SLOW for r in ("seen", "imagined")]
    assert len(set(either)) == 3
