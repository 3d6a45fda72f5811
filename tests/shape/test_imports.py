"""The diagram of the house is a test: who may import whom."""

import subprocess
import sys
from pathlib import Path

from tests.shape.places import ROOT


def test_the_import_contracts_hold() -> None:
    # In a process of its own: import-linter 2.16 disables every logger that there is, and later tests read logs.
    done = subprocess.run([Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()
