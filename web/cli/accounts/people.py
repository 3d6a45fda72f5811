"""`user`: invite people, list them, make a new way in, sign them out, and end access."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from ml_service.errors import InvalidRequest, NotFound
from web.cli.command import Command, say, table
from web.ports.parts import Parts
from web.services.accounts import accounts

CHANGES = {
    "off": (accounts.deactivate, "can no longer sign in"),
    "on": (accounts.reactivate, "can sign in again, by their password or by a new link"),
    "sign-out": (accounts.sign_out_everywhere, "is signed out everywhere, and their open links are void"),
}


def user_command(parts: Callable[[], Parts], address: Callable[[str], str]) -> Command:
    """Return the `user` command; `address` turns a link's secret into what a browser opens."""

    def run(arguments: Namespace) -> int:
        here = parts()
        actor = accounts.operator(here)
        if arguments.action == "list":
            table(arguments, [_row(member) for member in accounts.members(here, actor)])
        elif arguments.action in CHANGES:
            change, words = CHANGES[arguments.action]
            change(here, actor, _id_of(here, _email(arguments)))
            say(arguments, f"{arguments.email} {words}.", email=arguments.email, done=arguments.action)
        else:
            secret = accounts.invite(here, actor, arguments.role, _email(arguments))
            link = address(secret)
            say(arguments, f"Open this once, within seven days:\n{link}", link=link, role=arguments.role)
        return 0

    return Command("user", "invite people, list them, make a sign-in link, end access", run, _arguments)


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=["link", "list", *CHANGES], help="what to do")
    parser.add_argument("email", nargs="?", help="whose; `list` needs none")
    parser.add_argument("--role", choices=["rater", "admin"], default="rater", help="the role of a new person")


def _row(member: accounts.Member) -> dict[str, object]:
    return {"email": member.user.email, "role": member.role, "active": member.user.active}


def _email(arguments: Namespace) -> str:
    if arguments.email is None:
        raise InvalidRequest(f"Say whose: `user {arguments.action} EMAIL`.")
    return str(arguments.email)


def _id_of(parts: Parts, email: str) -> str:
    with parts.store.read() as tx:
        user = tx.users.find(email=email.strip().lower())
    if user is None:
        raise NotFound(f"Nobody here has the address {email}.")
    return user.id
