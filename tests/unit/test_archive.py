"""Studies leave one database as a file and arrive in another, on both engines."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from ml_service.contract import Suggestion
from ml_service.errors import Conflict, InvalidRequest, NotFound
from ml_service.objects.local import Folder
from tests.clock import FixedClock
from tests.world import World, answer, make_world
from web.adapters import tables
from web.adapters.archive import Archive, Arrival
from web.adapters.archive_rows import TABLES, from_line, rows_of, to_line
from web.adapters.reports import SqlReports
from web.adapters.store import SqlStore
from web.domain.access import User
from web.domain.ids import new_id
from web.domain.rating import Exclusion
from web.domain.study import Project
from web.services import accounts, intake, queue, training, versions
from web.services.transfer import arrived


def watch(keys: Iterable[str]) -> Iterable[str]:
    return keys


@dataclass
class Place:
    """A database with its objects, and the archive over both."""

    world: World
    store: SqlStore
    objects: Folder
    archive: Archive

    def export(self, target: Path) -> Path:
        self.archive.export(self.world.study.id, target, self.world.clock.now(), watch)
        return target

    def load(self, file: Path) -> Arrival:
        admin = self.world.admin
        return self.archive.load(file, lambda tx, study: arrived(self.world.parts, admin, tx, study), watch)


def place(store: SqlStore, folder: Path, inputs: int) -> Place:
    world = make_world(store, FixedClock(), folder, inputs=inputs)
    objects = Folder(folder / "objects")
    return Place(world, store, objects, Archive(store, objects, intake.view_key))


@pytest.fixture(scope="module")
def lived(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A study on SQLite with rated, undone, skipped, held, planned, excluded and removed things in it."""
    folder = tmp_path_factory.mktemp("lived")
    shutil.copy(sqlite_template, folder / "palate.db")
    store = SqlStore.open(f"sqlite:///{folder / 'palate.db'}")
    made = place(store, folder, inputs=6)
    _live(made.world)
    store.close()
    return made


@pytest.fixture
def origin(lived: Place, tmp_path: Path) -> Iterator[Place]:
    """A copy of that study's installation, which a test may change."""
    folder = tmp_path / "origin"
    shutil.copytree(lived.objects.root.parent, folder)
    store, objects = SqlStore.open(f"sqlite:///{folder / 'palate.db'}"), Folder(folder / "objects")
    parts = replace(lived.world.parts, store=store, objects=objects, reports=SqlReports(store))
    yield Place(replace(lived.world, parts=parts), store, objects, Archive(store, objects, intake.view_key))
    store.close()


@pytest.fixture
def target(store: SqlStore, tmp_path: Path) -> Place:
    """Another installation, on the engine of the test, with a study of its own."""
    return place(store, tmp_path / "target", inputs=1)


def _live(world: World) -> None:
    one, two = world.person(), world.person()
    first, second, third = (held.options[0].option_id for held in world.hold(one).held[:3])
    sent = answer(first, 5, comment="schön\n“so”", tags=("too_dark",))
    assert world.rate(one, sent, answer(second, None, skip="broken"), answer(third, 2)) == ["stored"] * 3
    training.undo(world.parts, one, sent.id)
    world.hold(two)
    world.work()
    queue.learn(world.parts, world.study.id)
    with world.parts.store.begin() as tx:
        now = world.clock.now()
        tx.exclusions.add(Exclusion(new_id(), world.study.id, two.user_id, now, "clicks blindly", now))
        removed = tx.inputs.all(study_id=world.study.id)[-1]
    intake.take_down(world.parts, world.admin, removed.id)


def rows(store: SqlStore, study_id: str) -> dict[str, list[dict[str, Any]]]:
    with store.read() as tx:
        return {table.name: list(rows_of(tx.connection, table, study_id)) for table in TABLES}


