"""The laptop root: `python -m web …` on SQLite and local files, or on what the settings name.

A command imports no more than it uses: what only some need is imported where they begin.
"""

import sys
from collections.abc import Callable
from functools import cache
from threading import Event
from typing import TYPE_CHECKING

from ml_service.errors import InvalidRequest, ServiceError
from web.cli.command import Desk, Parser, add_commands
from web.cli.commands import COMMANDS

if TYPE_CHECKING:
    from web.cli.operations.reference import Section
    from web.ports.parts import Parts
    from web.settings import Settings

EXIT_FAILED = 1
EXIT_MISUSED = 2


def main(words: list[str] | None = None) -> int:
    """Run one command; exit code 0 done, 1 failed, 2 misused."""
    words = sys.argv[1:] if words is None else words
    parser = Parser("python -m web", description="Palate learns what people like from their ratings.")
    add_commands(parser, COMMANDS, words)
    arguments = parser.parse_args(words)
    command, desk = arguments.command, make_desk()
    try:
        if command.needs_settings:
            desk.settings()
    except InvalidRequest as error:
        print(error, file=sys.stderr)
        return EXIT_MISUSED
    try:
        return int(command.body().run(arguments, desk))
    except ServiceError as error:
        print(str(error) or error.title(), file=sys.stderr)
        return EXIT_FAILED
    except OSError as error:
        if error.filename is None:  # no folder or file that somebody named: a fault of ours, whose place is to be told
            raise
        print(f"{error.filename} cannot be used: {error.strerror}.", file=sys.stderr)
        return EXIT_FAILED


def make_desk() -> Desk:
    """Return what commands work with here."""

    @cache
    def settings() -> "Settings":
        from web.settings import load_settings

        return load_settings()

    @cache
    def parts() -> "Parts":
        from web.parts import build_parts

        return build_parts(settings())

    def listen(host: str, port: int, greet: Callable[[], None], ending: Event) -> None:
        from web.app import create_app
        from web.http.edge.logs import log_json
        from web.http.serving.server import listen
        from web.settings.key import signing_key

        log_json()
        listen(create_app(parts(), settings(), signing_key(settings()), ending), host, port, greet, ending)

    def work(stop: Event, threads: int) -> bool:
        from web.http.edge.logs import log_json
        from web.jobs.worker import run_workers

        log_json()
        return run_workers(parts(), stop, threads)

    def reference() -> str:
        from web.cli.operations.reference import render

        return render(documented())

    return Desk(settings, parts, listen, work, reference)


def documented() -> "list[Section]":
    """Gather what docs/reference.md says, from an app that nobody uses and settings that nobody made."""
    import tempfile
    from pathlib import Path

    from pydantic import SecretStr

    from ml_service import app as ml_app
    from ml_service import settings as ml_settings
    from web.adapters.database.migrate import migrate
    from web.app import create_app
    from web.cli.operations.reference import sections
    from web.parts import build_parts
    from web.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_construct(data_dir=Path(folder), database_url=f"sqlite:///{folder}/palate.db")
        migrate(settings.database_url)
        app = create_app(build_parts(settings), settings, b"")
        ml = ml_app.create_app(ml_settings.Settings.model_construct(ml_service_token=SecretStr("")))
        return sections(app, ml, COMMANDS, app.state.metrics.registry)


if __name__ == "__main__":
    sys.exit(main())
