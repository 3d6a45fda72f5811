"""The commands as a person or a script runs them: words, JSON, exit codes."""

import json
import socket
from argparse import ArgumentParser, Namespace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.failing import held_by_another
from tests.unit.cli.conftest import SPACE, Run
from tests.world import photo
from web.__main__ import main
from web.adapters.database.migrate import downgrade
from web.cli.command import Command, Group, add_commands, address, every, nearby, progress, say, table
from web.cli.commands import COMMANDS
from web.cli.operations import doctor, serve
from web.domain.ids import new_id
from web.domain.job import Job
from web.domain.jobs import plan_job
from web.domain.studies.study import Study
from web.parts import build_parts
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.audit.record import record
from web.services.studies.studies import StudyDraft, make_study
from web.settings import Settings, load_settings

NAMES = [words for words, _ in every(COMMANDS)]


@pytest.fixture(autouse=True)
def free_port(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PORT", str(probe.getsockname()[1]))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in (1, 2):
        (folder / f"{seed}.jpg").write_bytes(photo(seed))
    return folder


def checks(output: str) -> dict[str, dict[str, str]]:
    found = [json.loads(line) for line in output.splitlines()]
    return {check["name"]: check for check in found}


@pytest.mark.parametrize("name", NAMES)
def test_every_command_explains_itself_even_where_settings_are_wrong(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "many")
    with pytest.raises(SystemExit) as stopped:
        main([*name.split(), "--help"])
    assert stopped.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_wrong_settings_stop_a_command_and_are_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "many")
    code, said, complained = run("migrate")
    assert (code, said) == (2, "")
    assert "PORT:" in complained


def test_an_unknown_command_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["dance"])
    assert stopped.value.code == 2
    assert "dance" in capsys.readouterr().err


KEY = Command("key", "keep keys", "accounts.keys")
GROUPED = (Group("prompts", "look after prompts", (KEY, Command("gone", "be none", "no.such"))), KEY)


def test_commands_of_a_group_share_their_first_word_and_only_the_one_that_is_asked_for_is_imported() -> None:
    assert [words for words, _ in every(GROUPED)] == ["prompts key", "prompts gone", "key"]
    for words in (["prompts", "key", "list", "--json"], ["key", "list", "--json"]):
        parser = ArgumentParser()
        add_commands(parser, GROUPED, words)
        found = parser.parse_args(words)
        assert (found.command, found.action, found.json) == (KEY, "list", True)


def test_json_tells_times_as_downloads_do(capsys: pytest.CaptureFixture[str]) -> None:
    at = datetime(2026, 11, 21, 14, tzinfo=timezone(timedelta(hours=2)))
    say(Namespace(json=True), "", at=at, day=at.date())
    table(Namespace(json=True), [{"at": at.replace(microsecond=7)}])
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {"at": "2026-11-21T12:00:00.000000Z", "day": "2026-11-21"}
    assert second == {"at": "2026-11-21T12:00:00.000007Z"}