def everything(store: SqlStore) -> dict[str, list[tuple[Any, ...]]]:
    with store.read() as tx:
        return {
            table.name: [
                tuple(row) for row in tx.connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in tables.metadata.sorted_tables
        }


def test_the_study_of_the_tests_has_rows_in_every_table(origin: Place) -> None:
    assert {name for name, found in rows(origin.store, origin.world.study.id).items() if not found} == set()


def test_a_study_arrives_whole(origin: Place, target: Place, tmp_path: Path) -> None:
    arrival = target.load(origin.export(tmp_path / "study.zip"))
    sent, arrived = rows(origin.store, origin.world.study.id), rows(target.store, origin.world.study.id)
    for name in ("inputs", "parameter_experiments", "leases", "rating_tombstones", "exclusions", "diagnoses", "users"):
        assert arrived[name] == sent[name], name
    without = {"version", "output_id"}  # the same version and outputs, under the ids they have here
    for name in ("experiment_options", "enhancement_ratings"):
        assert [{k: v for k, v in row.items() if k not in without} for row in arrived[name]] == [
            {k: v for k, v in row.items() if k not in without} for row in sent[name]
        ], name
    assert arrived["studies"] == [row | {"project_id": target.world.study.project_id} for row in sent["studies"]]
    assert arrival.rows["enhancement_ratings"] == 3


def test_what_is_learnt_from_it_is_the_same_there(origin: Place, target: Place, tmp_path: Path) -> None:
    target.load(origin.export(tmp_path / "study.zip"))
    told = []
    for here in (origin, target):
        with here.store.read() as tx:
            told.append(queue.observations(tx, tx.studies.get(origin.world.study.id)))
    assert len(told[0]) == 1
    shared = {"point", "rating", "rater", "item", "at"}
    assert [o.model_dump(include=shared) for o in told[0]] == [o.model_dump(include=shared) for o in told[1]]


def test_the_same_history_gets_the_same_suggestion_on_the_other_engine(
    origin: Place, target: Place, tmp_path: Path
) -> None:
    def suggestion(there: Place) -> Suggestion:
        with there.store.read() as tx:
            study = tx.studies.get(origin.world.study.id)
            sources = tx.of_experiments.next_inputs(study.id, 1)
            return there.world.parts.optimizer.suggest(queue.suggest_request(tx, study, 2, sources))

    target.load(origin.export(tmp_path / "study.zip"))
    assert suggestion(target).proposals == suggestion(origin).proposals
    assert len(suggestion(target).proposals) == 2


def test_present_images_arrive_and_removed_ones_do_not(origin: Place, target: Place, tmp_path: Path) -> None:
    target.load(origin.export(tmp_path / "study.zip"))
    with target.store.read() as tx:
        sources = tx.inputs.all(study_id=origin.world.study.id)
    assert len([source for source in sources if source.removed_at is None]) == 5
    for source in sources:
        for key in (source.object_key, intake.view_key(source)):
            if source.removed_at is None:
                assert target.objects.read(key) == origin.objects.read(key)
            else:
                with pytest.raises(NotFound):
                    target.objects.read(key)


def test_importing_twice_adds_nothing(origin: Place, target: Place, tmp_path: Path) -> None:
    file = origin.export(tmp_path / "study.zip")
    target.load(file)
    before = everything(target.store)
    again = target.load(file)
    assert (sum(again.rows.values()), again.images) == (0, 0)
    assert everything(target.store) == before


def test_a_study_comes_back_where_it_came_from_without_a_change(origin: Place, tmp_path: Path) -> None:
    file, before = origin.export(tmp_path / "study.zip"), everything(origin.store)
    assert sum(origin.load(file).rows.values()) == 0
    assert everything(origin.store) == before


def test_it_goes_from_either_engine_to_sqlite(target: Place, origin: Place, tmp_path: Path) -> None:
    _live_some(target.world)
    arrival = origin.load(target.export(tmp_path / "study.zip"))
    assert arrival.study_id == target.world.study.id
    sent, arrived = rows(target.store, arrival.study_id), rows(origin.store, arrival.study_id)
    assert arrived["leases"] == sent["leases"] != []
    assert arrived["inputs"] == sent["inputs"]


def _live_some(world: World) -> None:
    rater = world.person()
    world.rate(rater, answer(world.hold(rater, 1).held[0].options[0].option_id))


def test_raters_who_arrive_are_raters_here_and_known_people_stay_who_they_are(
    origin: Place, target: Place, tmp_path: Path
) -> None:
    with origin.store.read() as tx:
        rater = tx.users.get(tx.leases.all()[0].rater_id)
    with target.store.begin() as tx:
        known = tx.users.add(User(new_id(), rater.email, target.world.clock.now()))
    target.load(origin.export(tmp_path / "study.zip"))
    members = accounts.members(target.world.parts.store, target.world.admin)
    assert [member.role for member in members if member.user.email == rater.email] == ["rater"]
    with target.store.read() as tx:
        assert tx.users.find(id=rater.id) is None
        assert {lease.rater_id for lease in tx.leases.all(rater_id=(known.id, rater.id))} == {known.id}
        assert tx.of_ratings.count_by(known.id, origin.world.study.id, target.world.clock.now())[1] == 1


def test_the_work_goes_on_where_it_stopped(origin: Place, target: Place, tmp_path: Path) -> None:
    with origin.store.begin() as tx:
        stopped = tx.experiments.all(study_id=origin.world.study.id, state="ready")[0]
        tx.of_experiments.move([stopped.id], "generating", target.world.clock.now())
    target.load(origin.export(tmp_path / "study.zip"))
    target.world.work()
    with target.store.read() as tx:
        assert tx.experiments.get(stopped.id).state == "ready"
        assert [event.object_id for event in tx.events.all(action="study.imported")] == [origin.world.study.id]


def test_what_was_taken_down_here_stays_down(origin: Place, target: Place, tmp_path: Path) -> None:
    file = origin.export(tmp_path / "study.zip")
    target.load(file)
    with target.store.read() as tx:
        source = tx.inputs.all(study_id=origin.world.study.id, removed_at=None)[0]
    intake.take_down(target.world.parts, target.world.admin, source.id)
    assert target.load(file).images == 0
    with pytest.raises(NotFound):
        target.objects.read(source.object_key)


def test_a_version_of_the_same_name_and_other_content_is_a_conflict(
    origin: Place, target: Place, tmp_path: Path
) -> None:
    file = origin.export(tmp_path / "study.zip")
    with target.store.begin() as tx:
        tx.connection.execute(tables.prompt_versions.update().values(sha256="0" * 64))
    before = everything(target.store)
    with pytest.raises(Conflict, match="has another version"):
        target.load(file)
    assert everything(target.store) == before


def test_a_candidate_gets_the_next_number_where_its_own_is_taken(origin: Place, target: Place, tmp_path: Path) -> None:
    numbers = []
    for here in (origin, target):
        with here.store.begin() as tx:
            released = tx.versions.all()[0]
            fresh = released.__dict__ | {"id": new_id(), "number": 2, "name": None, "parents": (released.id,)}
            tx.versions.add(type(released)(**fresh))
            numbers.append(fresh["id"])
    target.load(origin.export(tmp_path / "study.zip"))
    with target.store.read() as tx:
        came = tx.versions.get(numbers[0])
        assert came.number == 3
        assert came.parents == (tx.versions.find(name="v1.0.0").id,)  # type: ignore[union-attr]


def test_an_image_that_is_lost_is_named_and_the_rest_arrives(origin: Place, target: Place, tmp_path: Path) -> None:
    with origin.store.read() as tx:
        source = tx.inputs.all(study_id=origin.world.study.id, removed_at=None)[0]
    origin.objects.delete(source.object_key)
    made = origin.archive.export(origin.world.study.id, tmp_path / "study.zip", target.world.clock.now(), watch)
    assert made.lost == (source.object_key,)
    assert target.load(tmp_path / "study.zip").images == made.objects


Change = Callable[[dict[str, bytes]], None]


def rewritten(file: Path, change: Change) -> Path:
    with zipfile.ZipFile(file) as old:
        members = {name: old.read(name) for name in old.namelist()}
    change(members)
    with zipfile.ZipFile(file, "w") as new:
        for name, body in members.items():
            new.writestr(name, body)
    return file


def manifest(**new: object) -> Change:
    def change(members: dict[str, bytes]) -> None:
        members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | new).encode()

    return change


