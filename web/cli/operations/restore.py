"""`restore`: what `backup` wrote, back into an empty place."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ml_service.errors import NotFound
from web.adapters.database.backup import restore
from web.cli.command import Desk, say
from web.cli.operations.place import empty_place, watch
from web.services.operations import transfer
from web.services.prompts import publication


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `restore`."""
    parser.add_argument("source", type=Path, metavar="FILE.zip", help="what `backup` wrote")


def run(arguments: Namespace, desk: Desk) -> int:
    """Put a backup into an empty place, and publish what is live in it."""
    if not arguments.source.is_file():
        raise NotFound(f"There is no file {arguments.source}.")
    here = desk.parts()
    lying = transfer.lying_in(here.published)
    made = restore(empty_place(desk), arguments.source, lambda tx: transfer.check_published(tx, lying), watch)
    published = publication.reconcile(here)
    words = f"The database and {made.objects} images are here again. Nobody is signed in: sign in with a password, "
    words += "or make a link with `user link`. Now run `verify`, and erase and revoke again what was since."
    say(arguments, words, objects=made.objects, lost=made.lost, published=published)
    return 0
