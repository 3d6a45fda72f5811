"""The file of an archive: a zip of a file of lines for each table, the objects by their names, and a manifest.

The same rows and objects make the same bytes, so that two archives can be compared as files. A file may come from
anywhere, so nothing in it is believed: names are checked and none is ever used as a path, what is read is bounded
whatever the file says of its own size, and any other form than ours is refused as broken.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Table

from ml_service.errors import InvalidRequest, ServiceError
from web.adapters.database.archive.rows import FORMAT, TABLES, Extent, Kind, Row, from_line

MANIFEST = "manifest.json"
MOST_MEMBERS = 1_000_000
MOST_BYTES_A_LINE = 4 * 2**20
MOST_BYTES_A_MANIFEST = 64 * 2**20
MOST_BYTES_AN_OBJECT = 128 * 2**20
MOST_UNPACKING = 200  # times its size: ids and hashes in every row keep ours below a quarter of that
SLACK = 16 * 2**20
OBJECT = re.compile(r"objects/((?:inputs|outputs)(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,119}){1,4})")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


class _Form(BaseModel):
    """The format of an archive, on which the form of all the rest depends."""

    model_config = ConfigDict(extra="ignore")

    palate_archive: int


class Manifest(_Form):
    """What an archive says of itself: `rows` counts the lines of each table, `lost` names objects it lacks."""

    holds: Kind
    id: str
    name: str
    rows: dict[str, int]
    objects: int
    lost: tuple[str, ...] = ()

    @property
    def extent(self) -> Extent:
        """What the archive holds."""
        return Extent(self.holds, self.id)


def rows_member(table: Table) -> str:
    """Name the member that holds a table's lines."""
    return f"rows/{table.name}.jsonl"


def member(name: str, *, packed: bool = True) -> zipfile.ZipInfo:
    """Return a member of a zip in which nothing tells when or where it was made."""
    info = zipfile.ZipInfo(name, _LONG_AGO)
    info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    info.create_system, info.external_attr = 3, 0o600 << 16
    return info


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip; whatever turns out to be wrong with it inside the block is an InvalidRequest."""
    try:
        with zipfile.ZipFile(path) as file:
            yield file
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise broken(str(error)) from error


def check_member(info: zipfile.ZipInfo, limit: int) -> None:
    """Refuse a member of a zip that is packed in another way than ours, or larger than it may be."""
    if info.file_size > limit:
        raise broken(f"{info.filename} has more than {limit} bytes")
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise broken(f"{info.filename} is encrypted or packed in another way than ours")


def check_together(members: list[zipfile.ZipInfo]) -> None:
    """Refuse members of which two have one name, which are more than anybody makes, or which unpack to far too much."""
    if len({info.filename for info in members}) != len(members) or len(members) > MOST_MEMBERS:
        raise broken("it names a member twice or has too many")
    if sum(info.file_size for info in members) > SLACK + MOST_UNPACKING * sum(info.compress_size for info in members):
        raise broken("it would unpack to far more than ours do")


class ArchiveFile:
    """An archive that is open for reading."""

    def __init__(self, opened_zip: zipfile.ZipFile) -> None:
        self.zip = opened_zip
        check_together(opened_zip.infolist())
        self.manifest = self._read_manifest()
        self._check_members()

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["ArchiveFile"]:
        """Open a file; whatever turns out to be wrong with it inside the block is an InvalidRequest."""
        with opened(path) as file:
            yield cls(file)

    def rows(self, table: Table) -> Iterator[Row]:
        """Go through the rows of a table, each in the form that its columns hold."""
        with self.zip.open(rows_member(table)) as lines:
            for number, line in enumerate(_bounded(lines, rows_member(table)), start=1):
                try:
                    yield from_line(table, line)
                except ValueError as error:
                    raise broken(f"{rows_member(table)}, line {number}: {str(error)[:300]!r}") from error

    def body(self, key: str) -> bytes:
        """Return the bytes of an object."""
        try:
            return self.zip.read(f"objects/{key}")
        except KeyError as error:
            raise broken(f"the image {key} is missing from it") from error

    def _read_manifest(self) -> Manifest:
        if MANIFEST not in self.zip.namelist():
            raise broken(f"{MANIFEST} is missing from it")
        with self.zip.open(MANIFEST) as file:
            body = file.read(MOST_BYTES_A_MANIFEST)
        made_in = _Form.model_validate_json(body).palate_archive
        if made_in != FORMAT:
            raise InvalidRequest(
                f"This archive has format {made_in}, which another version of Palate made; this one reads format "
                f"{FORMAT}. Import it with the version that made it; nothing was changed."
            )
        return Manifest.model_validate_json(body)

    def _check_members(self) -> None:
        known = {MANIFEST, *map(rows_member, TABLES[self.manifest.holds])}
        if missing := sorted(known - set(self.zip.namelist())):
            raise broken(f"{missing[0]} is missing from it")
        for info in self.zip.infolist():
            if info.filename not in known and not OBJECT.fullmatch(info.filename):
                raise broken(f"{info.filename[:80]!r} is no member of an archive")
            check_member(info, 2**63 if info.filename in known else MOST_BYTES_AN_OBJECT)


def _bounded(lines: IO[bytes], name: str) -> Iterator[bytes]:
    while line := lines.readline(MOST_BYTES_A_LINE + 1):
        if len(line) > MOST_BYTES_A_LINE:
            raise broken(f"{name} has a line of more than {MOST_BYTES_A_LINE} bytes")
        yield line


def broken(why: str) -> ServiceError:
    """Return the error of an archive that cannot be used."""
    return InvalidRequest(f"This archive is broken: {why}. Nothing was changed; export it again.")