def line(table: str, **new: object) -> Change:
    """Change fields of a table's first line."""

    def change(members: dict[str, bytes]) -> None:
        first, rest = members[f"rows/{table}.jsonl"].split(b"\n", 1)
        members[f"rows/{table}.jsonl"] = json.dumps(json.loads(first) | new).encode() + b"\n" + rest

    return change


def without(name: str) -> Change:
    def change(members: dict[str, bytes]) -> None:
        del members[next(member for member in members if member.startswith(name))]

    return change


def added(name: str) -> Change:
    return lambda members: members.update({name: b"x"})


def spoilt(members: dict[str, bytes]) -> None:
    outputs = [name for name in members if name.startswith("objects/outputs/")]
    members[outputs[0]] = members[outputs[0]] + b"x"


def shortened(members: dict[str, bytes]) -> None:
    lines = members["rows/enhancement_ratings.jsonl"].splitlines(keepends=True)
    members["rows/enhancement_ratings.jsonl"] = b"".join(lines[:-1])


BROKEN: dict[str, tuple[Change, str]] = {
    "newer": (manifest(palate_archive=2), "newer Palate"),
    "another study": (manifest(study_id=new_id()), "the one study"),
    "no manifest": (without("manifest.json"), "manifest.json is missing"),
    "no table": (without("rows/inputs.jsonl"), "rows/inputs.jsonl is missing"),
    "no image": (without("objects/inputs/"), "is missing"),
    "escape": (added("objects/inputs/../../../evil"), "no member"),
    "absolute": (added("/etc/evil"), "no member"),
    "backslash": (added("objects\\inputs\\evil"), "no member"),
    "stranger": (added("evil.py"), "no member"),
    "spoilt image": (spoilt, "not the one that was exported"),
    "missing row": (shortened, "has 2 rows, not the 3"),
    "score outside": (line("enhancement_ratings", score=9.0, skip=None), "do not belong together"),
    "score of another type": (line("enhancement_ratings", score="5"), "line 1"),
    "unknown state": (line("studies", state="on fire"), "do not belong together"),
    "row of another study": (line("inputs", study_id=new_id()), "do not belong together"),
    "space that is none": (line("studies", spaces={"local": {"parameters": {}}}), "line 1"),
    "time without zone": (line("inputs", created_at="2026-03-01T09:00:00"), "line 1"),
    "unknown column": (line("inputs", evil=1), "line 1"),
    "key outside": (line("outputs", object_key="../../evil"), "is missing"),
    "page as image": (line("outputs", media_type="text/html"), "no image"),
    "zero byte": (line("studies", name="a\0b"), "line 1"),
    "huge number": (line("studies", seed=2**40), "line 1"),
}


