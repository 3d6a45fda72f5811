"""Fixtures of commands: an installation that they find by its environment, and how they are run there."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_service.wire.contract import FloatParameter, ParameterSpace
from web.__main__ import main
from web.cli.operations.place import ready
from web.domain.studies.study import Study
from web.parts import build_parts
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.studies.studies import StudyDraft, make_study
from web.settings import Settings, load_settings

SPACE = ParameterSpace(parameters={"exposure": FloatParameter(low=-1, high=1, default=0, unit="EV")})
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A place on SQLite where nothing is yet but the prompts."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    shutil.copytree("prompts", tmp_path / "prompts")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PROMPTS_DIR", str(tmp_path / "prompts"))


@pytest.fixture
def here(environment: None) -> Parts:
    """A fresh installation in that place."""
    settings = load_settings()
    parts = build_parts(settings)
    ready(settings, parts)
    return parts


@pytest.fixture
def study(here: Parts) -> Study:
    return make_study(here, accounts.operator(here), StudyDraft("Photos", {"local": SPACE}))


@pytest.fixture
def run(environment: None, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command and return its exit code, and what it said and complained."""

    def run(*words: object) -> tuple[int, str, str]:
        try:
            code = main([str(word) for word in words])
        except SystemExit as ended:
            code = int(str(ended.code))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
