"""`backup` and `restore`: all there is in one file, while Palate runs, and back into an empty place."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ml_service.errors import NotFound
from web.adapters.database.archive.writing import Place
from web.adapters.database.backup import back_up, restore
from web.cli.command import Command, progress, say
from web.ports.parts import Parts
from web.services.operations import transfer
from web.services.prompts import publication


def backup_command(place: Callable[[], Place]) -> Command:
    """Return `backup`, which writes database and images into one file and holds nobody up."""

    def run(arguments: Namespace) -> int:
        made = back_up(place(), arguments.target, _watch)
        words = f"The database and {made.objects} images are in {arguments.target}. It holds everything that people "
        words += "have entered: keep it as you keep the database."
        if made.lost:
            words += f" {len(made.lost)} images are missing from DATA_DIR and so from the file; see `verify`."
        say(arguments, words, target=str(arguments.target), objects=made.objects, lost=made.lost)
        return 0

    def arguments(parser: ArgumentParser) -> None:
        parser.add_argument(
            "target", type=Path, metavar="OUT.zip", help="the file to write; one that is there is replaced"
        )

    return Command("backup", "write the whole SQLite database and all images into one file", run, arguments)


def restore_command(parts: Callable[[], Parts], place: Callable[[], Place]) -> Command:
    """Return `restore`, which puts a backup into an empty place and publishes what is live in it."""

    def run(arguments: Namespace) -> int:
        if not arguments.source.is_file():
            raise NotFound(f"There is no file {arguments.source}.")
        here = parts()
        lying = transfer.lying_in(here.published)
        made = restore(place(), arguments.source, lambda tx: transfer.check_published(tx, lying), _watch)
        published = publication.reconcile(here)
        words = f"The database and {made.objects} images are here again. Nobody is signed in: sign in with a password, "
        words += "or make a link with `user link`. Now run `verify`, and erase and revoke again what was since."
        say(arguments, words, objects=made.objects, lost=made.lost, published=published)
        return 0

    def arguments(parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, metavar="FILE.zip", help="what `backup` wrote")

    return Command("restore", "put a backup into an empty place", run, arguments)


def _watch(keys: Sequence[str]) -> Iterable[str]:
    return progress(keys, "images", len(keys))
