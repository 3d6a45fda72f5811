"""Pictures whose file ends early: what is there is taken where next to nothing is missing, as browsers show it.

What is missing is cut away rather than filled, since a decoder fills it with grey or with what it saw last.
"""

import io
import random
import struct
import zlib
from dataclasses import replace

from PIL import Image, ImageChops

from web.adapters.images.limits import damaged
from web.adapters.images.png import Chunks

ENOUGH = 0.99  # of the rows
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_END = b"\xff\xd9"
_TAIL = random.Random(1).randbytes(4096).replace(b"\xff", b"\x00")


def mended_jpeg(body: bytes, size: tuple[int, int]) -> Image.Image:
    """Return the rows of a JPEG that are whole, decoded at about a size; Refused where too few are.

    A row is whole if it does not depend on what follows the end of the file: so two different tails are tried.
    """
    start = body[: -1 if body.endswith(b"\xff") else None]
    plain, other = (_decoded(start + tail + _END, size) for tail in (b"", _TAIL))
    box = ImageChops.difference(plain, other).getbbox(alpha_only=False)
    rows = plain.height if box is None else box[1]
    if rows < ENOUGH * plain.height:
        raise damaged()
    return plain.crop((0, 0, plain.width, rows)) if rows < plain.height else plain


def _decoded(body: bytes, size: tuple[int, int]) -> Image.Image:
    image = Image.open(io.BytesIO(body), formats=("JPEG",))
    image.draft(None, size)
    image.load()
    return image


def mended_png(chunks: Chunks) -> Chunks:
    """Return a PNG of the rows that are whole; Refused where too few are."""
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks.head)
    row = 1 + (width * depth * _CHANNELS.get(kind, 0) + 7) // 8
    unpacked = _unpacked(chunks.rows, row * height)
    rows = len(unpacked) // row
    if interlaced or rows < ENOUGH * height:
        raise damaged()
    head = struct.pack(">II", width, rows) + chunks.head[8:]
    return replace(chunks, head=head, rows=[zlib.compress(unpacked[: rows * row], 1)])


def _unpacked(pieces: list[bytes], most: int) -> bytes:
    """Unpack as much as can be, piece by piece, up to so many bytes."""
    packer, made = zlib.decompressobj(), bytearray()
    try:
        for piece in pieces:
            for at in range(0, len(piece), 4096):
                made += packer.decompress(piece[at : at + 4096], max(1, most - len(made)))
                while packer.unconsumed_tail and len(made) < most:
                    made += packer.decompress(packer.unconsumed_tail, most - len(made))
                if len(made) >= most:
                    return bytes(made)
    except zlib.error:  # damaged from here on
        pass
    return bytes(made)
