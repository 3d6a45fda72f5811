"""What a start imports: no more than a command uses, and no numbers, pictures or SDKs in a root."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shape.places import ROOT
from web.adapters.database.migrate import migrate

HEAVY = {"cv2", "fastapi", "httpx", "openai", "PIL", "scipy", "sklearn", "skopt", "uvicorn", "web.app"}
SDKS = {"boto3", "openai", "replicate"}
NUMBERS = {"cv2", "PIL", "pyarrow", "scipy", "sklearn", "skopt", "torch"}
ROOTS = {
    "web.app": NUMBERS | SDKS,
    "web.jobs.worker": NUMBERS | SDKS,
    "ml_service.handler": {"cv2", "PIL", "torch"} | SDKS,
}
LOOK = """
import runpy, sys
sys.argv = ["web", *sys.argv[1:]]
try:
    runpy.run_module("web", run_name="__main__")
finally:
    print(*sys.modules, file=sys.stderr)
"""


def imported(folder: Path, *words: str) -> set[str]:
    """Run a command in a process of its own and return which modules it imported."""
    around = {**os.environ, "DATA_DIR": str(folder), "PROMPTS_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", LOOK, *words], env=around, cwd=ROOT, capture_output=True, text=True)
    return set(done.stderr.split())


def test_help_imports_nothing_but_the_table_of_commands(tmp_path: Path) -> None:
    found = imported(tmp_path, "--help")
    assert {name for name in found if name.startswith("web.")} == {"web.cli", "web.cli.command", "web.cli.commands"}
    assert "pydantic" not in found


@pytest.mark.parametrize(
    "words",
    ["key list", "user list", "promote v9.9.9", "rollback", "abtests list", "export --project a.zip", "migrate"],
)
def test_a_command_without_numbers_imports_neither_them_nor_the_app(words: str, tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'palate.db'}")
    found = imported(tmp_path, *words.split())
    assert "web.cli.command" in found
    assert found & HEAVY == set()


@pytest.mark.parametrize("root", list(ROOTS))
def test_a_root_imports_nothing_heavy_before_it_is_asked_for_something(root: str) -> None:
    code = f"import sys, {root}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & ROOTS[root] == set()
