"""`table`: tables for analysis as files, on standard output, or all four in a folder of their schema's version."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import get_args

from ml_service.errors import InvalidRequest
from web.adapters.database.aside import appearing_whole
from web.cli.command import Desk, say
from web.cli.found import takes_study
from web.domain.reports.tables import SCHEMA_VERSION
from web.http.serving.export import Form, encoded
from web.services.accounts import accounts
from web.services.reports.tables import NAMES, sheets, table_named

ALL, STANDARD = "all", "-"
FORMS: tuple[Form, ...] = get_args(Form)


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `table`."""
    parser.add_argument("which", choices=[*NAMES, ALL], help="the table, or all of them as of one moment")
    parser.add_argument(
        "target", type=Path, metavar="OUT", help="the file to write, or - for standard output; with `all`, a folder"
    )
    parser.add_argument("--format", choices=FORMS, help="what to write; default: as OUT ends, else parquet")
    takes_study(parser, "only rows of this study", "all studies")


def run(arguments: Namespace, desk: Desk) -> int:
    """Write one table, or each into a folder named after the version of the schema."""
    parts, target, form = desk.parts(), arguments.target, _form(arguments)
    with sheets(parts, accounts.operator(parts), arguments.study or "") as sheet:
        if arguments.which != ALL and str(target) == STANDARD:
            with open(sys.stdout.fileno(), "wb", closefd=False) as out:  # all or an error, unbuffered too
                out.writelines(encoded(sheet(table_named(arguments.which)), form))
            return 0
        named = {arguments.which: target} if arguments.which != ALL else _files(target, form)
        for name, path in named.items():
            with appearing_whole(path) as file:
                file.writelines(encoded(sheet(table_named(name)), form))
    written = ", ".join(str(path) for path in named.values())
    say(arguments, f"Written: {written}.", files=list(map(str, named.values())), schema_version=SCHEMA_VERSION)
    return 0


def _form(arguments: Namespace) -> Form:
    """Return the form that was asked for, or that the file's name says; one that contradicts the name is refused."""
    ending = arguments.target.suffix.removeprefix(".") if arguments.which != ALL else ""
    said: Form | None = next((form for form in FORMS if form == ending), None)
    if arguments.format and said and arguments.format != said:
        raise InvalidRequest(f"{arguments.target} would hold {arguments.format}; name it so, or leave out --format.")
    form: Form = arguments.format or said or "parquet"
    return form


def _files(folder: Path, form: Form) -> dict[str, Path]:
    place = folder / f"v{SCHEMA_VERSION}"
    place.mkdir(parents=True, exist_ok=True)
    return {name: place / f"{name}.{form}" for name in NAMES}
