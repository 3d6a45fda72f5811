"""Studies leave one database as a file and arrive in another, on both engines."""

import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import Conflict, InvalidRequest, NotFound
from ml_service.objects.local import Folder
from ml_service.wire.contract import Suggestion
from tests.care.changed import Change, added, line, manifest, rewritten, shortened, spoilt, without
from tests.care.lived import Installation, everything, members, watch
from tests.world import World, answer
from web.adapters.database import tables
from web.adapters.database.archive.rows import TABLES, from_line, to_line
from web.adapters.database.archive.study import StudyArchive
from web.adapters.database.archive.writing import Place
from web.adapters.database.store import SqlStore
from web.domain.accounts import User
from web.domain.ids import new_id
from web.domain.studies.study import Project
from web.services.accounts.members import members as project_members
from web.services.learning import requests
from web.services.prompts import publication, versions
from web.services.studies import intake
from web.services.studies.studies import example_of


def test_the_study_of_the_tests_has_rows_in_every_table(origin: Installation) -> None:
    assert {name for name, found in origin.rows(origin.world.study.id).items() if not found} == set()


def test_a_study_arrives_whole(origin: Installation, target: Installation, tmp_path: Path) -> None:
    arrival = target.load_study(origin.export_study(tmp_path / "study.zip"))
    sent, arrived = origin.rows(origin.world.study.id), target.rows(origin.world.study.id)
    for name in ("inputs", "parameter_experiments", "leases", "rating_tombstones", "exclusions", "diagnoses", "users"):
        assert arrived[name] == sent[name], name
    without = {"version", "output_id"}  # the same version and outputs, under the ids they have here
    for name in ("experiment_options", "enhancement_ratings"):
        assert [{k: v for k, v in row.items() if k not in without} for row in arrived[name]] == [
            {k: v for k, v in row.items() if k not in without} for row in sent[name]
        ], name
    assert arrived["studies"] == [row | {"project_id": target.world.study.project_id} for row in sent["studies"]]
    assert arrival.rows["enhancement_ratings"] == len(sent["enhancement_ratings"]) > 3


def test_the_examples_of_a_guide_are_called_as_the_outputs_are_there(
    origin: Installation, target: Installation, tmp_path: Path
) -> None:
    with origin.store.begin() as tx:
        study = tx.studies.get(origin.world.study.id)
        (shown, *_) = [one.output_id for one in tx.options.all(study_id=study.id) if one.output_id]
        output = tx.outputs.get(shown)
        foreign = tx.outputs.add(replace(output, id=new_id(), content_hash="f" * 64, object_key="outputs/x/ff/f"))
        examples = {"2": foreign.id, "4": output.id}
        tx.studies.replace(replace(study, guide=replace(study.guide, examples=examples)))
    file = origin.export_study(tmp_path / "study.zip")
    with target.store.begin() as tx:
        known = tx.outputs.add(replace(output, id=new_id()))  # the same image, under an id of its own
    target.load_study(file)
    with target.store.read() as tx:
        arrived = tx.studies.get(study.id)
        assert arrived.guide.examples == {"4": known.id}
        assert example_of(tx, arrived, known.id) == known
    target.study.export(study.id, tmp_path / "again.zip", watch)
    assert b'"examples":{"4":"' + known.id.encode() in members(tmp_path / "again.zip")["rows/studies.jsonl"]


def test_what_is_learnt_from_it_is_the_same_there(origin: Installation, target: Installation, tmp_path: Path) -> None:
    target.load_study(origin.export_study(tmp_path / "study.zip"))
    told = []
    for here in (origin, target):
        with here.store.read() as tx:
            told.append(requests.observations(tx, tx.studies.get(origin.world.study.id)))
    assert len(told[0]) > 1
    shared = {"point", "rating", "rater", "item", "at"}
    assert [o.model_dump(include=shared) for o in told[0]] == [o.model_dump(include=shared) for o in told[1]]


