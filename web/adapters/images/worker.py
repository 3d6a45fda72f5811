"""The process that decodes images from outside, under a memory limit; it knows nothing but bytes in and bytes out.

Frames on the pipes: a request is an operation (1 byte), a side and a length (4 bytes each), then the body; an answer is
the length of a JSON head, the head, the length of a body, the body. Numbers are big-endian.
"""

import io
import json
import os
import resource
import select
import signal
import struct
import sys
import warnings
from types import FrameType
from typing import BinaryIO

from PIL import Image, ImageCms

from web.adapters.images.upright import UNREADABLE, upright

MEMORY_LIMIT = 1 << 30
PIXEL_LIMIT = 25_000_000
LOOK_SECONDS = 0.5
LEAST_SIDE, MOST_SIDE = 32, 16_384
FORMATS = ("JPEG", "PNG", "WEBP")
CLEAN, THUMBNAIL = b"c", b"t"
_SRGB = ImageCms.createProfile("sRGB")


class Refused(Exception):
    """An image that is not taken, and why; `too_large` tells a limit from a fault."""

    def __init__(self, reason: str, *, too_large: bool = False) -> None:
        super().__init__(reason)
        self.too_large = too_large


def clean(body: bytes) -> tuple[bytes, int, int]:
    """Return an image as JPEG in sRGB, upright, on white and without metadata, with its width and height."""
    image = _opened(body)
    try:
        image.load()
    except UNREADABLE as error:
        raise Refused("The image is damaged or cut off; export it again and upload that.") from error
    flat = _flattened(_in_srgb(upright(image)))
    return _jpeg(flat, 95), *flat.size


def thumbnail(body: bytes, side: int) -> tuple[bytes, int, int]:
    """Return a clean image as a smaller JPEG, its longer side at most so many pixels."""
    image = _opened(body)
    image.draft("RGB", (2 * side, 2 * side))
    small = image.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return _jpeg(small, 90), *small.size


def _opened(body: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(body), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _over_limit() from error
    except UNREADABLE as error:
        raise Refused("This is no JPEG, PNG or WebP image that can be read; upload one of these.") from error
    if image.width * image.height > PIXEL_LIMIT:
        raise _over_limit()
    if max(image.size) > MOST_SIDE:
        raise Refused(f"The image is longer than {MOST_SIDE} pixels; cut it or scale it down.", too_large=True)
    if min(image.size) < LEAST_SIDE:
        raise Refused(f"The image is smaller than {LEAST_SIDE} pixels on a side; upload a larger one.")
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:  # an MPO's further frames are previews
        raise Refused("The image is animated; upload a single picture.")
    return image


def _over_limit() -> Refused:
    return Refused(f"The image has more than {PIXEL_LIMIT // 1_000_000} megapixels; scale it down.", too_large=True)


def _in_srgb(image: Image.Image) -> Image.Image:
    """Convert to 8-bit sRGB by the embedded profile; a profile that cannot be read is passed over."""
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip rather than scale
        return image.convert("I").point(lambda value: value / 257).convert("L")
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        converted = ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), _SRGB, outputMode=target
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted or image


def _flattened(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _jpeg(image: Image.Image, quality: int) -> bytes:
    bare = Image.frombytes("RGB", image.size, image.tobytes())  # nothing of the old file comes along
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()


def answer(operation: bytes, side: int, body: bytes) -> tuple[dict[str, object], bytes]:
    """Do one request and return the head and the body of its answer."""
    try:
        made, width, height = clean(body) if operation == CLEAN else thumbnail(body, side)
    except Refused as refused:
        return {"refused": str(refused), "too_large": refused.too_large}, b""
    except MemoryError:
        return {"refused": "The image needs more memory than is allowed; scale it down.", "too_large": True}, b""
    return {"width": width, "height": height}, made


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until their pipe ends."""
    while len(start := requests.read(9)) == 9:
        operation, (side, length) = start[:1], struct.unpack(">II", start[1:])
        head, made = answer(operation, side, requests.read(length))
        text = json.dumps(head).encode()
        answers.write(struct.pack(">I", len(text)) + text + struct.pack(">I", len(made)) + made)
        answers.flush()


def _end_with(requests: int) -> None:
    """Have this process end soon after nobody holds the other end of its requests any more, whatever it is at."""
    watch = select.poll()
    watch.register(requests, 0)  # only the end is told, which no request hides

    def look(_: int, __: FrameType | None) -> None:
        if watch.poll(0):
            os._exit(0)

    signal.signal(signal.SIGALRM, look)  # a thread that waits would take a tenth of the memory that is allowed
    signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS / 100, LOOK_SECONDS)


def main() -> None:
    """Limit this process's memory to as many bytes as the command line says, then serve."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = PIXEL_LIMIT
    _end_with(sys.stdin.fileno())
    serve(sys.stdin.buffer, sys.stdout.buffer)
    signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
