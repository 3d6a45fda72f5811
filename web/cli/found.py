"""Find what a command was told of by name."""

from argparse import ArgumentParser, Namespace

from ml_service.errors import InvalidRequest
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.studies.views import study_named


def study_id_of(parts: Parts, wanted: str) -> str:
    """Return the id of a study of which a command was given the id or the whole name."""
    return study_named(parts, accounts.operator(parts), wanted).id


def takes_study(parser: ArgumentParser, what: str, default: str = "") -> None:
    """Let a command take `--study`, by id or name; `what` says which study it is, `default` which it is otherwise."""
    otherwise = f"; default: {default}" if default else ""
    parser.add_argument("--study", metavar="STUDY", help=f"{what}, by id or name{otherwise}")


def given_study(arguments: Namespace, other: str | None) -> str | None:
    """Return the study that a command was given by `--study` or in its other place; InvalidRequest where both are."""
    if arguments.study is not None and other is not None:
        raise InvalidRequest(f"Name one study: either {other}, or with --study {arguments.study}.")
    return other if arguments.study is None else str(arguments.study)
