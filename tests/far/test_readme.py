"""What the README shows and takes a while: the benchmarks, and simulated raters beside a running server."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from tests.care.pages import benchmarks
from tests.journeys.server import ROOT, serving, surroundings
from web.adapters.demo.inputs import sample_photos

pytestmark = pytest.mark.far


@pytest.mark.parametrize("name", list(benchmarks()))
def test_a_benchmark_that_the_readme_shows_runs(name: str) -> None:
    call = [sys.executable, "-m", f"benchmarks.{name}", "--quick"]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_simulated_raters_rate_and_what_was_learnt_is_applied(tmp_path: Path) -> None:
    photo, better = tmp_path / "photo.jpg", tmp_path / "better.jpg"
    cv2.imwrite(str(photo), next(iter(sample_photos().values())))
    with serving(tmp_path) as server:
        around = {**os.environ, **surroundings(server.settings), "PORT": str(server.port)}
        for words in (["simulate", "--raters", "3", "--ratings", "100"], ["enhance", str(photo), str(better)]):
            call = [sys.executable, "-m", "web", *words]
            done = subprocess.run(call, cwd=ROOT, env=around, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        with server.store.read() as tx:
            assert len(tx.ratings.all()) >= 100
    assert better.stat().st_size > 0
