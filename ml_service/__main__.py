"""Run the ML service on this machine: `python -m ml_service`, or ask it once without a server.

Exit codes: 0 for an answer, 1 where the request is refused, 2 where the command or a setting is wrong. What is wrong
is said on the standard error, a line each.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

import uvicorn
from pydantic import ValidationError

from ml_service.app import create_app
from ml_service.errors import ServiceError
from ml_service.settings import Settings
from ml_service.wire.bodies import MAX_BODY, parse, too_large
from ml_service.wire.contract import DiagnoseRequest, SuggestRequest
from ml_service.wire.schema import schema


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with a command."""

    def error(self, message: str) -> NoReturn:
        """Stop with exit code 2."""
        self.exit(2, f"{message}; see `python -m ml_service --help`.\n")


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; without any, serve."""
    parser = Parser(prog="python -m ml_service", description="The optimizer of Palate.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=(command.__doc__ or "").splitlines()[0])
    chosen = parser.parse_args(arguments).command or "serve"
    try:
        return COMMANDS[chosen]()
    except ServiceError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1


def serve() -> int:
    """Serve over HTTP on the port of the settings until stopped."""
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors():
            print(
                f"{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}. Set it and start again.", file=sys.stderr
            )
        return 2
    uvicorn.run(create_app(settings), host="127.0.0.1", port=settings.port)
    return 0


def suggest() -> int:
    """Read a SuggestRequest from the standard input, and write the Suggestion."""
    from ml_service.optimizer import suggest as optimizer  # its libraries take seconds, which nothing else here needs

    print(optimizer.suggest(parse(SuggestRequest, _input())).model_dump_json())
    return 0


def diagnose() -> int:
    """Read a DiagnoseRequest from the standard input, and write the Diagnosis."""
    from ml_service.optimizer import suggest as optimizer  # as above

    print(optimizer.diagnose(parse(DiagnoseRequest, _input())).model_dump_json())
    return 0


def write_schema() -> int:
    """Write the JSON schema of requests and answers."""
    print(json.dumps(schema(), indent=1, sort_keys=True, ensure_ascii=False))
    return 0


def _input() -> bytes:
    body = sys.stdin.buffer.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise too_large()
    return body


COMMANDS: dict[str, Callable[[], int]] = {
    "serve": serve,
    "suggest": suggest,
    "diagnose": diagnose,
    "schema": write_schema,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
