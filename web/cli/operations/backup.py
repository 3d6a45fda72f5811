"""`backup`: all there is in one file, while Palate runs."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from web.adapters.database.backup import back_up
from web.cli.command import Desk, say
from web.cli.operations.place import place, watch


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `backup`."""
    parser.add_argument("target", type=Path, metavar="OUT.zip", help="the file to write; one that is there is replaced")


def run(arguments: Namespace, desk: Desk) -> int:
    """Write database and images into one file, and hold nobody up."""
    made = back_up(place(desk), arguments.target, watch)
    words = f"The database and {made.objects} images are in {arguments.target}. It holds everything that people "
    words += "have entered: keep it as you keep the database."
    if made.lost:
        words += f" {len(made.lost)} images are missing from DATA_DIR and so from the file; see `verify`."
    say(arguments, words, target=str(arguments.target), objects=made.objects, lost=made.lost)
    return 0
