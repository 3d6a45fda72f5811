"""A whole project leaves one database as a file and arrives in an empty one, on both engines."""

import json
import shutil
import stat
from pathlib import Path

import pytest

from ml_service.errors import Conflict, InvalidRequest, NotFound
from ml_service.objects.local import Folder
from tests.care.changed import Change, added, emptied, line, manifest, rewritten, without
from tests.care.lived import Installation, everything, members, watch
from tests.world import photo
from web.adapters.database import tables
from web.adapters.database.archive.project import ProjectArchive
from web.adapters.database.archive.rows import LEFT_BEHIND, TABLES
from web.adapters.database.archive.writing import Place
from web.adapters.database.store import SqlStore
from web.domain.audit.audit import faults
from web.domain.ids import new_id
from web.domain.prompts.prompt import content_hash, from_bytes, to_bytes
from web.ports.making import CleanImage
from web.services.accounts import accounts
from web.services.prompts import adoption
from web.services.studies import intake
from web.services.studies.demo import DemoImage, seed_demo

VERSION = Path("prompts/versions/v1.0.0.json")
EVENTS = "rows/audit_events.jsonl"


def test_every_table_is_part_of_a_project_or_left_behind_on_purpose() -> None:
    assert {*TABLES["project"], *LEFT_BEHIND} == set(tables.metadata.sorted_tables)


def test_the_project_of_the_tests_has_rows_in_every_table(origin: Installation) -> None:
    rows = everything(origin.store)
    assert [table.name for table in TABLES["project"] if not rows[table.name]] == []


def test_the_same_database_makes_the_same_bytes(origin: Installation, tmp_path: Path) -> None:
    once, again = origin.export_project(tmp_path / "1.zip"), origin.export_project(tmp_path / "2.zip")
    assert once.read_bytes() == again.read_bytes()


def test_a_project_is_moved_as_it_was(origin: Installation, empty: Installation, tmp_path: Path) -> None:
    file = origin.export_project(tmp_path / "project.zip")
    arrival = empty.load_project(file)
    sent, here = everything(origin.store), everything(empty.store)
    left = {table.name for table in LEFT_BEHIND}
    assert {name: rows for name, rows in here.items() if name not in {*left, "audit_events"}} == {
        name: rows for name, rows in sent.items() if name not in {*left, "audit_events"}
    }
    assert arrival.images == len([name for name in members(file) if name.startswith("objects/")])
    for key in empty.objects.list():
        assert empty.objects.read(key) == origin.objects.read(key)


def test_its_export_is_the_same_but_for_the_event_of_the_move(
    origin: Installation, empty: Installation, tmp_path: Path
) -> None:
    first = members(origin.export_project(tmp_path / "first.zip"))
    empty.load_project(tmp_path / "first.zip")
    second = members(empty.export_project(tmp_path / "second.zip"))
    assert second[EVENTS].startswith(first[EVENTS])
    assert [json.loads(event)["action"] for event in second[EVENTS][len(first[EVENTS]) :].splitlines()] == [
        "project.imported"
    ]
    counts = [json.loads(each["manifest.json"]) for each in (first, second)]
    counts[0]["rows"]["audit_events"] += 1
    assert counts[0] == counts[1]
    del first[EVENTS], second[EVENTS], first["manifest.json"], second["manifest.json"]
    assert first == second


def test_the_work_goes_on_where_it_stopped(origin: Installation, empty: Installation, tmp_path: Path) -> None:
    with origin.store.begin() as tx:
        stopped = tx.experiments.all(study_id=origin.world.study.id, state="ready")[0]
        tx.of_experiments.move([stopped.id], "generating", origin.world.clock.now())
    empty.load_project(origin.export_project(tmp_path / "project.zip"))
    empty.world.work()
    with empty.store.read() as tx:
        assert tx.experiments.get(stopped.id).state == "ready"


def test_the_audit_chain_arrives_whole_and_goes_on(origin: Installation, empty: Installation, tmp_path: Path) -> None:
    empty.load_project(origin.export_project(tmp_path / "project.zip"))
    with empty.store.read() as tx:
        events = sorted(tx.events.all(), key=lambda event: event.number)
    assert list(faults(events)) == []
    assert (events[-1].action, events[-1].object_id) == ("project.imported", origin.world.study.project_id)


