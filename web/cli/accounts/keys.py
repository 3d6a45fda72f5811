"""`key`: make the keys that machines come in with, list them, revoke them."""

from argparse import ArgumentParser, Namespace

from ml_service.errors import InvalidRequest
from web.cli.command import Desk, say, table
from web.services.accounts import accounts, keys
from web.services.accounts.keys import KeyDraft, KeyLine


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `key`."""
    parser.add_argument("action", choices=["make", "list", "revoke"], help="what to do")
    parser.add_argument(
        "which", nargs="?", metavar="NAME|ID", help="the new key's name, or the id of the one to revoke"
    )
    parser.add_argument("--scope", action="append", choices=keys.SCOPES, help="what it is for; default: prompts:read")
    parser.add_argument("--environment", default="production", help="where it is used; default: production")
    parser.add_argument("--days", type=int, default=0, help="in how many days it runs out; default: never")


def run(arguments: Namespace, desk: Desk) -> int:
    """Make a key, list keys or revoke one."""
    here = desk.parts()
    actor = accounts.operator(here)
    if arguments.action == "list":
        table(arguments, [_row(line) for line in keys.list_keys(here, actor)])
    elif arguments.action == "revoke":
        key = keys.revoke_key(here, actor, _given(arguments, "ID"))
        say(arguments, f"The key {key.name} is worth nothing any more.", id=key.id, revoked_at=key.revoked_at)
    else:
        until = keys.in_days(here, arguments.days)
        scopes = tuple(arguments.scope or ("prompts:read",))
        draft = KeyDraft(_given(arguments, "NAME"), scopes, arguments.environment, until)
        key, secret = keys.make_key(here, actor, draft)
        say(arguments, f"Keep this key; it is shown once:\n{secret}", id=key.id, key=secret, scopes=key.scopes)
    return 0


def _given(arguments: Namespace, what: str) -> str:
    if arguments.which is None:
        raise InvalidRequest(f"Say which: `key {arguments.action} {what}`.")
    return str(arguments.which)


def _row(line: KeyLine) -> dict[str, object]:
    key = line.key
    return {
        "id": key.id,
        "name": key.name,
        "scopes": " ".join(key.scopes),
        "environment": key.environment,
        "owner": f"{line.owner} (has left)" if line.owner_left else line.owner,
        "used": key.used_at or "never",
        "expires": key.expires_at or "never",
        "revoked": key.revoked_at or "",
    }
