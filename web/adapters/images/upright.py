"""A photo is turned upright as browsers do: by its EXIF where they obey it, and by nothing else that names a turn."""

import struct

from PIL import Image

_ORIENTATION, _SHORT = 0x0112, 3
_WAYS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation(exif: bytes) -> int:
    """Return the orientation of EXIF's first directory, 1 to 8; 1 where it has none, or not as one short number."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    try:
        return 1 if order is None else _in_first_directory(tiff, order)
    except struct.error:  # cut off
        return 1


def _in_first_directory(tiff: bytes, order: str) -> int:
    (at,) = struct.unpack_from(order + "I", tiff, 4)
    (entries,) = struct.unpack_from(order + "H", tiff, at)
    for index in range(entries):
        tag, kind, count, value, _ = struct.unpack_from(order + "HHIHH", tiff, at + 2 + 12 * index)
        if tag == _ORIENTATION:
            return value if kind == _SHORT and count == 1 and value in _WAYS else 1
    return 1


def upright(image: Image.Image, turn: int) -> Image.Image:
    """Return the image turned as an orientation says."""
    way = _WAYS.get(turn)
    return image if way is None else image.transpose(way)
