"""`export`: a study or the whole project as one file."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ml_service.errors import InvalidRequest
from web.adapters.database.archive.file import Manifest
from web.adapters.database.archive.project import ProjectArchive
from web.adapters.database.archive.study import StudyArchive
from web.cli.command import Desk, say
from web.cli.found import given_study, study_id_of, takes_study
from web.cli.operations.place import place, watch


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `export`."""
    parser.add_argument("named", metavar="STUDY", nargs="?", help="the study, by id or name, unless --study says it")
    parser.add_argument("target", type=Path, metavar="OUT.zip", help="the file to write; one that is there is replaced")
    parser.add_argument(
        "--project", action="store_true", help="write the whole project: people, prompts, studies and audit too"
    )
    takes_study(parser, "the study")


def run(arguments: Namespace, desk: Desk) -> int:
    """Write one study or the whole project, with all it refers to, into a file."""
    study = given_study(arguments, arguments.named)
    if (study is None) is not arguments.project:
        raise InvalidRequest("Name a study with --study, or give --project for all there is.")
    if study is None:
        made = ProjectArchive(place(desk)).export(arguments.target, watch)
    else:
        study_id = study_id_of(desk.parts(), study)
        made = StudyArchive(place(desk)).export(study_id, arguments.target, watch)
    say(arguments, _exported(made, arguments.target), **made.model_dump(mode="json"))
    return 0


def _exported(made: Manifest, target: Path) -> str:
    words = f"{made.name}: {sum(made.rows.values())} rows and {made.objects} images in {target}"
    if made.lost:
        words += f"; {len(made.lost)} images are missing from DATA_DIR and so from the file"
    if made.holds == "project":
        words += ". It holds hashes of passwords and keys: keep it as you keep the database"
    return f"{words}."
