"""Pictures as bytes: good ones, and what somebody might send instead of one."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

PLACE = 0x8825
ORIENTATION, MAKER = 0x0112, 0x010F
BARE = {0xDB, 0xC0, 0xC4, 0xDA, 0xE0}  # tables, frame, scan and the JFIF head: all that a bare JPEG has
SCRIPT = b"<script>alert(document.domain)</script>"


def picture(width: int = 96, height: int = 64) -> Image.Image:
    """A picture whose left is red and whose right is blue, brighter towards the bottom."""
    across, down = np.linspace(0, 1, width)[None, :], np.linspace(60, 230, height)[:, None]
    return Image.fromarray(np.stack([down * (1 - across), down * 0.4 + 0 * across, down * across], -1).astype(np.uint8))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return an image as a file of a kind that Pillow writes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def metadata(orientation: int = 1) -> Image.Exif:
    """EXIF that names a camera, a place and which way is up."""
    exif = Image.Exif()
    exif[MAKER], exif[ORIENTATION] = "Spycam", orientation
    exif[PLACE] = {1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)}
    return exif


def telling_jpeg(orientation: int = 1) -> bytes:
    """A JPEG with EXIF, a place, a colour profile, XMP and a comment."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>secret</x:xmpmeta>"
    return saved(
        picture(), "JPEG", exif=metadata(orientation), icc_profile=profile, comment=SCRIPT, xmp=xmp, quality=95
    )


def telling_png() -> bytes:
    """A PNG with EXIF, text and a colour profile."""
    words = PngInfo()
    words.add_text("Comment", SCRIPT.decode())
    words.add_itxt("Author", "Somebody", zip=True)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return saved(picture(), "PNG", exif=metadata(), pnginfo=words, icc_profile=profile)


def polyglot() -> bytes:
    """A JPEG that is also a page with a script and a zip archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("evil.sh", "#!/bin/sh\nreboot\n")
    return telling_jpeg() + b"<html>" + SCRIPT + archive.getvalue()


@lru_cache
def blank_png(width: int, height: int, channels: int = 3) -> bytes:
    """A PNG of one colour: a small file however large the picture is."""
    colour_type = {1: 0, 3: 2, 4: 6}[channels]
    packer = zlib.compressobj(9)
    row = bytes(1 + width * channels)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def animated(kind: str) -> bytes:
    """An animation of two frames."""
    second = picture().transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return saved(picture(), kind, save_all=True, append_images=[second], duration=100)


def cut(body: bytes) -> bytes:
    """The first two thirds of a file."""
    return body[: len(body) * 2 // 3]


def segments(jpeg: bytes) -> set[int]:
    """The markers of a JPEG's segments up to its scan; whatever follows the end of the image fails."""
    assert jpeg.startswith(b"\xff\xd8")
    assert jpeg.endswith(b"\xff\xd9")
    found, at = set[int](), 2
    while 0xDA not in found:
        assert jpeg[at] == 0xFF
        found.add(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    assert jpeg.count(b"\xff\xd9", at) == 1
    return found


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)" width="64" height="64"/>'


def boxed(*brands: bytes) -> bytes:
    """The start of a file in the container of MP4, which names its brands."""
    words = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return struct.pack(">I", 4 + len(words)) + words + bytes(400)


# What is refused: the name it is sent under, the file, its status, and a word that the reason must hold.
REFUSED: dict[str, tuple[str, Callable[[], bytes], int, str]] = {
    "empty": ("empty.jpg", lambda: b"", 422, "empty"),
    "truncated-jpeg": ("cut.jpg", lambda: cut(telling_jpeg()), 422, "cut off"),
    "truncated-png": ("cut.png", lambda: cut(saved(picture(), "PNG")), 422, "cut off"),
    "truncated-webp": ("cut.webp", lambda: cut(saved(picture(), "WEBP")), 422, "cut off"),
    "truncated-avif": ("cut.avif", lambda: cut(saved(picture(), "AVIF")), 422, "cut off"),
    "bomb": ("bomb.png", lambda: blank_png(20000, 20000, 1), 413, "120 megapixels"),
    "just-too-large": ("large.png", lambda: blank_png(10_001, 12_000, 1), 413, "120 megapixels"),
    "more-than-double": ("larger.png", lambda: blank_png(16_000, 16_000, 1), 413, "120 megapixels"),
    "ribbon": ("long.png", lambda: blank_png(16_385, 40), 413, "16384 pixels"),
    "text": ("photo.jpg", lambda: b"This is a shopping list, not a photo.\n" * 40, 422, "no picture that can be read"),
    "page": ("photo.png", lambda: b"<!doctype html>" + SCRIPT, 422, "a web page"),
    "svg": ("logo.svg", lambda: SVG, 422, "an SVG drawing"),
    "gif": ("fun.gif", lambda: saved(picture(), "GIF"), 422, "a GIF"),
    "bmp": ("paint.jpg", lambda: saved(picture(), "BMP"), 422, "a BMP"),
    "tiff": ("scan.jpg", lambda: saved(picture(), "TIFF"), 422, "a TIFF"),
    "raw": ("shot.cr2", lambda: b"II*\0\x10\0\0\0CR\2\0" + bytes(400), 422, "a camera's raw file"),
    "new-raw": ("shot.cr3", lambda: boxed(b"crx ", b"crx ", b"isom"), 422, "a camera's raw file"),
    "heic": ("photo.jpg", lambda: boxed(b"heic", b"mif1", b"heic"), 422, "Most Compatible"),
    "heic-by-container": ("photo.heif", lambda: boxed(b"mif1", b"mif1", b"heic"), 422, "a HEIC photo"),
    "film": ("film.mp4", lambda: boxed(b"isom", b"isom", b"avc1"), 422, "a video"),
    "pdf": ("scan.pdf", lambda: b"%PDF-1.7\n" + bytes(400), 422, "a PDF document"),
    "archive": ("photos.zip", lambda: b"PK\x03\x04" + bytes(400), 422, "unpack it"),
    "animated-webp": ("fun.webp", lambda: animated("WEBP"), 422, "animated"),
    "animated-png": ("fun.png", lambda: animated("PNG"), 422, "animated"),
    "animated-avif": ("fun.avif", lambda: animated("AVIF"), 422, "animated"),
    "one-pixel": ("dot.png", lambda: saved(picture(1, 1), "PNG"), 422, "32 pixels"),
    "only-a-head": ("head.jpg", lambda: b"\xff\xd8\xff\xe0", 422, "cut off"),
    "long-file": ("long.jpg", lambda: telling_jpeg() + bytes(30_000_000), 413, "30 MB"),
}