def test_what_a_first_start_made_is_replaced(origin: Installation, empty: Installation, tmp_path: Path) -> None:
    parts = empty.world.parts
    accounts.bootstrap(parts, ())
    shutil.copytree("prompts", empty.folder / "prompts")
    adoption.adopt(parts, accounts.operator(parts).project_id)
    demo = DemoImage("demo", CleanImage(photo(99), "image/jpeg", 48, 48), "", "")
    seed_demo(parts, accounts.operator(parts), [demo])
    made = set(empty.objects.list())
    assert len(made) == 2
    empty.load_project(origin.export_project(tmp_path / "project.zip"))
    with empty.store.read() as tx:
        assert [project.id for project in tx.projects.all()] == [origin.world.study.project_id]
        assert tx.users.find(email=accounts.FIRST_ADMIN) is None
    assert not made & set(empty.objects.list())


def test_a_database_in_use_is_refused_untouched(origin: Installation, target: Installation, tmp_path: Path) -> None:
    before = everything(target.store), target.objects.list()
    with pytest.raises(Conflict, match="in use"):
        target.load_project(origin.export_project(tmp_path / "project.zip"))
    assert (everything(target.store), target.objects.list()) == before


def test_a_first_start_is_in_use_once_somebody_came_in(
    origin: Installation, empty: Installation, tmp_path: Path
) -> None:
    parts = empty.world.parts
    secret = accounts.bootstrap(parts, ())
    accounts.use_link(parts, str(secret))
    with pytest.raises(Conflict, match="in use"):
        empty.load_project(origin.export_project(tmp_path / "project.zip"))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_one_kind_of_archive_is_not_taken_for_the_other(
    origin: Installation, empty: Installation, tmp_path: Path
) -> None:
    with pytest.raises(InvalidRequest, match="one study, not a whole project"):
        empty.load_project(origin.export_study(tmp_path / "study.zip"))
    with pytest.raises(InvalidRequest, match="whole project, not one study"):
        origin.load_study(origin.export_project(tmp_path / "project.zip"))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_prompts_folder_with_versions_of_others_is_refused(
    origin: Installation, empty: Installation, tmp_path: Path
) -> None:
    document = json.loads(VERSION.read_text()) | {"version": "v7.0.0"}
    body = to_bytes(from_bytes(json.dumps(document | {"sha256": content_hash(document)}).encode()))
    published = Folder(empty.folder / "prompts")
    published.create("versions/v7.0.0.json", body)
    with pytest.raises(Conflict, match=r"v7\.0\.0.*PROMPTS_DIR"):
        empty.load_project(origin.export_project(tmp_path / "project.zip"))
    assert published.list() == ("versions/v7.0.0.json",)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_prompts_folder_with_other_files_is_refused(
    origin: Installation, empty: Installation, tmp_path: Path
) -> None:
    Folder(empty.folder / "prompts").create("versions/notes.json", b"{}")
    with pytest.raises(Conflict, match="no file of Palate's"):
        empty.load_project(origin.export_project(tmp_path / "project.zip"))


def test_a_project_is_for_its_owners_eyes_only(origin: Installation, tmp_path: Path) -> None:
    assert stat.S_IMODE(origin.export_project(tmp_path / "project.zip").stat().st_mode) == 0o600


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_database_without_a_project_has_nothing_to_export(store: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no project yet"):
        ProjectArchive(Place(store, Folder(tmp_path), intake.view_key)).export(tmp_path / "project.zip", watch)
    assert not list(tmp_path.glob("*project.zip*"))


BROKEN: dict[str, tuple[Change, str]] = {
    "another project": (manifest(id=new_id()), "the one project"),
    "event changed": (line("audit_events", action="study.forged"), "audit chain"),
    "version changed": (line("prompt_versions", changelog="forged"), "does not match its sha256"),
    "nothing live": (emptied("prompt_pointers"), "no live version"),
    "role": (line("memberships", role="owner"), "do not belong together"),
    "scope": (line("api_keys", scopes=["everything"]), "line 1"),
    "password that costs a machine": (
        line("passwords", hash="$argon2id$v=19$m=99999999,t=99,p=9$c2FsdA$aGFzaA"),
        "password",
    ),
    "no people": (without("rows/users.jsonl"), "rows/users.jsonl is missing"),
    "key outside": (line("inputs", object_key="../../evil"), "is missing"),
    "page as image": (line("outputs", media_type="text/html"), "no image"),
    "member of a study": (added("rows/sessions.jsonl"), "no member"),
}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # nothing gets as far as the engine
@pytest.mark.parametrize("way", BROKEN)
def test_a_broken_project_is_refused_and_nothing_is_written(
    way: str, origin: Installation, empty: Installation, tmp_path: Path
) -> None:
    change, says = BROKEN[way]
    file = rewritten(origin.export_project(tmp_path / "project.zip"), change)
    before = everything(empty.store)
    with pytest.raises(InvalidRequest, match=says):
        empty.load_project(file)
    assert (everything(empty.store), empty.objects.list()) == (before, ())
