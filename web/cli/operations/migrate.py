"""`migrate`: the schema that all processes need."""

from argparse import ArgumentParser, Namespace

from web.cli.command import Desk, say
from web.cli.operations.place import make_tables


def arguments(_: ArgumentParser) -> None:
    """Declare the arguments of `migrate`: none."""


def run(arguments: Namespace, desk: Desk) -> int:
    """Bring the database to the newest schema."""
    make_tables(desk.settings())
    say(arguments, "The database has the newest schema.", migrated=True)
    return 0
