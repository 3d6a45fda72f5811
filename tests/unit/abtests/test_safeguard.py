"""What is live and fails is rolled back at once, on real databases; what is not its fault is left alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import Conflict, InvalidRequest, Unavailable
from tests.clock import FixedClock
from tests.unit.abtests.test_verdicts import candidate, live
from tests.world import World, make_world, photo
from web.adapters.database.store import SqlStore
from web.adapters.generators.atonce import AtOnce
from web.adapters.generators.local import LocalGenerator
from web.domain.prompts.prompt import PromptVersion
from web.domain.studies.experiment import Option
from web.jobs import tasks
from web.jobs.schedule import tick
from web.ports.making import Generated, GenerateRequest
from web.services.abtests import abtests
from web.services.abtests.abtests import Challenge
from web.services.audit.chain import check_chain
from web.services.prompts import pointers, promotion
from web.services.prompts.versions import load_current
from web.services.prompts.watch import Watch

FAULTY = "in the dark"
Refuses = Callable[[GenerateRequest], bool]


class Picky(LocalGenerator):
    """A generator that refuses some requests, or is away for them."""

    def __init__(self, refuses: Refuses, error: Exception) -> None:
        super().__init__()
        self.refuses, self.error = refuses, error

    def generate(self, request: GenerateRequest) -> Generated:
        if self.refuses(request):
            raise self.error
        return super().generate(request)


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=8)


def picky(world: World, refuses: Refuses, error: Exception | None = None) -> None:
    refused = error or InvalidRequest("The provider refuses this prompt.")
    world.parts = replace(world.parts, generators={"local": AtOnce(Picky(refuses, refused))})


def is_faulty(request: GenerateRequest) -> bool:
    return FAULTY in request.prompt["prompt"]


def is_anything(request: GenerateRequest) -> bool:
    return True


def promote(world: World, version: PromptVersion) -> None:
    """Make a version live by hand, a minute after what was before."""
    world.clock.advance(minutes=1)
    with world.parts.store.read() as tx:
        pointer = pointers.find(tx, version.prompt_key)
    assert pointer is not None
    promotion.promote(world.parts, world.admin, version.prompt_key, version.id, pointer.revision)


def render(world: World, count: int = 8) -> None:
    """Plan so many experiments of what is live, and have them made."""
    tasks.plan(world.parts, world.study.id, count)
    world.work()


def renders(world: World, version: PromptVersion) -> list[Option]:
    with world.parts.store.read() as tx:
        return list(tx.options.all(version=version.id))


def moved(world: World) -> list[tuple[str, str]]:
    told = promotion.history(world.parts, world.admin, world.study.prompt_key)
    return [(move.action, move.note) for move in told]


def test_a_version_whose_renders_fail_is_rolled_back_at_once_on_record_and_not_tested_again(world: World) -> None:
    picky(world, is_faulty)
    before, faulty = live(world), candidate(world, FAULTY)
    promote(world, faulty)
    render(world)
    assert live(world).id == before.id
    assert load_current(world.parts.published).version == before.name
    (action, note), *_ = moved(world)
    assert action == "prompt.rolled_back"
    assert promotion.history(world.parts, world.admin, world.study.prompt_key)[0].actor == "Palate"
    assert "of its last" in note
    assert "The provider refuses this prompt." in note
    assert check_chain(world.parts, world.admin.project_id).faults == ()
    with pytest.raises(Conflict, match="was rolled back"):
        abtests.open_test(world.parts, world.admin, world.study.id, Challenge((faulty.id,)))


def test_parameters_that_the_generator_refuses_are_rolled_back_too(world: World) -> None:
    before, faulty = live(world), candidate(world, "brighter")
    with world.parts.store.begin() as tx:
        faulty = tx.versions.replace(replace(faulty, parameter_defaults={"local": {"denoise": 7.0}}))
    promote(world, faulty)
    render(world)
    assert live(world).id == before.id


def test_a_generator_that_is_away_is_not_the_fault_of_what_is_live(world: World) -> None:
    picky(world, is_anything, Unavailable("The provider is away."))
    fresh = candidate(world, "brighter")
    promote(world, fresh)
    render(world)
    assert {option.state for option in renders(world, fresh)} == {"planned"}
    assert live(world).id == fresh.id


def test_three_of_twenty_may_fail_and_not_four(world: World) -> None:
    bad: set[bytes] = {photo(0), photo(1), photo(2)}
    picky(world, lambda request: is_faulty(request) and request.source in bad)
    faulty = candidate(world, FAULTY)
    promote(world, faulty)
    world.study = replace(world.study, options_per_experiment=1)
    with world.parts.store.begin() as tx:
        tx.studies.replace(replace(tx.studies.get(world.study.id), options_per_experiment=1))
    render(world)
    assert [option.state for option in renders(world, faulty)].count("failed") >= 3
    assert live(world).id == faulty.id
    bad.add(photo(3))
    world.clock.advance(minutes=1)
    with world.parts.store.begin() as tx:
        waiting = [one.id for one in tx.experiments.all(study_id=world.study.id, state="ready")]
        tx.of_experiments.move(waiting, "closed", world.clock.now())
    render(world, 8)
    assert live(world).id != faulty.id


def test_one_photo_that_no_generator_takes_rolls_nothing_back(world: World) -> None:
    picky(world, lambda request: request.source == photo(0))
    fresh = candidate(world, "brighter")
    promote(world, fresh)
    for _ in range(4):
        render(world)
    assert [option.state for option in renders(world, fresh)].count("failed") >= 4
    assert live(world).id == fresh.id


def test_what_fails_with_the_version_before_as_well_is_not_the_new_ones_fault(world: World) -> None:
    picky(world, is_anything)
    render(world)
    fresh = candidate(world, "brighter")
    promote(world, fresh)
    render(world)
    assert len(renders(world, fresh)) >= 4
    assert live(world).id == fresh.id


def test_what_was_rolled_back_to_stays_whatever_fails_then(world: World) -> None:
    picky(world, is_faulty)
    before = live(world)
    promote(world, candidate(world, FAULTY))
    render(world)
    assert live(world).id == before.id
    picky(world, is_anything)
    world.clock.advance(minutes=1)
    with world.parts.store.begin() as tx:
        waiting = [one.id for one in tx.experiments.all(study_id=world.study.id, state="ready")]
        tx.of_experiments.move(waiting, "closed", world.clock.now())
    render(world)
    assert [option.state for option in renders(world, before)].count("failed") >= 4
    assert live(world).id == before.id


def test_a_live_row_that_was_damaged_is_rolled_back_by_the_tick(world: World) -> None:
    before, fresh = live(world), candidate(world, "brighter")
    promote(world, fresh)
    with world.parts.store.begin() as tx:
        tx.versions.replace(replace(tx.versions.get(fresh.id), changelog="Somebody wrote here."))
    tick(world.parts)
    assert live(world).id == before.id
    assert load_current(world.parts.published).version == before.name
    assert "does not match its sha256" in moved(world)[0][1]


def test_a_live_row_that_is_damaged_later_is_rolled_back_within_the_hour(world: World) -> None:
    before, fresh, watch = live(world), candidate(world, "brighter"), Watch()
    promote(world, fresh)
    tick(world.parts, watch)
    with world.parts.store.begin() as tx:
        tx.versions.replace(replace(tx.versions.get(fresh.id), changelog="Somebody wrote here."))
    world.clock.advance(hours=1)
    tick(world.parts, watch)
    assert live(world).id == before.id


def test_a_file_that_was_damaged_is_mended_and_nothing_is_rolled_back(world: World) -> None:
    fresh = candidate(world, "brighter")
    promote(world, fresh)
    files = world.parts.published
    files.replace("versions/current.json", b"{}", files.tag("versions/current.json"))
    tick(world.parts)
    assert live(world).id == fresh.id
    assert load_current(files).version == live(world).name


def test_where_there_is_nothing_to_go_back_to_what_is_live_stays(world: World) -> None:
    first = live(world)
    with world.parts.store.begin() as tx:
        tx.versions.replace(replace(first, changelog="Somebody wrote here."))
    tick(world.parts)
    assert live(world).id == first.id
