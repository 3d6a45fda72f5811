"""What an AVIF says of its colour by code points; Pillow tells its profile and its turn, but not these."""

import struct
from collections.abc import Iterator

_FULL = {b"meta": 4}  # a version and flags stand before what is inside
_PATH = (b"meta", b"iprp", b"ipco")


def code_points(body: bytes) -> tuple[int, int] | None:
    """Return the code points of primaries and transfer (H.273) of the first picture; None where there are none."""
    inside = body
    for name in _PATH:
        inside = next((data for found, data in _boxes(inside) if found == name), b"")[_FULL.get(name, 0) :]
    for name, data in _boxes(inside):
        if name == b"colr" and data[:4] == b"nclx" and len(data) >= 8:
            primaries, transfer = struct.unpack_from(">HH", data, 4)
            return primaries, transfer
    return None


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if length < 8:  # to the end of the file, or longer than any that is taken
            length = len(data) - at
        yield name, data[at + 8 : at + length]
        at += length
