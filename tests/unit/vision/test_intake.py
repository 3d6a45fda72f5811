"""Anything at all through the real cleaner: nothing over the limits, nothing stored unclean, and the service stays."""

import contextlib
import io
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ml_service.errors import InvalidRequest, TooLarge
from tests.clock import FixedClock
from tests.pictures import BARE, blank_png, boxed, chunk, metadata, picture, polyglot, saved, segments, telling_jpeg
from tests.world import World, make_world
from web.adapters.database.store import SqlStore
from web.adapters.images.cleaner import BYTE_LIMIT, LENIENCE, Cleaner
from web.adapters.images.limits import LEAST_SIDE, PIXEL_LIMIT
from web.adapters.images.worker import MEMORY_LIMIT
from web.services.studies import intake

FULL = bool(os.environ.get("PALATE_FULL"))
MARK = b"planted-7f3a"  # is in everything of a file but its pixels
LARGEST = 180  # pixels on a side, so that many are tried; what is larger has its own tests
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
HASTE: Any = {"database": None, "derandomize": not FULL, "deadline": None, "suppress_health_check": list(HealthCheck)}
Maker = Callable[[Image.Image], bytes]


def told(image: Image.Image, kind: str, **options: object) -> bytes:
    """A file that tells the mark in all the places that its kind has for it."""
    exif = metadata()
    exif[0x010E], exif[0x9286], exif[0x013B] = MARK.decode(), b"ASCII\0\0\0" + MARK, MARK.decode()
    profile = b"\0" * 36 + b"acsp" + MARK + b"\0" * 200
    return saved(image, kind, exif=exif, icc_profile=profile, xmp=b"<x:xmpmeta>" + MARK + b"</x:xmpmeta>", **options)


def telling_png(image: Image.Image) -> bytes:
    words = PngInfo()
    words.add_text("Comment", MARK.decode())
    words.add_text("Packed", MARK.decode() * 50, zip=True)
    words.add_itxt("Author", MARK.decode(), zip=True)
    body = told(image, "PNG", pnginfo=words)
    return body[:33] + chunk(b"prVt", MARK) + chunk(b"eXIf", b"MM\0*" + MARK) + body[33:]


def jpeg_with_segments(image: Image.Image) -> bytes:
    body = told(image, "JPEG", comment=MARK, quality=60)
    more = b"".join(
        b"\xff" + bytes([code]) + struct.pack(">H", len(MARK) + 2) + MARK for code in (0xE3, 0xE5, 0xED, 0xEE, 0xFE)
    )
    return body[:2] + more + body[2:] + b"PK\x03\x04" + MARK


