"""A small file system of its own, so that a disk can really be full."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import pytest

FILLER = "filler"


@contextmanager
def small_disk(place: Path, megabytes: int = 8) -> Iterator[Path]:
    """Mount an empty file system in memory; where this account may not, the test is skipped."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "palate-test", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a full disk needs the right to mount one (root): {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> None:
    """Write until not one byte more fits."""
    with (disk / FILLER).open("wb", buffering=0) as filler:
        for size in (1 << 16, 1):
            with pytest.raises(OSError, match="No space left"):
                _write_for_ever(filler, bytes(size))


def _write_for_ever(file: FileIO, piece: bytes) -> None:
    while True:
        file.write(piece)


def make_room(disk: Path) -> None:
    """Take away what filled the disk."""
    (disk / FILLER).unlink()
