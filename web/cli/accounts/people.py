"""`user`: invite people, list them, make a new way in, sign them out, and end access."""

from argparse import ArgumentParser, Namespace

from ml_service.errors import InvalidRequest
from web.cli.command import Desk, address, say, table
from web.services.accounts import accounts, members
from web.services.accounts.views import user_of

CHANGES = {
    "off": (members.deactivate, "can no longer sign in"),
    "on": (members.reactivate, "can sign in again, by their password or by a new link"),
    "sign-out": (members.sign_out_everywhere, "is signed out everywhere, and their open links are void"),
}


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `user`."""
    parser.add_argument("action", choices=["link", "list", *CHANGES], help="what to do")
    parser.add_argument("email", nargs="?", help="whose; `list` needs none")
    parser.add_argument("--role", choices=["rater", "admin"], default="rater", help="the role of a new person")


def run(arguments: Namespace, desk: Desk) -> int:
    """Do what is asked with the people of the project."""
    here = desk.parts()
    actor = accounts.operator(here)
    if arguments.action == "list":
        table(arguments, [_row(member) for member in members.members(here, actor)])
    elif arguments.action in CHANGES:
        change, words = CHANGES[arguments.action]
        change(here, actor, user_of(here, _email(arguments)).id)
        say(arguments, f"{arguments.email} {words}.", email=arguments.email, done=arguments.action)
    else:
        secret = accounts.invite(here, actor, arguments.role, _email(arguments))
        link = f"{address(desk.settings())}/link/{secret}"
        say(arguments, f"Open this once, within seven days:\n{link}", link=link, role=arguments.role)
    return 0


def _row(member: members.Member) -> dict[str, object]:
    return {"email": member.user.email, "role": member.role, "active": member.user.active}


def _email(arguments: Namespace) -> str:
    if arguments.email is None:
        raise InvalidRequest(f"Say whose: `user {arguments.action} EMAIL`.")
    return str(arguments.email)