FILES: dict[str, Maker] = {
    "jpeg": jpeg_with_segments,
    "progressive jpeg": lambda image: told(image, "JPEG", progressive=True, quality=30, comment=MARK),
    "png": telling_png,
    "webp": lambda image: told(image, "WEBP"),
    "lossless webp": lambda image: told(image, "WEBP", lossless=True),
    "avif": lambda image: told(image, "AVIF", speed=9),
    "animated webp": lambda image: told(image, "WEBP", save_all=True, append_images=[image.rotate(180)]),
    "animated png": lambda image: saved(image, "PNG", save_all=True, append_images=[image.rotate(90)]) + MARK,
    "mpo": lambda image: told(image, "MPO", save_all=True, append_images=[image.rotate(180)]),
    "gif": lambda image: saved(image, "GIF", comment=MARK),
    "tiff": lambda image: saved(image, "TIFF", description=MARK.decode()),
    "bmp": lambda image: saved(image, "BMP") + MARK,
    "page before a jpeg": lambda image: b"<html>" + MARK + b"</html>" + saved(image, "JPEG"),
    "page behind a png": lambda image: saved(image, "PNG") + b"<script>" + MARK + b"</script>",
    "two pictures": lambda image: telling_png(image) + jpeg_with_segments(image),
}
MODES = ["RGB", "RGBA", "L", "LA", "P", "PA", "1", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F"]


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A picture of any mode and shape in any kind of file, or what has no such mode as JPEG."""
    size = draw(st.tuples(st.integers(1, LARGEST), st.integers(1, LARGEST)))
    image, kind = picture(*size), draw(st.sampled_from(sorted(FILES)))
    mode = draw(st.sampled_from(MODES))
    try:
        return FILES[kind](
            image.convert("L").convert(mode) if mode in ("I", "I;16", "F", "PA") else image.convert(mode)
        )
    except (OSError, ValueError, KeyError):
        return jpeg_with_segments(image)


places = st.floats(0, 1) | st.floats(0, 0.08)
damages = st.lists(
    st.tuples(
        st.sampled_from(["flip", "overwrite", "insert", "cut out", "repeat", "end", "length", "size"]),
        places,
        st.binary(min_size=1, max_size=12) | st.sampled_from([b"\0\0\0\0", b"\xff" * 4, b"\x7f\xff\xff\xff", MARK]),
    ),
    max_size=6,
)


def damaged(body: bytes, way: str, share: float, patch: bytes) -> bytes:
    """A file with a change at a place given as a share of its length."""
    at = int(share * len(body))
    old = body[at : at + len(patch)]
    if way == "end":
        return body[: max(at, 1)]
    if way == "size" and body.startswith(PNG_HEAD):  # a picture that says it is larger, with a checksum that is right
        head = (patch * 8)[:8] + body[24:29]
        return body[:8] + chunk(b"IHDR", head) + body[33:]
    if way in ("length", "size"):  # a length field, which some decoders believe
        return body[:at] + patch[:4].ljust(4, b"\xff") + body[at + 4 :]
    flipped = bytes(a ^ b for a, b in zip(old, patch, strict=False))
    middle = {"flip": flipped, "overwrite": patch, "insert": patch + old, "cut out": b"", "repeat": old * 9}[way]
    return body[:at] + middle + body[at + len(patch) :]


def check(made: bytes, width: int, height: int) -> None:
    """Hold what comes out to what is promised: it decodes whole, is bare, and is within the limits."""
    assert segments(made) <= BARE
    assert MARK not in made
    opened = Image.open(io.BytesIO(made))
    opened.load()
    assert (opened.format, opened.mode, opened.size) == ("JPEG", "RGB", (width, height))
    assert not opened.getexif()
    assert not {"icc_profile", "exif", "xmp", "comment"} & opened.info.keys()
    assert min(width, height) >= LEAST_SIDE
    assert width * height <= PIXEL_LIMIT


@pytest.fixture(scope="module")
def cleaner() -> Iterator[Cleaner]:
    made = Cleaner()
    yield made
    made.close()


def workers() -> set[int]:
    """The ids of this process's children that clean images."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = set()
    for found in children:
        with contextlib.suppress(FileNotFoundError):  # a thread that ended meanwhile
            pids |= {int(pid) for pid in found.read_text().split()}
    return {pid for pid in pids if b"web.adapters.images.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def most_memory(pid: int) -> int:
    """The most address space that a process has had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmPeak"))


def cleaned(cleaner: Cleaner, body: bytes) -> bool:
    """Clean a file and check what comes out; False where it is refused in words."""
    try:
        made = cleaner.clean(body)
    except (InvalidRequest, TooLarge):
        return False
    check(made.body, made.width, made.height)
    return True


@settings(max_examples=6000 if FULL else 250, **HASTE)
@given(body=files(), changes=damages)
def test_any_file_is_refused_in_words_or_comes_out_bare(
    cleaner: Cleaner, body: bytes, changes: list[tuple[str, float, bytes]]
) -> None:
    for change in changes:
        body = damaged(body, *change)
    cleaned(cleaner, body)
    assert all(most_memory(pid) <= MEMORY_LIMIT for pid in workers())


@settings(max_examples=2000 if FULL else 100, **HASTE)
@given(
    body=st.binary(max_size=400),
    head=st.sampled_from([b"", PNG_HEAD, b"\xff\xd8\xff", b"RIFF\xff\0\0\0WEBPVP8 ", b"\0\0\0\x14ftypavif"]),
)
def test_noise_is_refused(cleaner: Cleaner, body: bytes, head: bytes) -> None:
    assert not cleaned(cleaner, head + body)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_what_a_kind_of_file_can_hold_comes_out_bare(cleaner: Cleaner, kind: str, mode: str) -> None:
    grey = mode in ("I", "I;16", "F", "PA")
    source = (picture().convert("L") if grey else picture()).convert(mode)
    try:
        body = saved(source, kind)
    except (OSError, ValueError, KeyError):
        pytest.skip(f"{kind} has no {mode}")
    assert cleaned(cleaner, body)


@lru_cache
def packed(size: int) -> bytes:
    """Very little that unpacks to very much."""
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()


def png(*chunks: bytes, width: int = 64, height: int = 64, data: bytes | None = None) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = zlib.compress(bytes((1 + width * 3) * height)) if data is None else data
    return PNG_HEAD + head + b"".join(chunks) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def many_scans() -> bytes:
    """A progressive JPEG of 25 megapixels whose last scan comes again and again."""
    body = saved(Image.new("L", (5000, 5000)), "JPEG", progressive=True)
    scan = body.rindex(b"\xff\xda")
    return body[:-2] + body[scan:-2] * ((BYTE_LIMIT - len(body)) // (len(body) - scan)) + b"\xff\xd9"


GIGABYTE, EFFORT = 1 << 30, 6.0
BOMBS: dict[str, Callable[[], bytes]] = {
    "colour profile": lambda: png(chunk(b"iCCP", b"a\0\0" + packed(GIGABYTE))),
    "packed text": lambda: png(chunk(b"zTXt", b"a\0\0" + packed(GIGABYTE))),
    "packed international text": lambda: png(chunk(b"iTXt", b"a\0\1\0\0\0" + packed(GIGABYTE))),
    "many packed texts": lambda: png(*[chunk(b"zTXt", b"a\0\0" + packed(1 << 20))] * 2000),
    "pixels": lambda: png(width=30_000, height=30_000, data=packed(GIGABYTE)),
    "more rows than it says": lambda: png(data=packed(GIGABYTE)),
    "largest of all": lambda: png(width=2**31 - 1, height=2**31 - 1, data=b""),
    "no side": lambda: png(width=0, height=0),
    "a chunk longer than the file": lambda: PNG_HEAD + b"\xff\xff\xff\xff" + b"IDAT" + bytes(100),
    "a profile in many pieces": lambda: telling_jpeg()[:2] + b"\xff\xe2\x00\x12ICC_PROFILE\0\xff\xffAB" * 5000,
    "many scans": many_scans,
    "a film's worth of boxes": lambda: boxed(b"avif") + b"\0\0\0\x08free" * 1_000_000,
    "rows that are lost": lambda: png(width=11_000, height=10_900, data=packed(GIGABYTE)[:360_000]),
    "almost too large": lambda: blank_png(5000, 5000, 4),
    "polyglot": polyglot,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_costs_neither_memory_nor_the_next_picture(bomb: str) -> None:
    cleaner, body = Cleaner(effort=EFFORT), BOMBS[bomb]()
    began = time.monotonic()
    cleaned(cleaner, body)
    assert time.monotonic() - began < (LENIENCE + 1) * EFFORT
    assert all(most_memory(pid) <= MEMORY_LIMIT for pid in workers())
    assert cleaned(cleaner, telling_jpeg())
    cleaner.close()


@pytest.fixture
def world(tmp_path: Path, clock: FixedClock, sqlite_template: Path) -> Iterator[World]:
    (tmp_path / "palate.db").write_bytes(sqlite_template.read_bytes())
    store = SqlStore.open(f"sqlite:///{tmp_path / 'palate.db'}")
    made = make_world(store, clock, tmp_path, inputs=0)
    yield made
    store.close()


@settings(max_examples=600 if FULL else 40, **HASTE)
@given(body=files(), changes=damages, name=st.text(max_size=200))
def test_nothing_unclean_is_ever_stored(
    world: World, tmp_path: Path, body: bytes, changes: list[tuple[str, float, bytes]], name: str
) -> None:
    for change in changes:
        body = damaged(body, *change)
    folder, before = tmp_path / "objects", inputs(world)
    known = set(folder.rglob("*"))
    try:
        kept = intake.add_input(world.parts, world.admin, world.study.id, name, body)
    except (InvalidRequest, TooLarge):
        assert (inputs(world), set(folder.rglob("*"))) == (before, known)
        return
    assert kept.name.isprintable()
    for key in (kept.object_key, intake.view_key(kept)):
        check(world.parts.objects.read(key), kept.width, kept.height)


def inputs(world: World) -> int:
    with world.parts.store.read() as tx:
        return len(tx.inputs.all(study_id=world.study.id))
