"""`import`: a study or the whole project from one file, and photos from a folder."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ml_service.errors import InvalidRequest, NotFound
from web.adapters.database.archive.file import ArchiveFile
from web.adapters.database.archive.project import ProjectArchive
from web.adapters.database.archive.study import StudyArchive
from web.cli.batch import bytes_of, each
from web.cli.command import Desk, say
from web.cli.found import study_id_of, takes_study
from web.cli.operations.place import make_tables, place, ready, watch
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.operations import transfer
from web.services.prompts import publication
from web.services.studies import intake
from web.services.studies.views import known_inputs

MOST_BYTES = 2**27  # read of one photo; far more than intake takes, which says so


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `import`."""
    parser.add_argument(
        "source", type=Path, metavar="FILE.zip|FOLDER", help="an exported study or project, or a folder of photos"
    )
    takes_study(parser, "the study that gets the photos of a folder")


def run(arguments: Namespace, desk: Desk) -> int:
    """Bring in an exported study or project, or a folder of photos."""
    source: Path = arguments.source
    if source.is_dir():
        ready(desk.settings(), desk.parts())
        return _import_folder(desk.parts(), source, arguments)
    if not source.is_file():
        raise NotFound(f"There is no file and no folder {source}.")
    if arguments.study is not None:
        raise InvalidRequest("--study goes with a folder of photos; a file says itself which study it holds.")
    with ArchiveFile.open(source) as archive:
        whole = archive.manifest.holds == "project"
    return (_import_project if whole else _import_study)(desk, source, arguments)


def _import_study(desk: Desk, source: Path, arguments: Namespace) -> int:
    parts = desk.parts()
    ready(desk.settings(), parts)
    actor = accounts.operator(parts)
    arrival = StudyArchive(place(desk)).load(source, lambda tx, study: transfer.arrived(tx, parts, actor, study), watch)
    added = sum(arrival.rows.values())
    words = f"{arrival.name}: {added} rows and {arrival.images} images added"
    words += "." if added else "; all of it was here already."
    facts = {"study": arrival.id, "name": arrival.name, "rows": arrival.rows, "images": arrival.images}
    say(arguments, words, **facts)
    return 0


def _import_project(desk: Desk, source: Path, arguments: Namespace) -> int:
    make_tables(desk.settings())
    parts = desk.parts()
    lying = transfer.lying_in(parts.published)
    arrival = ProjectArchive(place(desk)).load(
        source,
        lambda tx, project: transfer.check_project(tx, lying, project),
        lambda tx, project: transfer.project_arrived(tx, parts, project),
        watch,
    )
    published = publication.reconcile(parts)
    words = f"{arrival.name}: {sum(arrival.rows.values())} rows and {arrival.images} images; its people, keys and "
    words += "prompts are here. Nobody is signed in: sign in with a password, or make a link with `user link`."
    facts = {"project": arrival.id, "name": arrival.name, "rows": arrival.rows, "images": arrival.images}
    say(arguments, words, **facts, published=published)
    return 0


def _import_folder(parts: Parts, folder: Path, arguments: Namespace) -> int:
    if arguments.study is None:
        raise InvalidRequest("Name the study that gets these photos with --study.")
    study_id, actor = study_id_of(parts, arguments.study), accounts.operator(parts)
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    known, added = known_inputs(parts, study_id), set()

    def take_in(file: Path) -> None:
        added.add(intake.add_input(parts, actor, study_id, file.name, bytes_of(file, MOST_BYTES)).id)

    tally = each(arguments, files, "photos", take_in)
    new = len(added - known)
    facts = {"added": new, "known": tally.done - new, "refused": tally.refused, "left": tally.left}
    words = f"{new} photos added, {tally.done - new} were there already, {tally.refused} refused"
    words += f", {tally.left} left." if tally.left else "."
    say(arguments, words + tally.advice, study=study_id, **facts)
    return tally.code
