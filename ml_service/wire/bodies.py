"""Bodies of requests: unpacked within a bound, and read as what they must be."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from ml_service.errors import InvalidRequest, TooLarge
from ml_service.wire.contract import Wire

MAX_BODY = 16 * 1024 * 1024  # bytes, packed and unpacked: about 80,000 ratings
SAID = 5  # faults that an answer names
LONGEST = 300  # characters of a fault

Kind = TypeVar("Kind", bound=Wire)


def unpacked(body: bytes, encoding: str) -> bytes:
    """Return what a body holds; `encoding` is the value of its Content-Encoding."""
    if encoding.strip().lower() in ("", "identity"):
        return body
    if encoding.strip().lower() != "gzip":
        raise InvalidRequest("This Content-Encoding is not known here. Send the body as gzip, or as it is.")
    parts, room = [], MAX_BODY
    while body:
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        parts.append(_inflated(stream, body, room + 1))
        room -= len(parts[-1])
        if room < 0:
            raise too_large()
        if not stream.eof:
            raise InvalidRequest("The gzip body ends before its end. Send all of it.")
        body = stream.unused_data
    return b"".join(parts)


def _inflated(stream: Any, body: bytes, most: int) -> bytes:
    try:
        return bytes(stream.decompress(body, most))
    except zlib.error as error:
        raise InvalidRequest("The body is not gzip, although its Content-Encoding says so. Pack it again.") from error


def too_large() -> TooLarge:
    """Return the refusal of a body over the limit."""
    return TooLarge(f"A request may have {MAX_BODY // 2**20} MiB, packed and unpacked. Send fewer ratings.")


def parse(kind: type[Kind], body: bytes | str) -> Kind:
    """Read a body of JSON; InvalidRequest says where it is wrong, and how."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise InvalidRequest(sentences(error.errors(include_url=False, include_context=False))) from error


def sentences(faults: Sequence[Mapping[str, Any]]) -> str:
    """Say what is wrong in a sentence for each place, and of a value that fits no type, which it may have."""
    said: dict[str, list[str]] = {}
    for fault in faults:
        at = [str(part) for part in fault["loc"]]
        place = ".".join(at[:-1] if at and at[-1] in ("float", "int", "str") else at)
        said.setdefault(place, []).append(fault["msg"].removeprefix("Value error, "))
    return " ".join(_sentence(place, messages) for place, messages in list(said.items())[:SAID])


def _sentence(place: str, messages: Sequence[str]) -> str:
    text = ", or ".join(messages)[:LONGEST]
    return f"{place[:LONGEST]}: {text}." if place else f"{text}."
