"""The client is one file that may be copied anywhere, and a small program."""

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from client import palate_client
from client.palate_client import main
from tests.client.palate import KEY, Palate, published, until

FILE = Path(palate_client.__file__)
TREE = ast.parse(FILE.read_text())
ROOM = 100  # bytes


def test_it_needs_the_standard_library_alone() -> None:
    (load,) = (node for node in ast.walk(TREE) if isinstance(node, ast.FunctionDef) and node.name == "load")
    assert imported(load) == {"pandas"}
    assert imported(TREE) - imported(load) <= sys.stdlib_module_names


def imported(tree: ast.AST) -> set[str]:
    """Return the packages that are imported somewhere in a piece of code."""
    found = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    found |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in found}


def test_it_is_python_3_9_in_its_grammar() -> None:
    ast.parse(FILE.read_text(), feature_version=(3, 9))
    with pytest.raises(SyntaxError):
        ast.parse("match 1:\n    case _: pass", feature_version=(3, 9))


def test_it_catches_only_what_it_names() -> None:
    caught = [node.type for node in ast.walk(TREE) if isinstance(node, ast.ExceptHandler)]
    assert caught
    assert not [kind for kind in caught if kind is None or "'Exception'" in ast.dump(kind)]


def test_a_copy_runs_anywhere(palate: Palate, tmp_path: Path) -> None:
    shutil.copy(FILE, tmp_path / "copied.py")
    command = [sys.executable, "-I", "-W", "error", "copied.py", "--url", palate.url]
    done = subprocess.run(command, cwd=tmp_path, env={"PALATE_KEY": KEY}, capture_output=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, palate.live, b"")
    assert palate.asked[0].key == f"Bearer {KEY}"


def test_it_prints_the_live_version_or_a_pinned_one(
    palate: Palate, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    palate.pinned = {"v0.9.0": published("v0.9.0")}
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert main(["--url", palate.url, "--key-file", str(tmp_path / "key"), "--pinned", "v0.9.0"]) == 0
    assert capfdbinary.readouterr().out == palate.pinned["v0.9.0"]
    assert palate.asked[0].key == f"Bearer {KEY}"


FULL = f"""
import resource, signal, sys
import palate_client
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({ROOM}, {ROOM}))
sys.exit(palate_client.main())
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_disk_that_is_full_midway_is_an_error(palate: Palate, tmp_path: Path, unbuffered: str) -> None:
    assert len(palate.live) > ROOM
    given = {**os.environ, "PALATE_URL": palate.url, "PALATE_KEY": KEY, "PYTHONUNBUFFERED": unbuffered}
    with (tmp_path / "current.json").open("wb") as out:
        command = [sys.executable, "-c", FULL]
        done = subprocess.run(command, cwd=FILE.parent, env=given, stdout=out, stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == 1
    assert b"File too large" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_what_is_wrong_is_said_in_a_line(palate: Palate, capfd: pytest.CaptureFixture[str]) -> None:
    palate.fault = lambda at: at.answer(401, b"{}")
    assert main(["--url", palate.url]) == 1
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("There is no current version of photo-enhance: the server answered 401: the key is ")
    assert said.err.count("\n") == 1
    assert main(["--url", palate.url, "--key-file", "/nowhere/key"]) == 1
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert "PALATE_URL" in capfd.readouterr().err


def test_it_watches_and_prints_each_change_as_a_line_of_json(palate: Palate, tmp_path: Path) -> None:
    command = [sys.executable, str(FILE), "--watch", "0.05"]
    given = {**os.environ, "PALATE_URL": palate.url, "PALATE_KEY": KEY, "PALATE_CACHE": str(tmp_path / "cache")}
    with (tmp_path / "out").open("wb") as out:
        # Whoever runs the tests in the background passes on a Ctrl+C that is ignored.
        heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        watcher = subprocess.Popen(command, stdout=out, env=given, preexec_fn=heard)

    def lines() -> list[dict[str, object]]:
        return [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]

    until("the first line", lambda: len(lines()) == 1)
    palate.live = published("v1.1.0")
    until("the second line", lambda: len(lines()) == 2)
    palate.fault = lambda at: at.answer(500, b"")
    until("the third line", lambda: len(lines()) == 3)
    watcher.send_signal(signal.SIGINT)
    assert watcher.wait(60) == 0
    assert [(line["version"], line["error"] is None) for line in lines()] == [
        ("v1.0.0", True),
        ("v1.1.0", True),
        ("v1.1.0", False),
    ]
    assert lines()[2]["stale_since"]
    assert (tmp_path / "cache" / "versions" / "current.json").read_bytes() == palate.live
    assert KEY not in (tmp_path / "out").read_text()
