"""`export` and `import`: a study or the whole project as one file, and photos from a folder."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_service.errors import InvalidRequest, NotFound, ServiceError
from web.adapters.database.archive.file import ArchiveFile, Manifest
from web.adapters.database.archive.project import ProjectArchive
from web.adapters.database.archive.study import StudyArchive
from web.adapters.database.archive.writing import Place
from web.cli.command import Command, progress, say
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.operations import transfer
from web.services.prompts import publication
from web.services.studies import intake

MOST_BYTES = 2**27  # read of one photo; far more than intake takes, which says so


@dataclass(frozen=True)
class Desk:
    """What `export` and `import` work with: `migrate` gives a database its tables, `ready` its first rows too."""

    parts: Callable[[], Parts]
    place: Callable[[], Place]
    migrate: Callable[[], None]
    ready: Callable[[], object]


def export_command(desk: Desk) -> Command:
    """Return `export`, which writes one study or the whole project with all it refers to into a file."""

    def run(arguments: Namespace) -> int:
        if (arguments.study is None) is not arguments.project:
            raise InvalidRequest("Name a study, or give --project for all there is.")
        if arguments.project:
            made = ProjectArchive(desk.place()).export(arguments.target, _watch)
        else:
            study_id = study_id_of(desk.parts(), arguments.study)
            made = StudyArchive(desk.place()).export(study_id, arguments.target, _watch)
        say(arguments, _exported(made, arguments.target), **made.model_dump(mode="json"))
        return 0

    def arguments(parser: ArgumentParser) -> None:
        parser.add_argument("study", metavar="STUDY", nargs="?", help="the study's id or its whole name")
        parser.add_argument(
            "target", type=Path, metavar="OUT.zip", help="the file to write; one that is there is replaced"
        )
        parser.add_argument(
            "--project", action="store_true", help="write the whole project: people, prompts, studies and audit too"
        )

    return Command("export", "write a study or the whole project into one file", run, arguments)


def _exported(made: Manifest, target: Path) -> str:
    words = f"{made.name}: {sum(made.rows.values())} rows and {made.objects} images in {target}"
    if made.lost:
        words += f"; {len(made.lost)} images are missing from DATA_DIR and so from the file"
    if made.holds == "project":
        words += ". It holds hashes of passwords and keys: keep it as you keep the database"
    return f"{words}."


def import_command(desk: Desk) -> Command:
    """Return `import`, which brings in an exported study or project, or a folder of photos."""

    def run(arguments: Namespace) -> int:
        source: Path = arguments.source
        if source.is_dir():
            desk.ready()
            return _import_folder(desk.parts(), source, arguments)
        if not source.is_file():
            raise NotFound(f"There is no file and no folder {source}.")
        if arguments.study is not None:
            raise InvalidRequest("--study goes with a folder of photos; a file says itself which study it holds.")
        with ArchiveFile.open(source) as archive:
            whole = archive.manifest.holds == "project"
        return (_import_project if whole else _import_study)(desk, source, arguments)

    def arguments(parser: ArgumentParser) -> None:
        parser.add_argument(
            "source", type=Path, metavar="FILE.zip|FOLDER", help="an exported study or project, or a folder of photos"
        )
        parser.add_argument("--study", help="the study that gets the photos of a folder: its id or its whole name")

    return Command("import", "bring in an exported study or project, or photos from a folder", run, arguments)


def _import_study(desk: Desk, source: Path, arguments: Namespace) -> int:
    desk.ready()
    parts = desk.parts()
    actor = accounts.operator(parts)
    arrival = StudyArchive(desk.place()).load(
        source, lambda tx, study: transfer.arrived(tx, parts, actor, study), _watch
    )
    added = sum(arrival.rows.values())
    words = f"{arrival.name}: {added} rows and {arrival.images} images added"
    words += "." if added else "; all of it was here already."
    facts = {"study": arrival.id, "name": arrival.name, "rows": arrival.rows, "images": arrival.images}
    say(arguments, words, **facts)
    return 0


def _import_project(desk: Desk, source: Path, arguments: Namespace) -> int:
    desk.migrate()
    parts = desk.parts()
    lying = transfer.lying_in(parts.published)
    arrival = ProjectArchive(desk.place()).load(
        source,
        lambda tx, project: transfer.check_project(tx, lying, project),
        lambda tx, project: transfer.project_arrived(tx, parts, project),
        _watch,
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
    with parts.store.read() as tx:
        known = {source.id for source in tx.inputs.all(study_id=study_id)}
    added, refused = set(), 0
    for file in progress(files, "photos", len(files)):
        try:
            added.add(intake.add_input(parts, actor, study_id, file.name, _body(file)).id)
        except ServiceError as error:
            refused += 1
            say(arguments, f"{file.name}: {error}", file=file.name, refused=str(error))
    new, repeated = len(added - known), len(files) - refused - len(added - known)
    words = f"{new} photos added, {repeated} were there already, {refused} refused."
    say(arguments, words, study=study_id, added=new, known=repeated, refused=refused)
    return 1 if refused else 0


def _body(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES)
    except OSError as error:
        raise InvalidRequest(f"The file cannot be read: {error.strerror}.") from error


def study_id_of(parts: Parts, wanted: str) -> str:
    """Return the id of a study of which a command was given the id or the whole name."""
    project_id = accounts.operator(parts).project_id
    with parts.store.read() as tx:
        studies = tx.studies.all(project_id=project_id)
    found = [study.id for study in studies if wanted in (study.id, study.name)]
    if len(found) > 1:
        raise InvalidRequest(f"{len(found)} studies are called {wanted}; use an id: {', '.join(found)}.")
    if not found:
        names = ", ".join(study.name for study in studies) or "none"
        raise NotFound(f"There is no study {wanted}. There are: {names}.")
    return found[0]


def _watch(keys: Sequence[str]) -> Iterable[str]:
    return progress(keys, "images", len(keys))
