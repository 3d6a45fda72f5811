"""What a PNG holds beside its pixels, read as browsers do: colour and orientation are kept, all else passed over.

Chunks that help nobody to see the picture are many in what generators write (whole workflows); each is a way to fail.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from web.adapters.images.limits import Refused, damaged

if TYPE_CHECKING:
    from web.adapters.images.encoding import Encoding

HEAD = b"\x89PNG\r\n\x1a\n"
_UNITS = 100_000  # of a gamma or a chromaticity, as whole numbers
MOST_PROFILE = 8 << 20  # bytes when unpacked


@dataclass
class Chunks:
    """A PNG taken apart: its head, palette and keys, its packed rows, and by name what stands before these."""

    head: bytes = b""
    told: dict[bytes, bytes] = field(default_factory=dict)
    rows: list[bytes] = field(default_factory=list)

    def bare(self) -> bytes:
        """Return the picture as a PNG with nothing but what its pixels need."""
        kept = [(name, self.told[name]) for name in (b"PLTE", b"tRNS") if name in self.told]
        parts = [(b"IHDR", self.head), *kept, *((b"IDAT", row) for row in self.rows), (b"IEND", b"")]
        return HEAD + b"".join(_chunk(name, data) for name, data in parts)

    def profile(self) -> bytes:
        """Return the embedded colour profile, empty where there is none that can be unpacked."""
        _, _, packed = self.told.get(b"iCCP", b"").partition(b"\0")
        try:
            return zlib.decompressobj().decompress(packed[1:], MOST_PROFILE) if packed[:1] == b"\0" else b""
        except zlib.error:
            return b""

    @property
    def is_deep(self) -> bool:
        """Whether there are 16 bits a channel."""
        return self.head[8] == 16

    def grey_key(self) -> int | None:
        """Return the grey of 2 or 4 bits that is see-through, as 8 bits, which Pillow leaves as it stands."""
        key, depth = self.numbers(b"tRNS", ">H"), self.head[8]
        return key[0] * 255 // ((1 << depth) - 1) if key and depth in (2, 4) and self.head[9] == 0 else None

    def exif(self) -> bytes:
        """Return the EXIF; empty where there is none, or where it does not begin as it should."""
        data = self.told.get(b"eXIf", b"")
        return data if data[:2] in (b"II", b"MM") else b""

    def colours(self) -> "tuple[bytes | Encoding, ...]":
        """Return what is told of the colours, the most binding first: code points, a profile, sRGB, gamma."""
        told: list[bytes | Encoding | None] = [self._by_code_points(), self.profile() or None]
        if b"sRGB" not in self.told:
            told.append(self._by_gamma())
        return tuple(one for one in told if one is not None)

    def _by_code_points(self) -> "Encoding | None":
        points = self.numbers(b"cICP", ">4B")
        if points is None:
            return None
        from web.adapters.images.encoding import by_code_points  # NumPy, which few pictures need

        return by_code_points(points[0], points[1])

    def _by_gamma(self) -> "Encoding | None":
        gamma, colours = self.numbers(b"gAMA", ">I"), self.numbers(b"cHRM", ">8I")
        if gamma is None:
            return None
        from web.adapters.images.encoding import Primaries, by_gamma

        if colours is None:
            return by_gamma(gamma[0] / _UNITS, None)
        x_y = [value / _UNITS for value in colours]
        white, red, green, blue = zip(x_y[::2], x_y[1::2], strict=True)
        return by_gamma(gamma[0] / _UNITS, Primaries(red, green, blue, white))

    def numbers(self, name: bytes, layout: str) -> tuple[int, ...] | None:
        """Return the numbers of a chunk; None where it is not there or not as long as they are."""
        data = self.told.get(name, b"")
        return struct.unpack(layout, data) if len(data) == struct.calcsize(layout) else None


def taken_apart(body: bytes) -> Chunks:
    """Take a PNG apart; Refused where it has no head, or critical chunks that are wrong or unknown.

    An ancillary chunk with a wrong checksum is passed over, or one behind the rows; of two the first counts.
    """
    made = Chunks()
    for name, data, right in _chunks(body):
        if name == b"IHDR" and len(data) == 13 and right and not made.head:
            made.head = data
        elif name == b"IDAT":
            made.rows.append(data)
        elif _is_critical(name) and (name != b"PLTE" or not right):
            raise damaged()
        elif right and not made.rows:
            made.told.setdefault(name, data)
    if not made.head or not made.rows:
        raise damaged()
    frames = made.numbers(b"acTL", ">II")
    if frames is not None and frames[0] > 1:
        raise Refused("The image is animated; upload a single picture.")
    return made


def _is_critical(name: bytes) -> bool:
    return not name[0] & 0x20


def _chunks(body: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Go through names and data up to the end of the picture or of the file, and whether the checksum is right."""
    at = len(HEAD)
    while at + 8 <= len(body):
        length, name = struct.unpack_from(">I4s", body, at)
        data = body[at + 8 : at + 8 + length]
        checksum = body[at + 8 + length : at + 12 + length]
        right = checksum == struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))
        if name == b"IEND":
            return
        yield name, data, right
        at += 12 + length


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))