@pytest.mark.parametrize("words", [["prompts", "--help"], ["--help"]])
def test_a_group_tells_what_it_holds(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    add_commands(parser, GROUPED, words)
    with pytest.raises(SystemExit) as stopped:
        parser.parse_args(words)
    said = capsys.readouterr().out
    assert (stopped.value.code, "keep keys" in said) == (0, True)
    assert ("Look after prompts." in said) == (len(words) == 2)


def test_a_group_alone_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    add_commands(parser, GROUPED, ["prompts"])
    with pytest.raises(SystemExit) as stopped:
        parser.parse_args(["prompts"])
    assert stopped.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_migrate_says_so_in_words_and_in_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert run("migrate") == (0, "The database has the newest schema.\n", "")
    assert json.loads(run("migrate", "--json")[1]) == {"migrated": True}


def test_a_database_that_is_away_is_a_message_and_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://palate@127.0.0.1:1/palate")
    code, _, complained = run("migrate")
    assert code == 1
    assert "does not answer" in complained


def test_a_port_that_is_taken_is_said_before_anything_is_made(run: Run, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        code, _, complaint = run("serve", "--port", other.getsockname()[1])
    assert code == 1
    assert "--port" in complaint
    assert not (tmp_path / "data" / "palate.db").exists()


def test_a_folder_of_photos_becomes_inputs_and_what_is_refused_is_named(
    run: Run, here: Parts, study: Study, photos: Path
) -> None:
    (photos / "again.jpg").write_bytes((photos / "1.jpg").read_bytes())
    (photos / "notes.txt").write_text("no photo")
    (photos / "empty.png").write_bytes(b"")
    (photos / ".hidden").write_bytes(b"")
    code, said, _ = run("import", photos, "--study", "Photos")
    *refused, summary = said.splitlines()
    assert code == 1
    assert [line.split(":")[0] for line in refused] == ["empty.png", "notes.txt"]
    assert "The file is empty" in refused[0]
    assert summary == "2 photos added, 1 were there already, 2 refused."
    with here.store.read() as tx:
        assert [source.name for source in tx.inputs.all(study_id=study.id)] == ["1.jpg", "2.jpg"]


def test_photos_imported_twice_are_there_once(run: Run, study: Study, photos: Path) -> None:
    assert run("import", photos, "--study", study.id)[0] == 0
    code, said, _ = run("import", photos, "--study", study.id, "--json")
    assert (code, json.loads(said)) == (0, {"study": study.id, "added": 0, "known": 2, "refused": 0, "left": 0})


def test_a_study_goes_into_a_file_and_into_another_installation(
    run: Run, study: Study, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("import", photos, "--study", study.id)
    code, said, _ = run("export", "Photos", tmp_path / "study.zip", "--json")
    assert (code, json.loads(said)["objects"]) == (0, 4)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "elsewhere"))
    code, said, _ = run("import", tmp_path / "study.zip", "--json")
    arrival = json.loads(said)
    assert (code, arrival["study"], arrival["images"], arrival["rows"]["inputs"]) == (0, study.id, 4, 2)
    assert "all of it was here already" in run("import", tmp_path / "study.zip")[1]
    with build_parts(load_settings()).store.read() as tx:
        assert {job.task for job in tx.jobs.all(study_id=study.id)} == {"plan", "learn"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("import", "nowhere"), "no file and no folder"),
        (("import", "tests"), "--study"),
        (("import", "README.md"), "broken"),
        (("import", "README.md", "--study", "Photos"), "goes with a folder"),
        (("export", "Nobody's", "out.zip"), "There are: Photos"),
    ],
)
def test_what_cannot_be_done_is_said_with_exit_code_1(
    words: tuple[str, ...], says: str, run: Run, study: Study
) -> None:
    code, said, complained = run(*words)
    assert (code, said) == (1, "")
    assert says in complained


def test_a_name_of_two_studies_asks_for_an_id(run: Run, here: Parts, study: Study) -> None:
    make_study(here, accounts.operator(here), StudyDraft("Photos", {"local": SPACE}))
    assert study.id in run("export", "Photos", "out.zip")[2]


def test_the_doctor_finds_a_fresh_machine_well_but_empty(run: Run) -> None:
    code, said, _ = run("doctor", "--json")
    found = checks(said)
    assert code == 0
    assert {name for name, check in found.items() if check["state"] != "ok"} == {"address", "database"}
    assert "python -m web serve" in found["database"]["says"]


