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


def read(text: str, kind: ManifestKind) -> tuple[Listed, ...]:
    """Return what a manifest lists, or raise InvalidRequest that names every line at fault, of many the first."""
    found, faults, lines = list[Listed](), list[str](), dict[str, int]()
    for line, given in _rows(text, kind):
        try:
            one = _listed(given)
            if one.path in lines:
                raise InvalidRequest(f"it lists {one.path[:60]} again, as line {lines[one.path]} does.")
        except InvalidRequest as error:
            faults.append(f"line {line}: {error}")
            continue
        lines[one.path] = line
        found.append(one)
    if faults:
        more = f" And {len(faults) - MOST_FAULTS:,} more." if len(faults) > MOST_FAULTS else ""
        raise InvalidRequest(f"Nothing of the manifest was taken. {' '.join(faults[:MOST_FAULTS])}{more}")
    if not 0 < len(found) <= ITEMS_LIMIT:
        raise InvalidRequest(f"A manifest lists 1 to {ITEMS_LIMIT:,} photos; this one lists {len(found):,}.")
    return tuple(found)


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
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, _parsed(line)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return "it is no JSON object."


def _listed(given: Any) -> Listed:
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
        path=url or _within(file),
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


def _within(file: str) -> str:
    path = file.replace("\\", "/").removeprefix("./")
    if path.startswith("/") or ".." in path.split("/"):
        raise InvalidRequest("file must lie in the folder of the manifest, as photos/one.jpg does.")
    return path


def _last_of(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise InvalidRequest("url must be an address such as https://example.org/one.jpg.")
    return unquote(parts.path).rpartition("/")[2][:TEXT_LIMIT]
