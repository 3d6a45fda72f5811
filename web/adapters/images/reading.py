"""Decode what is taken: a picture of any of four kinds of file, and what its file says of its colours and its turn."""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import TYPE_CHECKING

from PIL import Image

from web.adapters.images import png
from web.adapters.images.avif import code_points
from web.adapters.images.damaged import mended_jpeg, mended_png
from web.adapters.images.limits import PIXEL_LIMIT, check, damaged, over_limit
from web.adapters.images.profiles import shown
from web.adapters.images.sniff import kind
from web.adapters.images.upright import orientation, upright

if TYPE_CHECKING:
    from web.adapters.images.encoding import Encoding

UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, struct.error)
_BAND, _MARGIN = 256, 2  # rows of what is made at once, and of what a filter reads beyond them


@dataclass(frozen=True)
class Picture:
    """A decoded picture, what is told of its colours, the most binding first, and its orientation (1 to 8, as EXIF)."""

    image: Image.Image
    told: "tuple[bytes | Encoding, ...]" = ()
    turn: int = 1


def read(body: bytes) -> Image.Image:
    """Return the picture of a file as browsers show it: RGB, upright, in sRGB on white, of at most PIXEL_LIMIT pixels.

    Refused says why not: what the file is instead, that it is damaged, or which limit it breaks.
    """
    picture = _READERS[kind(body)](body)
    return upright(shown(picture.image, picture.told), picture.turn)


def opened(body: bytes, named: str) -> Image.Image:
    """Open a picture of a kind of file without decoding it; Refused where it is damaged or breaks a limit."""
    try:
        image = Image.open(io.BytesIO(body), formats=(named,))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise over_limit() from error
    except UNREADABLE as error:
        raise damaged() from error
    check(image)
    return image


def _jpeg(body: bytes) -> Picture:
    image = opened(body, "JPEG")
    size = _decoded_size(image)
    image.draft(None, size)
    try:
        image.load()
        whole = image
    except UNREADABLE:
        whole = _loaded(lambda: mended_jpeg(body, size))
    return Picture(within(whole), _profile(image), orientation(image.info.get("exif", b"")))


def _decoded_size(image: Image.Image) -> tuple[int, int]:
    """Return the size at which a JPEG is decoded: what is very large in halves, which needs a quarter of the memory."""
    scale = next((s for s in (8, 4, 2) if image.width * image.height >= PIXEL_LIMIT * s * s), 1)
    return image.width // scale, image.height // scale


def _webp(body: bytes) -> Picture:
    image = _loaded(lambda: opened(body, "WEBP"))
    return Picture(within(image), _profile(image), orientation(image.info.get("exif", b"")))


def _avif(body: bytes) -> Picture:
    image = _loaded(lambda: opened(body, "AVIF"))
    told: tuple[bytes | Encoding, ...] = _profile(image)
    if not told and (points := code_points(body)) is not None:
        from web.adapters.images.encoding import by_code_points  # NumPy, which few pictures need

        encoding = by_code_points(*points, video_as_srgb=True)
        told = () if encoding is None else (encoding,)
    return Picture(within(image), told, orientation(image.info.get("exif", b"")))


def _png(body: bytes) -> Picture:
    chunks = png.taken_apart(body)
    turn = orientation(chunks.exif())
    image = opened(chunks.bare(), "PNG")
    try:
        image.load()
    except UNREADABLE:
        chunks = mended_png(chunks)
        image = _loaded(lambda: opened(chunks.bare(), "PNG"))
    if chunks.is_deep:
        del image  # it has shown that its rows are whole
        from web.adapters.images.deep import read_deep  # NumPy and OpenCV, which few pictures need

        return Picture(*read_deep(chunks), turn)
    if (key := chunks.grey_key()) is not None:
        image.info["transparency"] = key
    return Picture(within(image), chunks.colours(), turn)


def _loaded(open_one: Callable[[], Image.Image]) -> Image.Image:
    try:
        image = open_one()
        image.load()
    except UNREADABLE as error:
        raise damaged() from error
    return image


def _profile(image: Image.Image) -> tuple[bytes, ...]:
    profile = image.info.get("icc_profile")
    return (profile,) if profile else ()


def within(image: Image.Image) -> Image.Image:
    """Return a picture of at most PIXEL_LIMIT pixels, made smaller in bands, which need little memory."""
    if image.width * image.height <= PIXEL_LIMIT:
        return image
    share = sqrt(PIXEL_LIMIT / (image.width * image.height))
    width, height = int(image.width * share), int(image.height * share)
    plain = image.mode if image.mode in ("L", "RGB", "CMYK") else "RGB"
    made = Image.new("RGBA" if image.has_transparency_data else plain, (width, height))
    step = image.height / height
    for top in range(0, height, _BAND):
        bottom = min(top + _BAND, height)
        first = max(0, floor((top - _MARGIN) * step))
        last = min(image.height, ceil((bottom + _MARGIN) * step))
        band = image.crop((0, first, image.width, last)).convert(made.mode)
        box = (0, top * step - first, image.width, min(bottom * step, image.height) - first)
        made.paste(band.resize((width, bottom - top), Image.Resampling.HAMMING, box), (0, top))
    return made


_READERS: dict[str, Callable[[bytes], Picture]] = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "AVIF": _avif}