def test_the_same_history_gets_the_same_suggestion_on_the_other_engine(
    origin: Installation, target: Installation, tmp_path: Path
) -> None:
    def suggestion(there: Installation) -> Suggestion:
        with there.store.read() as tx:
            study = tx.studies.get(origin.world.study.id)
            sources = tx.of_experiments.next_inputs(study.id, 1)
            return there.world.parts.optimizer.suggest(requests.suggest_request(tx, study, 2, sources))

    target.load_study(origin.export_study(tmp_path / "study.zip"))
    assert suggestion(target).proposals == suggestion(origin).proposals
    assert len(suggestion(target).proposals) == 2


def test_present_images_arrive_and_removed_ones_do_not(
    origin: Installation, target: Installation, tmp_path: Path
) -> None:
    target.load_study(origin.export_study(tmp_path / "study.zip"))
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


def test_importing_twice_adds_nothing(origin: Installation, target: Installation, tmp_path: Path) -> None:
    file = origin.export_study(tmp_path / "study.zip")
    target.load_study(file)
    before = everything(target.store)
    again = target.load_study(file)
    assert (sum(again.rows.values()), again.images) == (0, 0)
    assert everything(target.store) == before


def test_a_study_comes_back_where_it_came_from_without_a_change(origin: Installation, tmp_path: Path) -> None:
    file, before = origin.export_study(tmp_path / "study.zip"), everything(origin.store)
    assert sum(origin.load_study(file).rows.values()) == 0
    assert everything(origin.store) == before


def test_it_goes_from_either_engine_to_sqlite(target: Installation, origin: Installation, tmp_path: Path) -> None:
    _live_some(target.world)
    arrival = origin.load_study(target.export_study(tmp_path / "study.zip"))
    assert arrival.id == target.world.study.id
    sent, arrived = target.rows(arrival.id), origin.rows(arrival.id)
    assert arrived["leases"] == sent["leases"] != []
    assert arrived["inputs"] == sent["inputs"]


def _live_some(world: World) -> None:
    rater = world.person()
    world.rate(rater, answer(world.hold(rater, 1).held[0].options[0].option_id))


def test_raters_who_arrive_are_raters_here_and_known_people_stay_who_they_are(
    origin: Installation, target: Installation, tmp_path: Path
) -> None:
    with origin.store.read() as tx:
        rater = tx.users.get(tx.leases.all()[0].rater_id)
    with target.store.begin() as tx:
        known = tx.users.add(User(new_id(), rater.email, target.world.clock.now()))
    target.load_study(origin.export_study(tmp_path / "study.zip"))
    members = project_members(target.world.parts, target.world.admin)
    assert [member.role for member in members if member.user.email == rater.email] == ["rater"]
    with target.store.read() as tx:
        assert tx.users.find(id=rater.id) is None
        assert {lease.rater_id for lease in tx.leases.all(rater_id=(known.id, rater.id))} == {known.id}
        assert tx.of_ratings.count_by(known.id, origin.world.study.id, target.world.clock.now())[1] == 1


def test_the_work_goes_on_where_it_stopped(origin: Installation, target: Installation, tmp_path: Path) -> None:
    with origin.store.begin() as tx:
        stopped = tx.experiments.all(study_id=origin.world.study.id, state="ready")[0]
        tx.of_experiments.move([stopped.id], "generating", target.world.clock.now())
        begun = tx.options.all(experiment_id=stopped.id)[0]
        tx.options.replace(replace(begun, state="generating", output_id=None))
    target.load_study(origin.export_study(tmp_path / "study.zip"))
    target.world.work()
    with target.store.read() as tx:
        assert tx.experiments.get(stopped.id).state == "ready"
        assert tx.options.get(begun.id).state == "ready"
        assert [event.object_id for event in tx.events.all(action="study.imported")] == [origin.world.study.id]


def test_what_was_taken_down_here_stays_down(origin: Installation, target: Installation, tmp_path: Path) -> None:
    file = origin.export_study(tmp_path / "study.zip")
    target.load_study(file)
    with target.store.read() as tx:
        source = tx.inputs.all(study_id=origin.world.study.id, removed_at=None)[0]
    intake.take_down(target.world.parts, target.world.admin, source.id)
    assert target.load_study(file).images == 0
    with pytest.raises(NotFound):
        target.objects.read(source.object_key)