@pytest.mark.parametrize("way", BROKEN)
def test_a_broken_file_is_refused_and_nothing_is_written(way: str, origin: Place, tmp_path: Path) -> None:
    change, says = BROKEN[way]
    file = rewritten(origin.export(tmp_path / "study.zip"), change)
    with origin.store.begin() as tx:
        tx.connection.execute(tables.diagnoses.delete())
    before = everything(origin.store), sorted(origin.objects.root.rglob("*"))
    with pytest.raises(InvalidRequest, match=says):
        origin.load(file)
    assert (everything(origin.store), sorted(origin.objects.root.rglob("*"))) == before


def test_a_truncated_file_and_another_kind_of_file_are_refused(origin: Place, tmp_path: Path) -> None:
    file = origin.export(tmp_path / "study.zip")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(InvalidRequest, match="broken"):
        origin.load(file)
    file.write_text("no zip at all")
    with pytest.raises(InvalidRequest, match="broken"):
        origin.load(file)


def test_a_member_named_twice_is_refused(origin: Place, tmp_path: Path) -> None:
    file = origin.export(tmp_path / "study.zip")
    with zipfile.ZipFile(file, "a") as more, pytest.warns(UserWarning, match="Duplicate name"):
        more.writestr("rows/inputs.jsonl", b"")
    with pytest.raises(InvalidRequest, match="twice"):
        origin.load(file)


def test_a_database_without_a_project_is_told_what_to_do(origin: Place, store: SqlStore, tmp_path: Path) -> None:
    empty = Archive(store, Folder(tmp_path / "empty"), intake.view_key)
    with pytest.raises(NotFound, match="no project yet"):
        empty.load(origin.export(tmp_path / "study.zip"), lambda tx, study: None, watch)


def test_a_study_that_is_not_there_leaves_no_file(origin: Place, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        origin.archive.export(new_id(), tmp_path / "study.zip", origin.world.clock.now(), watch)
    assert not list(tmp_path.glob("*study.zip*"))


def test_every_value_survives_its_line(origin: Place) -> None:
    for table, found in ((table, rows(origin.store, origin.world.study.id)[table.name]) for table in TABLES):
        for row in found:
            assert from_line(table, to_line(table, row)) == row


def test_a_prompt_that_is_new_here_comes_with_its_pointers(origin: Place, store: SqlStore, tmp_path: Path) -> None:
    with store.begin() as tx:
        project = tx.projects.add(Project(new_id(), "Other", origin.world.clock.now()))
        tx.connection.execute(
            insert(tables.users).values(id=new_id(), email="a@b.c", created_at=project.created_at, active=True)
        )
    archive = Archive(store, Folder(tmp_path / "other"), intake.view_key)
    archive.load(origin.export(tmp_path / "study.zip"), lambda tx, study: None, watch)
    with store.read() as tx:
        pointer = tx.pointers.find(prompt_key="photo-enhance", kind="environment", name="production")
        assert pointer is not None
        assert tx.versions.get(pointer.version_id).name == versions.load_current(Folder(Path("prompts"))).version
        assert tx.prompts.get("photo-enhance").project_id == project.id
