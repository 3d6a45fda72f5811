"""`erase`: forget a person, or a photo with all that was made of it, for good."""

import sys
from argparse import ArgumentParser, Namespace

from ml_service.errors import InvalidRequest
from web.cli.command import Desk, say
from web.services.accounts import accounts
from web.services.accounts.views import user_of
from web.services.operations import erasure


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `erase`."""
    parser.add_argument("what", choices=["person", "input"], help="what goes")
    parser.add_argument("which", help="a person's address or id, or a photo's id")
    parser.add_argument("--confirm", metavar="WORD", help="the address again, or “erase” for a photo; else it is asked")
    parser.add_argument("--photos", action="store_true", help="with a person, erase the photos that they brought too")


def run(arguments: Namespace, desk: Desk) -> int:
    """Erase what whoever runs it types again, or says with --confirm."""
    here = desk.parts()
    actor = accounts.operator(here)
    if arguments.what == "person":
        user = user_of(here, arguments.which, arguments.which)
        erasure.erase_person(here, actor, user.id, _typed(arguments, user.email), photos=arguments.photos)
        say(arguments, f"Erased; what they rated stays under {user.id}.", erased=user.id, kind="person")
    else:
        input_id = arguments.which
        erasure.erase_input(here, actor, input_id, _typed(arguments, erasure.WORD))
        say(arguments, f"Erased {input_id}, with all that was made of it.", erased=input_id, kind="input")
    return 0


def _typed(arguments: Namespace, wanted: str) -> str:
    if arguments.confirm is not None:
        return str(arguments.confirm)
    if not sys.stdin.isatty():
        raise InvalidRequest(f"Nothing was erased: say --confirm “{wanted}”.")
    return input(f"This cannot be undone. Type “{wanted}” to go on: ")