def test_a_version_of_the_same_name_and_other_content_is_a_conflict(
    origin: Installation, target: Installation, tmp_path: Path
) -> None:
    file = origin.export_study(tmp_path / "study.zip")
    with target.store.begin() as tx:
        tx.connection.execute(tables.prompt_versions.update().values(sha256="0" * 64))
    before = everything(target.store)
    with pytest.raises(Conflict, match="has another version"):
        target.load_study(file)
    assert everything(target.store) == before


def test_a_version_gets_the_next_number_where_its_own_is_taken(
    origin: Installation, target: Installation, tmp_path: Path
) -> None:
    with target.store.begin() as tx:
        released = tx.versions.all()[0]
        tx.versions.add(replace(released, id=new_id(), number=2, name=None, parents=(released.id,), status="candidate"))
    target.load_study(origin.export_study(tmp_path / "study.zip"))
    with target.store.read() as tx:
        came = tx.versions.find(name="v1.1.0")
        assert came is not None
        assert (came.number, came.parents) == (3, (released.id,))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_released_version_that_comes_with_a_study_can_be_published_here(
    origin: Installation, target: Installation, tmp_path: Path
) -> None:
    target.load_study(origin.export_study(tmp_path / "study.zip"))
    assert publication.reconcile(target.world.parts) == ("versions/v1.1.0.json is there again",)
    came = Folder(target.folder / "prompts").read("versions/v1.1.0.json")
    assert came == Folder(origin.folder / "prompts").read("versions/v1.1.0.json")


def test_an_output_that_was_gone_here_is_there_again(
    origin: Installation, target: Installation, tmp_path: Path
) -> None:
    file = origin.export_study(tmp_path / "study.zip")
    target.load_study(file)
    with target.store.begin() as tx:
        output = tx.outputs.all(removed_at=None)[0]
        tx.of_objects.remove([output.object_key], target.world.clock.now())
    target.objects.delete(output.object_key)
    target.load_study(file)
    with target.store.read() as tx:
        assert tx.outputs.get(output.id) == output
    assert target.objects.read(output.object_key) == origin.objects.read(output.object_key)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_image_that_is_lost_is_named_and_the_rest_arrives(
    origin: Installation, target: Installation, tmp_path: Path
) -> None:
    with origin.store.read() as tx:
        source = tx.inputs.all(study_id=origin.world.study.id, removed_at=None)[0]
    origin.objects.delete(source.object_key)
    made = origin.study.export(origin.world.study.id, tmp_path / "study.zip", watch)
    assert made.lost == (source.object_key,)
    assert target.load_study(tmp_path / "study.zip").images == made.objects


