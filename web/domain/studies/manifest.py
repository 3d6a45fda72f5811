"""Manifests: a CSV or JSONL file that says which photos there are, where they come from, and what is known of them."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from ml_service.errors import InvalidRequest
from web.domain.studies.batch import ITEMS_LIMIT, PATH_LIMIT
from web.domain.studies.photos import checked_metadata
from web.domain.text import is_file_name

ManifestKind = Literal["csv", "jsonl"]
FIELDS = ("name", "url", "file", "stratum", "group", "metadata")
NOTED = "metadata."  # what a column of CSV begins with that holds one entry of the metadata
TEXT_LIMIT = 120  # characters of a name, a stratum, a group
MOST_FAULTS = 20
_FIELD_SIZE = 100_000


@dataclass(frozen=True)
class Listed:
    """One photo of a manifest: a file that is to come, or an address that is to be asked."""

    path: str
    is_address: bool
    name: str
    stratum: str = ""
    related: str = ""
    metadata: dict[str, str] | None = None


class _Faults:
    """Lines at fault: the first in words, and how many there are."""

    def __init__(self) -> None:
        self.count, self.words = 0, list[str]()

    def note(self, line: int, said: object) -> None:
        """Note what is wrong with a line."""
        self.count += 1
        if self.count <= MOST_FAULTS:
            self.words.append(f"line {line}: {said}")

    def refuse(self) -> None:
        """Raise InvalidRequest where there are any."""
        if self.count:
            more = f" And {self.count - MOST_FAULTS:,} more." if self.count > MOST_FAULTS else ""
            raise InvalidRequest(f"Nothing of the manifest was taken. {' '.join(self.words)}{more}")


def read(text: str, kind: ManifestKind, folder: str = "") -> tuple[Listed, ...]:
    """Return what a manifest lists, its files within its folder, or raise InvalidRequest with the lines at fault.

    Of many faults the first are told, and how many there are among as many lines as a manifest may have.
    """
    faults, found = _Faults(), dict[str, tuple[int, Listed]]()
    for number, (line, given) in enumerate(_rows(text, kind)):
        if number == ITEMS_LIMIT:
            faults.refuse()
            raise InvalidRequest(f"A manifest lists at most {ITEMS_LIMIT:,} photos; divide this one.")
        try:
            one = _listed(given, folder)
            if one.path in found:
                raise InvalidRequest(f"it lists {one.path[:60]} again, as line {found[one.path][0]} does.")
            found[one.path] = line, one
        except InvalidRequest as error:
            faults.note(line, error)
    faults.refuse()
    if not found:
        raise InvalidRequest("This manifest lists no photo; give each a line of its own.")
    return tuple(one for _, one in found.values())


def _rows(text: str, kind: ManifestKind) -> Iterator[tuple[int, Any]]:
    clean = text.removeprefix("\ufeff")
    return _of_csv(clean) if kind == "csv" else _of_jsonl(clean)


def _of_csv(text: str) -> Iterator[tuple[int, Any]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    csv.field_size_limit(_FIELD_SIZE)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header)
        for values in reader:
            if values:
                yield reader.line_num, _of_columns(header, values)
    except csv.Error as error:
        raise InvalidRequest(f"line {reader.line_num}: this is no CSV ({error}).") from error


def _check_header(header: list[str]) -> None:
    unknown = [name for name in header if name not in FIELDS and not name.startswith(NOTED)]
    if unknown:
        raise InvalidRequest(
            f"The first line names {unknown[0][:40]!r}; the columns of a manifest are {', '.join(FIELDS)}, and "
            f"{NOTED}… for one entry of the metadata."
        )
    if len(set(header)) < len(header) or not {"url", "file"} & set(header):
        raise InvalidRequest("The first line must name each column once, and the column file or url.")


def _of_columns(header: list[str], values: list[str]) -> Any:
    """Return a line as an object; what is empty is not there. A text where a line has other columns."""
    if len(values) != len(header):
        return f"it has {len(values)} columns, and the first line {len(header)}."
    given: dict[str, Any] = {name: value.strip() for name, value in zip(header, values, strict=True) if value.strip()}
    noted = {name.removeprefix(NOTED): given.pop(name) for name in list(given) if name.startswith(NOTED)}
    if "metadata" in given:
        parsed = _parsed(given["metadata"])
        given["metadata"] = parsed | noted if isinstance(parsed, dict) else parsed
    elif noted:
        given["metadata"] = noted
    return given


def _of_jsonl(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(io.StringIO(text, newline="\n"), start=1):
        if line.strip():
            yield number, _parsed(line)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return "it is no JSON object."


def _listed(given: Any, folder: str) -> Listed:
    if isinstance(given, str):
        raise InvalidRequest(given)
    if not isinstance(given, Mapping):
        raise InvalidRequest("it is no JSON object.")
    unknown = [name for name in given if name not in FIELDS]
    if unknown:
        raise InvalidRequest(f"{str(unknown[0])[:40]!r} is no field; there are {', '.join(FIELDS)}.")
    file, url = _text(given, "file", PATH_LIMIT), _text(given, "url", PATH_LIMIT)
    if bool(file) == bool(url):
        raise InvalidRequest("give either a file or a url.")
    return Listed(
        path=url or _within(file, folder),
        is_address=bool(url),
        name=_text(given, "name", TEXT_LIMIT) or (_last_of(url) if url else ""),
        stratum=_text(given, "stratum", TEXT_LIMIT),
        related=_text(given, "group", TEXT_LIMIT),
        metadata=checked_metadata(given["metadata"]) if given.get("metadata") else None,
    )


def _text(given: Mapping[str, Any], name: str, limit: int) -> str:
    value = given.get(name) or ""
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be a string.")
    if len(value) > limit or not (is_file_name(value) if name == "file" else value.isprintable()):
        raise InvalidRequest(f"{name} has at most {limit} characters, all of which can be shown.")
    return value.strip()


def _within(file: str, folder: str) -> str:
    path = file.replace("\\", "/").removeprefix("./")
    if path.startswith("/") or ".." in path.split("/"):
        raise InvalidRequest("file must lie in the folder of the manifest, as photos/one.jpg does.")
    whole = f"{folder}/{path}" if folder else path
    if len(whole) > PATH_LIMIT:
        raise InvalidRequest(f"file and the folder of the manifest have more than {PATH_LIMIT} characters together.")
    return whole


def _last_of(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise InvalidRequest("url must be an address such as https://example.org/one.jpg.")
    return unquote(parts.path).rpartition("/")[2][:TEXT_LIMIT]
