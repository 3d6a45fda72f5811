"""Downloads of all that there is: what they take grows with their rows and no faster, whatever is asked for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import grown
from tests.clock import FixedClock
from tests.grown import Many, grow
from tests.taken import Taken, taking
from tests.world import World, make_world
from web.adapters.database.migrate import migrate
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.domain.audit.trail import EventFilter
from web.domain.reports.history import Filter
from web.services.audit import views as audit
from web.services.reports import history

BATCH = 40
MOST_STATEMENTS = 6  # of a page: its rows, and the names of what events are about
FEW = Many(people=20, studies=5, inputs=20, versions=5, prompts=1, tests=1, pairs=1, rounds=1, jobs=1, sitting=1)


@dataclass(frozen=True)
class Grown:
    """A world that has lived, its store, and somebody who rated in it."""

    world: World
    store: SqlStore
    rater: Actor

    def every(self, **asked: Any) -> Iterator[object]:
        """Go through the history as an admin."""
        return history.every_entry(self.world.parts, self.world.admin, Filter(**asked))

    def own(self, **asked: Any) -> Iterator[object]:
        """Go through the rater's own history."""
        return history.every_own_entry(self.world.parts, self.rater, Filter(**asked))

    def events(self, **asked: Any) -> Iterator[object]:
        """Go through the audit."""
        return audit.every_event(self.world.parts, self.world.admin, EventFilter(**asked))


Download = Callable[[Grown], Iterator[object]]
DAY = date(2000, 1, 1)
DOWNLOADS: dict[str, Download] = {
    "history": lambda one: one.every(),
    "history of a study": lambda one: one.every(study=one.world.study.id),
    "history of a generator": lambda one: one.every(generator="local"),
    "history of a rater": lambda one: one.every(rater=one.rater.user_id),
    "history of a rater in a study": lambda one: one.every(rater=one.rater.user_id, study=one.world.study.id),
    "history of samples": lambda one: one.every(kind="explore"),
    "history of good ones": lambda one: one.every(low=3),
    "history since a day": lambda one: one.every(since=DAY),
    "own history": lambda one: one.own(),
    "own history of a study": lambda one: one.own(study=one.world.study.id),
    "audit": lambda one: one.events(),
    "audit since a day": lambda one: one.events(since=DAY),
    "audit of a person": lambda one: one.events(actor=one.world.admin.user_id),
    "audit of a kind": lambda one: one.events(kind="pointer"),
    "audit of promotions": lambda one: one.events(action="prompt"),
}


@pytest.fixture(scope="module", params=[grown.LIVED, timedelta(0)], ids=["over years", "in one moment"])
def worlds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Grown]]:
    """One world, and one with twice its ratings and events."""
    with pytest.MonkeyPatch.context() as patched, ExitStack() as stack:
        patched.setattr(grown, "LIVED", request.param)
        patched.setattr(grown, "RATERS", 2)
        yield [stack.enter_context(lived(tmp_path_factory.mktemp("lived"), ratings)) for ratings in (800, 1600)]


@contextmanager
def lived(folder: Path, ratings: int) -> Iterator[Grown]:
    """Make a world of its own with so many ratings, and half as many events."""
    url = f"sqlite:///{folder}/palate.db"
    migrate(url)
    store = SqlStore.open(url)
    world = make_world(store, FixedClock(), folder, inputs=1)
    ids = grow(world, ratings, replace(FEW, moves=ratings // 2))
    yield Grown(world, store, Actor(ids["user_id"], "", world.admin.project_id, "rater"))
    store.close()


def counted(grown: Grown, download: Download) -> tuple[int, Taken]:
    """Return how many rows a download has, and what it takes."""
    with taking(grown.store.engines.reader) as taken:
        return sum(1 for _ in download(grown)), taken


@pytest.mark.parametrize("name", DOWNLOADS)
def test_twice_the_rows_take_twice_the_work(worlds: list[Grown], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "BATCH", BATCH)
    monkeypatch.setattr(audit, "BATCH", BATCH)
    (one, taken), (two, more) = (counted(world, DOWNLOADS[name]) for world in worlds)
    assert one * 1.5 < two
    assert taken.statements <= MOST_STATEMENTS * (one / BATCH + 1)
    assert more.statements <= MOST_STATEMENTS * (two / BATCH + 1)
    assert more.steps / two <= 1.2 * taken.steps / one