BROKEN: dict[str, tuple[Change, str]] = {
    "newer": (manifest(palate_archive=3), "has format 3, which another version of Palate made; this one reads format"),
    "older": (manifest(palate_archive=0, holds="all"), "has format 0, which another version"),
    "holds what": (manifest(holds="all"), "holds"),
    "another study": (manifest(id=new_id()), "the one study"),
    "no manifest": (without("manifest.json"), "manifest.json is missing"),
    "no table": (without("rows/inputs.jsonl"), "rows/inputs.jsonl is missing"),
    "no image": (without("objects/inputs/"), "is missing"),
    "escape": (added("objects/inputs/../../../evil"), "no member"),
    "absolute": (added("/etc/evil"), "no member"),
    "backslash": (added("objects\\inputs\\evil"), "no member"),
    "stranger": (added("evil.py"), "no member"),
    "spoilt image": (spoilt, "not the one that its row names"),
    "missing row": (shortened, r"enhancement_ratings has \d+ rows, not the \d+"),
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
def test_a_broken_file_is_refused_and_nothing_is_written(way: str, origin: Installation, tmp_path: Path) -> None:
    change, says = BROKEN[way]
    file = rewritten(origin.export_study(tmp_path / "study.zip"), change)
    with origin.store.begin() as tx:
        tx.connection.execute(tables.diagnoses.delete())
    before = everything(origin.store), sorted(origin.objects.root.rglob("*"))
    with pytest.raises(InvalidRequest, match=says):
        origin.load_study(file)
    assert (everything(origin.store), sorted(origin.objects.root.rglob("*"))) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (line("studies", stop={"goal": 9.0}), "The goal must be from 1 to 5 stars"),
        (line("studies", optimizer={"exploration": 9.0, "initial": 10}), "Exploration must be between"),
        (line("studies", guide={"tags": {}}), "Give 1 to 12 tags"),
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_study_whose_settings_nobody_could_set_does_not_arrive(
    change: Change, says: str, origin: Installation, target: Installation, tmp_path: Path
) -> None:
    file = rewritten(origin.export_study(tmp_path / "study.zip"), change)
    before = everything(target.store)
    with pytest.raises(InvalidRequest, match=says):
        target.load_study(file)
    assert everything(target.store) == before


def test_a_truncated_file_and_another_kind_of_file_are_refused(origin: Installation, tmp_path: Path) -> None:
    file = origin.export_study(tmp_path / "study.zip")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(InvalidRequest, match="broken"):
        origin.load_study(file)
    file.write_text("no zip at all")
    with pytest.raises(InvalidRequest, match="broken"):
        origin.load_study(file)


def test_a_file_that_would_unpack_to_far_too_much_is_refused(origin: Installation, tmp_path: Path) -> None:
    file = origin.export_study(tmp_path / "study.zip")
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as more:
        more.writestr("objects/inputs/bomb", bytes(100 * 2**20))
    with pytest.raises(InvalidRequest, match="far more"):
        origin.load_study(file)


def test_a_member_named_twice_is_refused(origin: Installation, tmp_path: Path) -> None:
    file = origin.export_study(tmp_path / "study.zip")
    with zipfile.ZipFile(file, "a") as more, pytest.warns(UserWarning, match="Duplicate name"):
        more.writestr("rows/inputs.jsonl", b"")
    with pytest.raises(InvalidRequest, match="twice"):
        origin.load_study(file)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_database_without_a_project_is_told_what_to_do(origin: Installation, store: SqlStore, tmp_path: Path) -> None:
    empty = StudyArchive(Place(store, Folder(tmp_path / "empty"), intake.view_key))
    with pytest.raises(NotFound, match="no project yet"):
        empty.load(origin.export_study(tmp_path / "study.zip"), lambda tx, study: None, watch)


def test_a_study_that_is_not_there_leaves_no_file(origin: Installation, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        origin.study.export(new_id(), tmp_path / "study.zip", watch)
    assert not list(tmp_path.glob("*study.zip*"))


def test_every_value_survives_its_line(origin: Installation) -> None:
    for table, found in ((table, origin.rows(origin.world.study.id)[table.name]) for table in TABLES["study"]):
        for row in found:
            assert from_line(table, to_line(table, row)) == row


def test_a_prompt_that_is_new_here_comes_with_its_pointers(
    origin: Installation, store: SqlStore, tmp_path: Path
) -> None:
    with store.begin() as tx:
        project = tx.projects.add(Project(new_id(), "Other", origin.world.clock.now()))
        tx.users.add(User(new_id(), "a@b.c", project.created_at))
    archive = StudyArchive(Place(store, Folder(tmp_path / "other"), intake.view_key))
    archive.load(origin.export_study(tmp_path / "study.zip"), lambda tx, study: None, watch)
    with store.read() as tx:
        pointer = tx.pointers.find(prompt_key="photo-enhance", kind="environment", name="production")
        assert pointer is not None
        assert (
            tx.versions.get(pointer.version_id).name == versions.load_current(Folder(origin.folder / "prompts")).version
        )
        assert tx.prompts.get("photo-enhance").project_id == project.id


def test_an_archive_is_for_its_owners_eyes_only(origin: Installation, tmp_path: Path) -> None:
    assert stat.S_IMODE(origin.export_study(tmp_path / "study.zip").stat().st_mode) == 0o600
