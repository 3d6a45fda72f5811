"""`rollback`: make the version live again, from the terminal, that was live before."""

from argparse import ArgumentParser, Namespace

from web.cli.command import Desk
from web.cli.prompts.promotion import common, key_of, told
from web.services.accounts import accounts
from web.services.prompts import promotion
from web.services.prompts.views import standing


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `rollback`."""
    parser.add_argument("--to", metavar="VERSION", help="the version's name; default: the one live before this")
    common(parser)


def run(arguments: Namespace, desk: Desk) -> int:
    """Make the version live again that was live before, or one that is named."""
    here = desk.parts()
    actor = accounts.operator(here)
    key = key_of(arguments, here)
    found = standing(here, key, arguments.to)
    wanted, revision = found.wanted.id if found.wanted else None, found.pointer.revision
    done = promotion.roll_back(here, actor, key, revision, version_id=wanted, note=arguments.note)
    return told(arguments, found.live, done)
