"""Do something with each file of a folder: past what cannot be used, and with patience where the machine is busy."""

import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ml_service.errors import InvalidRequest, Throttled, TooLarge, Unavailable
from web.cli.command import progress, say

T = TypeVar("T")
PASSING = (Unavailable, Throttled)  # which say nothing against the file
TRIES = 3
LONGEST_WAIT_SECONDS = 5.0
GIVE_UP = 3  # files in a row for which there was no time: there will be none for the next either


@dataclass
class Tally:
    """How many files were done, cannot be used, and are left because something was away."""

    done: int = 0
    refused: int = 0
    left: int = 0

    @property
    def code(self) -> int:
        """Return the exit code: 1 where not all were done."""
        return 1 if self.refused or self.left else 0

    @property
    def advice(self) -> str:
        """Return what to do about those that are left, as a sentence to be appended; empty where none is."""
        return " Run it again for those that are left." if self.left else ""


def each(arguments: Namespace, files: Sequence[Path], label: str, do: Callable[[Path], None]) -> Tally:
    """Do something with each file, naming those that are refused or left with the reason; the others are done.

    What is wrong with more than one file, as a full disk is, ends it.
    """
    tally, in_a_row = Tally(), 0
    for file in progress(files, label, len(files)):
        try:
            patiently(do, file)
        except PASSING as error:
            tally.left, in_a_row = tally.left + 1, in_a_row + 1
            say(arguments, f"{file.name} is left: {error}", file=file.name, left=str(error))
            if in_a_row == GIVE_UP:
                break
        except (InvalidRequest, TooLarge) as error:
            tally.refused, in_a_row = tally.refused + 1, 0
            say(arguments, f"{file.name}: {error}", file=file.name, refused=str(error))
        else:
            tally.done, in_a_row = tally.done + 1, 0
    tally.left = len(files) - tally.done - tally.refused
    return tally


def patiently(do: Callable[[Path], T], file: Path) -> T:
    """Do something with a file, and again after a while where what it needs is busy or away."""
    for _ in range(TRIES - 1):
        try:
            return do(file)
        except PASSING as error:
            time.sleep(min(error.retry_after or 1.0, LONGEST_WAIT_SECONDS))
    return do(file)


def bytes_of(file: Path, most: int) -> bytes:
    """Return a file's bytes, at most so many; InvalidRequest where it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be read: {error.strerror}.") from error
