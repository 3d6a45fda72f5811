"""Each command that the README and the pages show does what it says, as it is written, on a project that has lived."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.care.lived import Installation
from tests.care.pages import Block, benchmarks, blocks
from tests.journeys.server import free_port, until
from tests.postgres import Postgres
from tests.shape.places import ROOT
from tests.shape.test_wire_docs import example
from web.__main__ import main
from web.settings import Settings

# What runs these, where it is not this module.
ELSEWHERE = {
    "make run": "the journeys use the server that it starts",
    "make test": "whoever reads that this passed has run it",
    ".venv/bin/python -m web simulate --raters 3 --ratings 100": "tests/far",
    ".venv/bin/python -m web enhance photo.jpg better.jpg": "tests/far",
    **{f"make bench NAME={name} ARGS=--quick": "tests/far" for name in benchmarks()},
}
HERE = [block for block in blocks() if not set(block.lines) <= ELSEWHERE.keys()]
# What was typed before a block, by its first line.
BEFORE = {
    "export DATA_DIR=/srv/palate-new PROMPTS_DIR=/srv/palate-new/prompts": (
        "python -m web backup /backups/palate-2026-11-20.zip",
    ),
    'python -m web promote --best STUDY --note "raters prefer it by half a star"': ("python -m web rollback",),
}
HEALTH = {"web": "/health/ready", "ml_service": "/ml/health"}


class Terminal:
    """Types lines of a page, with a place or a name that is here for each that the page made up."""

    def __init__(self, folder: Path, here: dict[str, str], monkeypatch: pytest.MonkeyPatch, open_: ExitStack) -> None:
        self.folder, self.here, self.monkeypatch, self.open = folder, here, monkeypatch, open_

    def type(self, line: str) -> None:
        """Do one line; it must succeed."""
        for made_up, real in self.here.items():
            line = line.replace(made_up, real)
        words = shlex.split(line)
        is_exported = words[0] == "export"
        words = words[1:] if is_exported else words
        while words and re.match("[A-Z_]+=", words[0]):
            self.monkeypatch.setenv(*words.pop(0).split("=", 1))
        if words[-1:] == ["serve"]:
            self._serve(words[2])
        elif words[1:3] == ["-m", "web"] and "DATABASE_URL" not in os.environ:
            assert main(words[3:]) == 0, line
        elif not is_exported:
            self._shell(line)

    def _shell(self, line: str) -> None:
        done = subprocess.run(["bash", "-ec", line], cwd=self.folder, env=around(), capture_output=True, text=True)
        assert done.returncode == 0, (line, done.stderr)
        assert done.stdout, line

    def _serve(self, package: str) -> None:
        port = str(free_port())
        self.monkeypatch.setenv("PORT", port)
        self.here["localhost:8001"] = f"localhost:{port}"
        process = subprocess.Popen([sys.executable, "-m", package, "serve"], env=around(), cwd=self.folder)
        self.open.callback(process.wait, 60)
        self.open.callback(process.terminate)
        health = f"http://localhost:{port}{HEALTH[package]}"
        until(f"an answer of {package}, or its end", lambda: process.poll() is not None or answers(health))
        assert process.poll() is None, f"{package} did not start"


def around() -> dict[str, str]:
    """Return the environment of a process that finds this Python and the packages from anywhere."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": f"{ROOT}{os.pathsep}.", "OPENBLAS_NUM_THREADS": "1"}


def answers(address: str) -> bool:
    try:
        return httpx.get(address).status_code == 200
    except httpx.TransportError:
        return False


def plugin() -> str:
    """Return the plugin that its page shows."""
    shown = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "plugins.md").read_text(), re.DOTALL)
    assert shown is not None
    return shown[1]


@pytest.fixture
def terminal(
    origin: Installation, postgres_server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    """A terminal in a folder with what the pages take for granted, on a project that has lived."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATA_DIR", str(origin.folder))
    monkeypatch.setenv("PROMPTS_DIR", str(origin.folder / "prompts"))
    folder = tmp_path / "folder"
    (folder / "backups").mkdir(parents=True)
    (folder / "request.json").write_text(example("request.json"))
    (folder / "our_rules.py").write_text(plugin())
    monkeypatch.chdir(folder)
    with origin.store.read() as tx:
        source = tx.inputs.all(study_id=origin.world.study.id)[0]
        person = next(one for one in tx.users.all() if one.id != origin.world.admin.user_id)
    database = postgres_server.make()
    here = {
        "/backups/": f"{folder}/backups/",
        "/srv/": f"{folder}/srv/",
        "$(date +%F)": "2026-11-20",
        "postgresql://palate@db/palate": postgres_server.url(database),
        "STUDY": "Photos",
        "v1.2.0": "v1.0.0",
        "somebody@example.org": person.email,
        "input ID": f"input {source.id}",
        ".venv/bin/python": "python",
    }
    typed = iter((person.email, "erase"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: next(typed))
    with ExitStack() as opened:
        yield Terminal(folder, here, monkeypatch, opened)
    postgres_server.drop(database)


def test_every_command_that_is_shown_is_run_somewhere() -> None:
    shown = {line for block in blocks() for line in block.lines}
    assert ELSEWHERE.keys() <= shown
    assert {"make run", "python -m web verify"} <= shown
    mixed = [block.name for block in HERE if set(block.lines) & ELSEWHERE.keys()]
    assert mixed == []


@pytest.mark.parametrize("block", HERE, ids=lambda block: block.name)
def test_a_block_of_a_page_runs_as_it_is_written(terminal: Terminal, block: Block) -> None:
    for line in (*BEFORE.get(block.lines[0], ()), *block.lines):
        terminal.type(line)
