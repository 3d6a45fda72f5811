"""The file of an archive: a zip of a manifest, a file of lines for each table, and the objects by their names.

A file may come from anywhere, so nothing in it is believed: names are checked and none is ever used as a path, what is
read is bounded whatever the file says of its own size, and any other form than ours is refused as broken.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Table

from ml_service.errors import InvalidRequest, ServiceError
from web.adapters.archive_rows import TABLES

FORMAT = 1
MANIFEST = "manifest.json"
MOST_MEMBERS = 1_000_000
MOST_BYTES_A_LINE = 4 * 2**20
MOST_BYTES_AN_OBJECT = 128 * 2**20
_OBJECT = re.compile(r"objects/((?:inputs|outputs)(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){1,4})")
_ROWS = {f"rows/{table.name}.jsonl" for table in TABLES}


class Manifest(BaseModel):
    """What an archive says of itself: `rows` counts the lines of each table, `lost` names objects it lacks."""

    model_config = ConfigDict(extra="ignore")

    palate_archive: int
    study_id: str
    study_name: str
    made_at: datetime
    rows: dict[str, int]
    objects: int
    lost: tuple[str, ...] = ()


def rows_member(table: Table) -> str:
    """Name the member that holds a table's lines."""
    return f"rows/{table.name}.jsonl"


class ArchiveFile:
    """An archive that is open for reading."""

    def __init__(self, opened: zipfile.ZipFile) -> None:
        self.zip = opened
        _check_members(opened.infolist())
        self.manifest = self._read_manifest()

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["ArchiveFile"]:
        """Open a file; whatever turns out to be wrong with it inside the block is an InvalidRequest."""
        try:
            with zipfile.ZipFile(path) as opened:
                yield cls(opened)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            raise broken(str(error)) from error

    def lines(self, table: Table) -> Iterator[bytes]:
        """Go through the lines of a table."""
        with self.zip.open(rows_member(table)) as member:
            while line := member.readline(MOST_BYTES_A_LINE + 1):
                if len(line) > MOST_BYTES_A_LINE:
                    raise broken(f"{rows_member(table)} has a line of more than {MOST_BYTES_A_LINE} bytes")
                yield line

    def body(self, key: str) -> bytes:
        """Return the bytes of an object."""
        try:
            return self.zip.read(f"objects/{key}")
        except KeyError as error:
            raise broken(f"the image {key} is missing from it") from error

    def _read_manifest(self) -> Manifest:
        with self.zip.open(MANIFEST) as member:
            manifest = Manifest.model_validate_json(member.read(MOST_BYTES_A_LINE))
        if manifest.palate_archive > FORMAT:
            raise InvalidRequest(
                f"This archive has format {manifest.palate_archive}, made by a newer Palate than this one, which reads "
                f"up to format {FORMAT}. Update Palate and import it again; nothing was changed."
            )
        return manifest


def broken(why: str) -> ServiceError:
    """Return the error of an archive that cannot be used."""
    return InvalidRequest(f"This archive is broken: {why}. Nothing was changed; export the study again.")


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    names = {member.filename for member in members}
    if len(names) != len(members) or len(members) > MOST_MEMBERS:
        raise broken("it names a member twice or has too many")
    if missing := sorted((_ROWS | {MANIFEST}) - names):
        raise broken(f"{missing[0]} is missing from it")
    for member in members:
        known = member.filename in _ROWS or member.filename == MANIFEST
        if not known and not _OBJECT.fullmatch(member.filename):
            raise broken(f"{member.filename[:80]!r} is no member of an archive")
        if not known and member.file_size > MOST_BYTES_AN_OBJECT:
            raise broken(f"{member.filename} has more than {MOST_BYTES_AN_OBJECT} bytes")
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise broken(f"{member.filename} is encrypted or packed in another way than ours")
