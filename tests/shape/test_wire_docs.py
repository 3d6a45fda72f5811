"""The documented wire is the one that is spoken."""

import io
import json
import re
import sys
from types import SimpleNamespace

import pytest

from ml_service import __main__ as command
from ml_service.wire.bodies import parse
from ml_service.wire.contract import Suggestion, SuggestRequest
from ml_service.wire.schema import schema
from tests.shape.places import ROOT

PAGE = (ROOT / "docs" / "optimizer.md").read_text()


def example(name: str) -> str:
    found = re.search(rf"<!-- {re.escape(name)} -->\n```json\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"docs/optimizer.md has no {name}"
    return found[1]


def test_the_schema_is_fresh() -> None:
    kept = json.loads((ROOT / "docs" / "ml-service-schema.json").read_text())
    assert kept == schema(), "run `python -m ml_service schema > docs/ml-service-schema.json`"


def test_the_documented_request_gets_the_documented_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(example("request.json").encode())))
    assert command.main(["suggest"]) == 0
    said = parse(Suggestion, capsys.readouterr().out)
    documented = parse(Suggestion, example("answer.json"))
    assert said == documented


def test_the_documented_request_says_what_the_page_says_of_it() -> None:
    request = parse(SuggestRequest, example("request.json"))
    assert [(one.rater, one.rating, one.output) for one in request.seen] == [
        ("ana", 3, "output-1"),
        ("ana", 4, "output-2"),
        ("ben", 5, "output-2"),
    ]
    assert request.spaces["local"].faults(request.seen[2].point) == []