def test_the_doctor_finds_a_working_machine_well(run: Run, here: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://palate.example")
    code, said, _ = run("doctor", "--json")
    states = {name: check["state"] for name, check in checks(said).items()}
    wanted = ["python", "settings", "prompts", "text model", "port", "address", "data", "images", "generator"]
    assert code == 0
    assert states == dict.fromkeys([*wanted, "database", "changes", "live prompt", "clock", "worker", "jobs"], "ok")


def test_the_doctor_says_that_another_program_holds_the_database(run: Run, here: Parts) -> None:
    with held_by_another(load_settings().database_url.removeprefix("sqlite:///")):
        code, said, _ = run("doctor", "--json")
    assert (code, checks(said)["changes"]["state"]) == (1, "fail")
    assert "Another program holds the database" in checks(said)["changes"]["says"]


def test_the_doctor_sees_that_the_clock_went_back(run: Run, here: Parts, study: Study) -> None:
    tomorrow = here.clock.now() + timedelta(days=1)
    with here.store.begin() as tx:
        tx.jobs.remove(state="waiting")
        tx.of_jobs.add_once([plan_job(study.id, tomorrow)])
    assert "1 jobs were dated" in checks(run("doctor", "--json")[1])["clock"]["says"]
    with here.store.begin() as tx:
        tx.jobs.remove(state="waiting")
        record(tx, tomorrow, accounts.operator(here), "study.paused", ("study", study.id), after=study)
    assert "still to come" in checks(run("doctor", "--json")[1])["clock"]["says"]


def test_the_doctor_speaks_to_people_too(run: Run, here: Parts) -> None:
    said = run("doctor")[1].splitlines()
    assert said[0].startswith("ok    python: 3.")
    assert all(line.endswith(".") for line in said)


def test_the_doctor_names_wrong_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "many")
    code, said, _ = run("doctor", "--json")
    assert code == 1
    assert "PORT:" in checks(said)["settings"]["says"]


def test_the_doctor_says_which_text_model_is_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "scripted" in checks(run("doctor", "--json")[1])["text model"]["says"]
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake")
    monkeypatch.setenv("TEXT_MODEL", "gpt-4.1-mini")
    said = checks(run("doctor", "--json")[1])["text model"]["says"]
    assert said.startswith("gpt-4.1-mini at https://api.openai.com/v1, at $0.4 and $1.6 per million")
    assert "sk-fake" not in said


def test_the_doctor_sees_a_prompt_that_was_changed(run: Run, tmp_path: Path) -> None:
    current = tmp_path / "prompts" / "versions" / "current.json"
    current.write_text(current.read_text().replace('"created_by": "', '"created_by": "not '))
    code, said, _ = run("doctor", "--json")
    assert (code, checks(said)["prompts"]["state"]) == (1, "fail")
    assert "sha256" in checks(said)["prompts"]["says"]


def test_the_doctor_sees_a_port_that_is_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PORT", str(other.getsockname()[1]))
        code, said, _ = run("doctor", "--json")
    assert (code, checks(said)["port"]["state"]) == (1, "fail")
    assert "PORT" in checks(said)["port"]["says"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "PUBLIC_URL is not set, so links name whatever host a request names"),
        ("http://palate.example", "is reached over http, so passwords can be read on the way"),
        ("http://localhost:8000/palate", "is what links begin with."),
    ],
)
def test_the_doctor_looks_where_links_lead(run: Run, monkeypatch: pytest.MonkeyPatch, given: str, says: str) -> None:
    monkeypatch.setenv("PUBLIC_URL", given)
    code, said, _ = run("doctor", "--json")
    found = checks(said)["address"]
    assert (code, found["state"]) == (0, "ok" if "localhost" in given else "warn")
    assert says in found["says"]


def test_the_doctor_sees_a_public_address_that_leads_elsewhere() -> None:
    settings = Settings(_env_file=None, public_url="http://127.0.0.1:1/palate")
    found = doctor.address(settings, serving=True)
    assert (found.state, "127.0.0.1:1/palate/health/live does not answer as Palate" in found.says) == ("warn", True)


