"""`export` and `import`: a study as one file, and photos from a folder."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ml_service.errors import InvalidRequest, NotFound, ServiceError
from web.adapters.archive import Archive
from web.cli.command import Command, progress, say
from web.ports import Parts
from web.services import accounts, intake
from web.services.transfer import arrived

MOST_BYTES = 2**27  # read of one photo; far more than intake takes, which says so


def export_command(parts: Callable[[], Parts], archive: Callable[[], Archive]) -> Command:
    """Return `export`, which writes one study with everything it refers to into a file."""

    def run(arguments: Namespace) -> int:
        here = parts()
        study_id = study_id_of(here, arguments.study)
        made = archive().export(study_id, arguments.target, here.clock.now(), _watch)
        words = f"{made.study_name}: {sum(made.rows.values())} rows and {made.objects} images in {arguments.target}"
        if made.lost:
            words += f"; {len(made.lost)} images are missing from DATA_DIR and so from the file"
        facts = made.model_dump(mode="json")
        say(arguments, f"{words}.", **facts)
        return 0

    def arguments(parser: ArgumentParser) -> None:
        parser.add_argument("study", metavar="STUDY", help="the study's id or its whole name")
        parser.add_argument(
            "target", type=Path, metavar="OUT.zip", help="the file to write; one that is there is replaced"
        )

    return Command("export", "write a study with its images, ratings and people into one file", run, arguments)


def import_command(parts: Callable[[], Parts], archive: Callable[[], Archive], ready: Callable[[], object]) -> Command:
    """Return `import`, which brings an exported study in, or a folder of photos; `ready` readies the database."""

    def run(arguments: Namespace) -> int:
        source: Path = arguments.source
        if source.is_dir():
            ready()
            return _import_folder(parts(), source, arguments)
        if not source.is_file():
            raise NotFound(f"There is no file and no folder {source}.")
        if arguments.study is not None:
            raise InvalidRequest("--study goes with a folder of photos; a file says itself which study it holds.")
        ready()
        return _import_file(parts(), archive(), source, arguments)

    def arguments(parser: ArgumentParser) -> None:
        parser.add_argument(
            "source", type=Path, metavar="FILE.zip|FOLDER", help="an exported study, or a folder of photos"
        )
        parser.add_argument("--study", help="the study that gets the photos of a folder: its id or its whole name")

    return Command("import", "bring in an exported study, or photos from a folder", run, arguments)


def _import_file(parts: Parts, archive: Archive, source: Path, arguments: Namespace) -> int:
    actor = accounts.operator(parts.store)
    arrival = archive.load(source, lambda tx, study: arrived(parts, actor, tx, study), _watch)
    added = sum(arrival.rows.values())
    words = f"{arrival.study_name}: {added} rows and {arrival.images} images added"
    words += "." if added else "; all of it was here already."
    facts = {"study": arrival.study_id, "name": arrival.study_name, "rows": arrival.rows, "images": arrival.images}
    say(arguments, words, **facts)
    return 0


def _import_folder(parts: Parts, folder: Path, arguments: Namespace) -> int:
    if arguments.study is None:
        raise InvalidRequest("Name the study that gets these photos with --study.")
    study_id, actor = study_id_of(parts, arguments.study), accounts.operator(parts.store)
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
    project_id = accounts.operator(parts.store).project_id
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
