"""`erase`: forget a person, or a photo with all that was made of it, for good."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from ml_service.errors import InvalidRequest, NotFound
from web.cli.command import Command, say
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.operations import erasure


def erase_command(parts: Callable[[], Parts]) -> Command:
    """Return `erase`; whoever runs it types again what goes, or says it with --confirm."""

    def run(arguments: Namespace) -> int:
        here = parts()
        actor = accounts.operator(here)
        if arguments.what == "person":
            user_id, address = _person(here, arguments.which)
            erasure.erase_person(here, actor, user_id, _typed(arguments, address), photos=arguments.photos)
            say(arguments, f"Erased; what they rated stays under {user_id}.", erased=user_id, kind="person")
        else:
            input_id = arguments.which
            erasure.erase_input(here, actor, input_id, _typed(arguments, erasure.WORD))
            say(arguments, f"Erased {input_id}, with all that was made of it.", erased=input_id, kind="input")
        return 0

    return Command("erase", "erase a person or a photo for good", run, _arguments)


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=["person", "input"], help="what goes")
    parser.add_argument("which", help="a person's address or id, or a photo's id")
    parser.add_argument("--confirm", metavar="WORD", help="the address again, or “erase” for a photo; else it is asked")
    parser.add_argument("--photos", action="store_true", help="with a person, erase the photos that they brought too")


def _person(parts: Parts, which: str) -> tuple[str, str]:
    with parts.store.read() as tx:
        user = tx.users.find(email=which.strip().lower()) or tx.users.find(id=which)
    if user is None:
        raise NotFound(f"Nobody here has the address or the id {which}.")
    return user.id, user.email


def _typed(arguments: Namespace, wanted: str) -> str:
    if arguments.confirm is not None:
        return str(arguments.confirm)
    if not sys.stdin.isatty():
        raise InvalidRequest(f"Nothing was erased: say --confirm “{wanted}”.")
    return input(f"This cannot be undone. Type “{wanted}” to go on: ")