def test_the_doctor_sees_a_data_folder_that_is_none(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    code, said, _ = run("doctor", "--json")
    assert (code, checks(said)["data"]["state"]) == (1, "fail")
    assert "database" not in checks(said)


def test_the_doctor_sees_an_old_schema(run: Run, here: Parts) -> None:
    downgrade(load_settings().database_url, "base")
    code, said, _ = run("doctor", "--json")
    assert (code, checks(said)["database"]["state"]) == (1, "fail")
    assert "python -m web migrate" in checks(said)["database"]["says"]


def test_the_doctor_sees_a_database_that_is_away(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://palate@127.0.0.1:1/palate")
    code, said, _ = run("doctor", "--json")
    assert (code, checks(said)["database"]["state"]) == (1, "fail")


def test_the_doctor_sees_an_ml_service_that_is_away(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_SERVICE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ML_SERVICE_TOKEN", "a token of some length")
    code, said, _ = run("doctor", "--json")
    assert (code, checks(said)["ml service"]["state"]) == (1, "fail")
    assert "python -m ml_service" in checks(said)["ml service"]["says"]


def test_the_doctor_sees_work_that_nobody_does_and_work_that_failed(run: Run, here: Parts) -> None:
    now = here.clock.now()
    long_ago = now - timedelta(minutes=5)
    poison = Job(new_id(), "b", "plan", {}, long_ago, long_ago, state="parked", error="Conflict: no.", finished_at=now)
    with here.store.begin() as tx:
        tx.jobs.add(Job(new_id(), "a", "plan", {}, long_ago, long_ago))
        tx.jobs.add(poison)
    code, said, _ = run("doctor", "--json")
    found = checks(said)
    assert (code, found["worker"]["state"], found["jobs"]["state"]) == (0, "warn", "warn")
    assert "python -m web work" in found["worker"]["says"]
    assert "Conflict: no." in found["jobs"]["says"]


def test_the_doctor_sees_a_prompt_without_a_live_version(run: Run, here: Parts) -> None:
    with here.store.begin() as tx:
        pointer = tx.pointers.find(kind="environment")
        assert pointer is not None
        tx.pointers.replace(type(pointer)(**{**pointer.__dict__, "name": "staging"}))
    code, said, _ = run("doctor", "--json")
    assert (code, checks(said)["live prompt"]["state"]) == (1, "fail")


def test_rows_are_columns_for_people_and_lines_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": "a", "count": 10}, {"name": "longer", "count": 2}]
    table(Namespace(json=False), rows)
    assert capsys.readouterr().out == "name    count\na       10\nlonger  2\n"
    table(Namespace(json=True), rows)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == rows


def test_what_is_printed_leads_to_the_public_address(run: Run, here: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://example.org:443/palate/")
    link = json.loads(run("user", "link", "rita@home.org", "--json")[1])["link"]
    assert link.startswith("https://example.org/palate/link/")
    settings = load_settings()
    assert serve.greeting("secret", address(settings, 9000)) == [
        "Palate is at https://example.org/palate/train",
        "Sign in as the first admin, once, with https://example.org/palate/link/secret",
    ]
    assert nearby(settings, 9000) == "http://localhost:9000/palate"


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress([1, 2], "things", 2)) == [1, 2]
    assert capsys.readouterr().err == ""


def test_a_person_is_erased_by_their_address_typed_again(run: Run, here: Parts, study: Study) -> None:
    actor = accounts.operator(here)
    accounts.use_link(here, accounts.invite(here, actor, "rater", "rita@home.org"))
    assert "--confirm" in run("erase", "person", "rita@home.org")[2]
    code, _, complained = run("erase", "person", "rita@home.org", "--confirm", "rita")
    assert (code, "Nothing was erased" in complained) == (1, True)
    code, said, _ = run("erase", "person", "Rita@home.org", "--confirm", "rita@home.org", "--json")
    erased = json.loads(said)
    assert (code, erased["kind"]) == (0, "person")
    assert "rita" not in run("user", "list")[1]
    assert run("erase", "person", "rita@home.org", "--confirm", "rita@home.org")[0] == 1
    assert run("erase", "person", erased["erased"], "--confirm", "again")[0] == 0
    assert run("verify")[0] == 0


def test_a_photo_is_erased_by_its_id(run: Run, here: Parts, study: Study, photos: Path) -> None:
    run("import", photos, "--study", "Photos")
    with here.store.read() as tx:
        source = tx.inputs.all(study_id=study.id)[0]
    assert run("erase", "input", source.id, "--confirm", "no")[0] == 1
    assert source.object_key in here.objects.list()
    for _ in range(2):
        assert run("erase", "input", source.id, "--confirm", "erase")[0] == 0
    assert source.object_key not in here.objects.list()
    assert run("verify")[0] == 0
