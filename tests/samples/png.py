"""A writer of PNGs that writes what Pillow does not: all depths and types, any chunks, wrong checksums, interlacing."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.pictures import chunk

HEAD = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # Adam7


def png(
    samples: NDArray[np.integer],
    depth: int,
    kind: int,
    *chunks: bytes,
    after: Sequence[bytes] = (),
    interlaced: bool = False,
    end: bool = True,
) -> bytes:
    """Return a PNG of samples of shape (height, width, channels), with chunks before its data and after it."""
    height, width = samples.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    data = zlib.compress(_interlaced(samples, depth) if interlaced else _rows(samples, depth), 9)
    body = HEAD + chunk(b"IHDR", head) + b"".join(chunks) + chunk(b"IDAT", data) + b"".join(after)
    return body + chunk(b"IEND", b"") if end else body


def _rows(samples: NDArray[np.integer], depth: int) -> bytes:
    if not samples.size:
        return b""
    flat = samples.reshape(samples.shape[0], -1)
    if depth == 16:
        lines = flat.astype(">u2").view(np.uint8)
    elif depth == 8:
        lines = flat.astype(np.uint8)
    else:
        bits = (flat[..., None] >> np.arange(depth - 1, -1, -1)) & 1
        lines = np.packbits(bits.reshape(len(flat), -1).astype(np.uint8), axis=1)
    return np.pad(lines, ((0, 0), (1, 0))).tobytes()  # filter 0


def _interlaced(samples: NDArray[np.integer], depth: int) -> bytes:
    return b"".join(_rows(samples[y::down, x::across], depth) for x, y, across, down in PASSES)


def gama(gamma: float) -> bytes:
    """The gamma by which samples were encoded."""
    return chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(primaries: Sequence[tuple[float, float]], white: tuple[float, float] = (0.3127, 0.3290)) -> bytes:
    """The chromaticities of white, red, green and blue."""
    values = [round(value * 100_000) for point in (white, *primaries) for value in point]
    return chunk(b"cHRM", struct.pack(">8I", *values))


def iccp(profile: bytes) -> bytes:
    """An embedded profile."""
    return chunk(b"iCCP", b"a profile\0\0" + zlib.compress(profile))


def cicp(primaries: int, transfer: int) -> bytes:
    """Colour by the code points of ITU-T H.273, as RGB of full range."""
    return chunk(b"cICP", bytes((primaries, transfer, 0, 1)))


def spoilt(made: bytes) -> bytes:
    """Return a chunk with a checksum that is wrong."""
    return made[:-1] + bytes((made[-1] ^ 1,))


SRGB = chunk(b"sRGB", b"\0")
