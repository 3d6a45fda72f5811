import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from ml_service import __main__ as command
from ml_service.optimizer.suggest import diagnose, suggest
from ml_service.wire.bodies import MAX_BODY
from ml_service.wire.contract import DiagnoseRequest, SuggestRequest
from tests.unit.ml.histories import BOWL, random_history

ASK = SuggestRequest(spaces={"local": BOWL}, seen=tuple(random_history(12)), count=2)
LEARN = DiagnoseRequest(spaces={"local": BOWL}, seen=ASK.seen)


def run(monkeypatch: pytest.MonkeyPatch, body: bytes, *arguments: str) -> int:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(body)))
    return command.main(arguments)


def test_a_question_is_answered_in_a_process_of_its_own_without_a_setting() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ML_SERVICE_TOKEN"}
    said = subprocess.run(
        [sys.executable, "-m", "ml_service", "suggest"],
        env=environment,
        input=ASK.model_dump_json(),
        capture_output=True,
        text=True,
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == suggest(ASK).model_dump_json() + "\n"


def test_diagnose_answers_what_the_function_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, LEARN.model_dump_json().encode(), "diagnose") == 0
    assert capsys.readouterr().out == diagnose(LEARN).model_dump_json() + "\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "Invalid JSON: EOF while parsing a value at line 1 column 0.\n"),
        (b'{"spaces": {}, "seed": 1}', "spaces: Dictionary should have at least 1 item after validation, not 0.\n"),
        (b" " * (MAX_BODY + 1), "A request may have 16 MiB, packed and unpacked. Send fewer ratings.\n"),
        (ASK.model_copy(update={"reference": {"x": 9.0}}).model_dump_json().encode(), "The reference point is not in"),
    ],
)
def test_a_refused_question_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], body: bytes, said: str
) -> None:
    assert run(monkeypatch, body, "suggest") == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(said)


@pytest.mark.parametrize("arguments", [["sugest"], ["suggest", "more"], ["--fast"]])
def test_a_wrong_command_is_told_in_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.endswith("see `python -m ml_service --help`.\n")


def test_help_names_each_command_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        command.main(["--help"])
    assert stop.value.code == 0
    told = capsys.readouterr().out
    assert all(name in told for name in ("serve", "suggest", "diagnose", "schema"))
    assert "Read a SuggestRequest from the standard input" in told


def test_the_schema_holds_questions_and_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["schema"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"SuggestRequest", "DiagnoseRequest", "Suggestion", "Diagnosis", "Table"} <= set(told["$defs"])
