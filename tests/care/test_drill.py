"""The drill: a backup is taken from a terminal while somebody writes, and a new place is made of it."""

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.care.lived import Installation, Run, elsewhere
from tests.world import World, answer, photo
from web.adapters.database.store import SqlStore
from web.domain.audit.audit import faults
from web.services.studies import intake

WRITTEN_FIRST = 3  # before the backup begins, so that there is something that it must hold


class Writer:
    """Rates, adds photos and takes some down again, and keeps what was acknowledged, in order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ratings: list[str] = []
        self.photos: list[str] = []
        self.going = threading.Event()
        self.enough = threading.Event()

    def write(self) -> None:
        """Write until told to stop."""
        for number in itertools.count():
            self._rate()
            body = photo(1000 + number)
            added = intake.add_input(self.world.parts, self.world.admin, self.world.study.id, f"{number}", body)
            if number % 2:
                intake.take_down(self.world.parts, self.world.admin, added.id)
            self.photos.append(added.id)
            if number == WRITTEN_FIRST:
                self.going.set()
            if self.enough.is_set():
                return

    def _rate(self) -> None:
        rater = self.world.person()
        for held in self.world.hold(rater, 2).held:
            sent = answer(held.options[0].option_id)
            assert self.world.rate(rater, sent) == ["stored"]
            self.ratings.append(sent.id)


@contextmanager
def writing(world: World) -> Iterator[Writer]:
    """Let somebody write for as long as the block lasts."""
    writer = Writer(world)
    thread = threading.Thread(target=writer.write)
    thread.start()
    try:
        assert writer.going.wait(60), "the writer does not come to write"
        yield writer
    finally:
        writer.enough.set()
        thread.join()


def test_a_backup_taken_while_somebody_writes_becomes_a_place_that_is_whole(
    origin: Installation, run: Run, new_place: Path, tmp_path: Path
) -> None:
    backup = [sys.executable, "-m", "web", "backup", str(tmp_path / "backup.zip"), "--json"]
    place = {"DATA_DIR": str(origin.folder), "PROMPTS_DIR": str(origin.folder / "prompts")}
    with writing(origin.world) as writer:
        before = len(writer.ratings), len(writer.photos)
        done = subprocess.run(backup, env={**os.environ, **place}, capture_output=True, text=True, check=True)
        during = len(writer.ratings), len(writer.photos)
    assert during > before, "nobody wrote while the backup was taken"
    assert json.loads(done.stdout)["lost"] == []
    assert run("restore", tmp_path / "backup.zip")[0] == 0
    code, said, _ = run("verify")
    assert (code, "no faults, 0 orphans" in said) == (0, True), said

    store = SqlStore.open(f"sqlite:///{new_place / 'palate.db'}")
    there = elsewhere(origin, store, new_place)
    held = _held(there, writer)
    for kept, acknowledged, least in zip(held, (writer.ratings, writer.photos), before, strict=True):
        assert kept == acknowledged[: len(kept)], "what is kept is not what was written first"
        assert len(kept) >= least, "something was acknowledged before the backup began, and is not in it"
    assert _is_a_beginning(there, origin)
    store.close()


def _held(there: Installation, writer: Writer) -> tuple[list[str], list[str]]:
    """Return which of the acknowledged ratings and photos are in a place, in the order they were written in."""
    with there.store.read() as tx:
        ratings = {rating.id for rating in tx.ratings.all()}
        photos = {source.id for source in tx.inputs.all()}
    return [each for each in writer.ratings if each in ratings], [each for each in writer.photos if each in photos]


def _is_a_beginning(there: Installation, origin: Installation) -> bool:
    with there.store.read() as tx:
        events = sorted(tx.events.all(), key=lambda event: event.number)
    with origin.store.read() as tx:
        all_events = sorted(tx.events.all(), key=lambda event: event.number)
    return not list(faults(events)) and all_events[: len(events)] == events


def test_the_new_place_exports_the_same_bytes(
    run: Run, origin: Installation, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    before, after, backup = (tmp_path / f"{name}.zip" for name in ("before", "after", "backup"))
    run("export", "--project", before)
    run("backup", backup)
    folder: Path = request.getfixturevalue("new_place")
    code, said, _ = run("restore", backup)
    assert (code, "Nobody is signed in" in said) == (0, True)
    run("export", "--project", after)
    assert after.read_bytes() == before.read_bytes()
    published = Path("prompts/versions/current.json")
    assert (folder / published).read_bytes() == (origin.folder / published).read_bytes()
    code, _, complaint = run("restore", backup)
    assert (code, "empty folder" in complaint) == (1, True)
