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

from PIL import AvifImagePlugin, Image

from web.adapters.images.limits import READ_LIMIT, Refused
from web.adapters.images.reading import opened, read

MEMORY_LIMIT = 1 << 30
LOOK_SECONDS = 0.5
CLEAN, THUMBNAIL = b"c", b"t"


def clean(body: bytes) -> tuple[bytes, int, int]:
    """Return an image as JPEG in sRGB, upright, on white and without metadata, with its width and height."""
    image = read(body)
    return _jpeg(image, 95), *image.size


def thumbnail(body: bytes, side: int) -> tuple[bytes, int, int]:
    """Return a clean image as a smaller JPEG, its longer side at most so many pixels."""
    image = opened(body, "JPEG")
    image.draft("RGB", (2 * side, 2 * side))
    small = image.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return _jpeg(small, 90), *small.size


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


def serve(requests: BinaryIO, answers: BinaryIO, effort: float = 0.0) -> None:
    """Answer requests until their pipe ends, or until one takes so many seconds of a processor; 0 sets no limit."""
    while len(start := requests.read(9)) == 9:
        operation, (side, length) = start[:1], struct.unpack(">II", start[1:])
        body = requests.read(length)
        signal.setitimer(signal.ITIMER_PROF, effort)  # whose signal ends this process, in the midst of a decoder too
        head, made = answer(operation, side, body)
        signal.setitimer(signal.ITIMER_PROF, 0)
        text = json.dumps(head).encode()
        answers.write(struct.pack(">I", len(text)) + text + struct.pack(">I", len(made)) + made)
        answers.flush()


def _end_with(requests: int) -> None:
    """Have this process end soon after nobody holds the other end of its requests any more, whatever it is at."""

    def look(_: int, __: FrameType | None) -> None:
        watch = select.poll()  # each its own, as one look may come in the midst of another
        watch.register(requests, 0)  # only the end is told, which no request hides
        if watch.poll(0):
            os._exit(0)

    signal.signal(signal.SIGALRM, look)  # a thread that waits would take a tenth of the memory that is allowed
    signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS / 100, LOOK_SECONDS)


def main() -> None:
    """Limit this process's memory to the bytes, and its effort to the seconds, of the command line; then serve."""
    memory, effort = int(sys.argv[1]), float(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = READ_LIMIT
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each would take its own share of the memory
    _end_with(sys.stdin.fileno())
    with open(sys.stdout.fileno(), "wb", closefd=False) as answers:  # with PYTHONUNBUFFERED its own writes may be short
        serve(sys.stdin.buffer, answers, effort)
    signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
