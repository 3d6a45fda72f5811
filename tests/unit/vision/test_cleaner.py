"""What comes in from outside, through the real worker process."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from ml_service.errors import InvalidRequest, ServiceError, TooLarge, Unavailable
from tests.pictures import (
    BARE,
    REFUSED,
    SCRIPT,
    animated,
    blank_png,
    metadata,
    picture,
    polyglot,
    saved,
    segments,
    telling_jpeg,
    telling_png,
)
from tests.samples.png import RGB, png
from web.adapters.images.cleaner import Cleaner
from web.adapters.images.limits import PIXEL_LIMIT
from web.adapters.images.reading import within
from web.adapters.images.worker import MEMORY_LIMIT
from web.ports.making import CleanImage

LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


@pytest.fixture(scope="module")
def cleaner() -> Iterator[Cleaner]:
    made = Cleaner()
    yield made
    made.close()


def pixels(image: CleanImage) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    """Decode a clean image, whose head must be true, to height × width × 3."""
    opened = Image.open(io.BytesIO(image.body))
    assert (opened.format, opened.mode, opened.size) == ("JPEG", "RGB", (image.width, image.height))
    assert image.media_type == "image/jpeg"
    return np.asarray(opened, np.int16)


def error_of(cleaner: Cleaner, body: bytes) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        cleaner.clean(body)
    return caught.value


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_single_picture_within_the_limits_is_refused_with_the_reason(cleaner: Cleaner, kind: str) -> None:
    _, make, status, reason = REFUSED[kind]
    error = error_of(cleaner, make())
    assert error.status == status
    assert reason in str(error)
    assert isinstance(error, TooLarge if status == 413 else InvalidRequest)


@pytest.mark.parametrize("body", [telling_jpeg(), telling_png(), polyglot()], ids=["jpeg", "png", "polyglot"])
def test_nothing_but_the_picture_survives(cleaner: Cleaner, body: bytes) -> None:
    made = cleaner.clean(body)
    assert segments(made.body) <= BARE
    for secret in (SCRIPT, b"Exif", b"ICC_PROFILE", b"xmpmeta", b"Spycam", b"Somebody", b"PK\x03\x04"):
        assert secret not in made.body
    assert np.abs(pixels(made) - np.asarray(picture(), np.int16)).mean() < 3


@pytest.mark.parametrize(
    "body",
    [saved(picture(), "PNG"), saved(picture(), "WEBP", lossless=True), saved(picture(), "AVIF", quality=95)],
    ids=["png", "webp", "avif"],
)
def test_the_content_counts_and_not_the_name(cleaner: Cleaner, body: bytes) -> None:
    assert np.abs(pixels(cleaner.clean(body)) - np.asarray(picture(), np.int16)).mean() < 3


WAYS = ["FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_270", "TRANSVERSE", "ROTATE_90"]


@pytest.mark.parametrize(("orientation", "way"), list(enumerate(WAYS, start=2)), ids=WAYS)
def test_the_picture_stands_upright(cleaner: Cleaner, orientation: int, way: str) -> None:
    upright = picture().transpose(Image.Transpose[way])
    made = cleaner.clean(telling_jpeg(orientation))
    assert np.abs(pixels(made) - np.asarray(upright, np.int16)).mean() < 3


def test_a_profile_is_applied_before_it_is_dropped(cleaner: Cleaner) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    wide = _swapped_profile(srgb.tobytes())
    made = pixels(cleaner.clean(saved(picture(), "PNG", icc_profile=wide)))
    expected = np.asarray(picture(), np.int16)[:, :, ::-1]
    assert np.abs(made - expected).mean() < 4


@pytest.mark.parametrize("profile", [b"no profile", LAB, LAB[:100]], ids=["words", "not of RGB", "cut off"])
def test_a_profile_that_cannot_be_used_is_passed_over(cleaner: Cleaner, profile: bytes) -> None:
    made = pixels(cleaner.clean(saved(picture(), "PNG", icc_profile=profile)))
    assert np.abs(made - np.asarray(picture(), np.int16)).mean() < 3


def _swapped_profile(profile: bytes) -> bytes:
    """An sRGB profile whose red and blue primaries have changed places."""
    return profile.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")


@pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("L", "JPEG"), ("P", "PNG"), ("1", "PNG"), ("LA", "PNG")])
def test_other_colour_modes_come_out_as_srgb(cleaner: Cleaner, mode: str, kind: str) -> None:
    source = picture().convert(mode)
    made = pixels(cleaner.clean(saved(source, kind)))
    tolerance = 3 if mode != "CMYK" else 6
    assert np.abs(made - np.asarray(source.convert("RGB"), np.int16)).mean() < tolerance


def test_sixteen_bits_become_eight(cleaner: Cleaner) -> None:
    grey = np.tile(np.linspace(0, 65535, 96).astype(np.uint16), (64, 1))
    made = pixels(cleaner.clean(saved(Image.fromarray(grey), "PNG")))
    assert np.abs(made[:, :, 0] - grey / 257).max() < 4


def test_transparency_shows_white(cleaner: Cleaner) -> None:
    clear = picture().convert("RGBA")
    clear.putalpha(0)
    assert pixels(cleaner.clean(saved(clear, "PNG"))).min() > 250


def test_a_photo_with_previews_inside_is_no_animation(cleaner: Cleaner) -> None:
    body = animated("MPO")
    assert np.abs(pixels(cleaner.clean(body)) - np.asarray(picture(), np.int16)).mean() < 5


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_largest_picture_fits_into_the_memory_limit(cleaner: Cleaner, channels: int) -> None:
    made = cleaner.clean(blank_png(5000, 5000, channels))
    assert (made.width, made.height) == (5000, 5000)


def huge_jpeg() -> bytes:
    """99 megapixels: just too few to be decoded in halves, so the most memory that a JPEG takes."""
    return saved(Image.new("RGB", (11_400, 8_700), (180, 90, 40)), "JPEG", subsampling=0)


@pytest.mark.parametrize("make", [huge_jpeg, lambda: blank_png(11_500, 8_700, 4)], ids=["jpeg", "png"])
def test_a_photo_of_a_hundred_megapixels_is_made_smaller_within_the_memory_limit(make: Callable[[], bytes]) -> None:
    patient = Cleaner(effort=180.0)
    made = patient.clean(make())
    patient.close()
    assert 0.99 * PIXEL_LIMIT < made.width * made.height <= PIXEL_LIMIT
    assert abs(made.width / made.height - 11_450 / 8_700) < 0.02


def test_bands_of_what_is_made_smaller_meet_without_a_seam() -> None:
    waves = np.sin(np.arange(5_200) / 3) * 90 + 128
    source = Image.fromarray(np.repeat(np.rint(waves).astype(np.uint8)[:, None], 5_200, 1))
    made = np.asarray(within(source), np.int16)[:, 0]
    whole = np.asarray(source.crop((0, 0, 8, 5_200)).resize((8, 5_000), Image.Resampling.HAMMING), np.int16)[:, 0]
    assert made.shape == (5_000,)
    assert np.abs(made - whole).max() <= 1


@pytest.mark.parametrize("lost", [2, 3, 40])
def test_a_jpeg_without_its_last_bytes_has_the_rows_that_are_there(cleaner: Cleaner, lost: int) -> None:
    """Noise, so that each row takes many bytes: what is missing is cut away, and no row is grey."""
    noise = np.random.default_rng(5).integers(0, 256, (1200, 64, 3), np.uint8)
    body = saved(Image.fromarray(noise), "JPEG", quality=90, subsampling=0)
    whole, made = pixels(cleaner.clean(body)), pixels(cleaner.clean(body[:-lost]))
    assert 1188 <= len(made) <= 1200
    assert np.array_equal(made[: len(made) - 8], whole[: len(made) - 8])
    assert np.abs(made[-8:] - whole[len(made) - 8 : len(made)]).mean() < 8


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_that_lacks_more_than_a_hundredth_of_its_rows_is_refused(cleaner: Cleaner, kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(5).integers(0, 256, (1200, 64, 3), np.uint8))
    body = saved(noise, kind)
    assert "cut off" in str(error_of(cleaner, body[: len(body) * 97 // 100]))


@pytest.mark.parametrize("depth", [8, 16])
def test_a_png_without_its_last_bytes_has_the_rows_that_are_there(cleaner: Cleaner, depth: int) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (1200, 64, 3))
    body = png(noise * 257 if depth == 16 else noise, depth, RGB)
    made = pixels(cleaner.clean(body[: -75 * depth]))
    assert 1188 <= len(made) < 1200
    assert np.abs(made - noise[: len(made)]).mean() < 8


def test_a_photo_that_tells_a_lot_fits_at_full_size(cleaner: Cleaner) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    body = saved(picture().resize((5600, 4400)), "JPEG", exif=metadata(6), icc_profile=profile)
    made = cleaner.clean(body)
    assert (made.width, made.height) == (4400, 5600)


def test_a_thumbnail_is_smaller_and_keeps_the_shape(cleaner: Cleaner) -> None:
    made = Image.open(io.BytesIO(cleaner.thumbnail(cleaner.clean(saved(picture(900, 600), "PNG")).body, 300)))
    assert made.size == (300, 200)
    assert np.abs(np.asarray(made, np.int16) - np.asarray(picture(300, 200), np.int16)).mean() < 3


def workers() -> set[int]:
    """The ids of the living children of this process that clean images."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = {int(pid) for found in children for pid in found.read_text().split()}
    return {pid for pid in pids if b"web.adapters.images.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def own_worker(cleaner: Cleaner) -> int:
    """Clean one image and return the process that did it, which no earlier cleaner had."""
    before = workers()
    cleaner.clean(telling_jpeg())
    (pid,) = workers() - before
    return pid


@pytest.fixture
def fresh() -> Iterator[Cleaner]:
    made = Cleaner(effort=3.0)
    yield made
    made.close()


def test_a_worker_that_hangs_is_replaced(fresh: Cleaner) -> None:
    pid = own_worker(fresh)
    os.kill(pid, signal.SIGSTOP)
    assert isinstance(error_of(fresh, telling_jpeg()), Unavailable)
    assert fresh.clean(telling_jpeg()).width == 96
    assert pid not in workers()


def test_a_worker_that_is_killed_at_work_is_replaced(fresh: Cleaner) -> None:
    pid = own_worker(fresh)
    os.kill(pid, signal.SIGSTOP)
    killer = threading.Timer(0.2, os.kill, (pid, signal.SIGKILL))
    killer.start()
    error = error_of(fresh, telling_jpeg())
    assert (type(error), "too busy" in str(error)) == (Unavailable, True)
    killer.join()
    assert fresh.clean(telling_jpeg()).width == 96


def test_an_image_that_takes_too_much_of_a_processor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.adapters.images.cleaner.LENIENCE", 1000)  # it is not the time that passes
    hasty = Cleaner(effort=0.1)
    assert "limits of time and memory" in str(error_of(hasty, blank_png(5000, 5000)))
    hasty.close()


def test_an_image_that_breaks_its_worker_is_refused(fresh: Cleaner) -> None:
    pid = own_worker(fresh)
    os.kill(pid, signal.SIGSTOP)
    for number in (signal.SIGSEGV, signal.SIGCONT):
        threading.Timer(0.2, os.kill, (pid, number)).start()
    assert isinstance(error_of(fresh, telling_jpeg()), InvalidRequest)
    assert fresh.clean(telling_jpeg()).width == 96


def test_a_signal_in_the_midst_of_an_answer_costs_nothing_of_it(
    fresh: Cleaner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    noise = saved(Image.fromarray(np.random.default_rng(5).integers(0, 256, (300, 300, 3), np.uint8)), "PNG")
    pid, done = own_worker(fresh), threading.Event()

    def disturb() -> None:
        while not done.wait(0.0002):
            os.kill(pid, signal.SIGALRM)

    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        assert {fresh.clean(noise).width for _ in range(50)} == {300}
    finally:
        done.set()
        disturber.join()


def test_a_worker_that_is_killed_while_idle_costs_nobody_an_image(fresh: Cleaner) -> None:
    pid = own_worker(fresh)
    os.kill(pid, signal.SIGKILL)
    while b"State:\tZ" not in Path(f"/proc/{pid}/status").read_bytes():
        time.sleep(0.01)
    assert fresh.clean(telling_jpeg()).width == 96


def test_closing_ends_the_workers() -> None:
    made = Cleaner()
    pid = own_worker(made)
    made.close()
    assert pid not in workers()


def test_a_worker_may_not_have_more_memory_than_its_limit(fresh: Cleaner) -> None:
    limits = Path(f"/proc/{own_worker(fresh)}/limits").read_text()
    assert f"Max address space         {MEMORY_LIMIT}" in limits


@pytest.mark.parametrize(("share", "code"), [(2, 0), (1, 1)])
def test_the_memory_limit_bites(share: int, code: int) -> None:
    script = f"from web.adapters.images import worker as w; w.main(); bytearray(w.MEMORY_LIMIT // {share})"
    command = [sys.executable, "-c", script, str(MEMORY_LIMIT), "20"]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert run.returncode == code
    assert ("MemoryError" in run.stderr) == (code == 1)


def test_too_little_memory_for_one_image_is_enough_for_the_next() -> None:
    tight = Cleaner(memory=250 << 20)
    assert "memory" in str(error_of(tight, blank_png(5000, 5000)))
    assert tight.clean(telling_jpeg()).width == 96
    tight.close()


def test_images_of_many_threads_do_not_mix(cleaner: Cleaner) -> None:
    def size(width: int) -> tuple[int, int]:
        made = cleaner.clean(saved(picture(width, 64), "PNG"))
        return made.width, pixels(made).shape[1]

    widths = range(100, 112)
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(size, widths)) == [(width, width) for width in widths]


SEEDS = [telling_jpeg(6), telling_png(), saved(picture(), "WEBP", exif=metadata(3)), polyglot(), animated("MPO")]
Edit = tuple[str, float, bytes]
edits = st.lists(
    st.tuples(
        st.sampled_from(["overwrite", "insert", "remove", "repeat"]),
        st.floats(0, 1) | st.floats(0, 0.05),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=6,
)


def mutated(body: bytes, change: Edit) -> bytes:
    """Return a file with some bytes overwritten, inserted, removed or repeated at a place given as a share."""
    way, share, patch = change
    at = int(share * len(body))
    length = len(patch)
    old = body[at : at + length]
    middle = {"overwrite": patch, "insert": patch + old, "remove": b"", "repeat": old * 2}
    return body[:at] + middle[way] + body[at + length :]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.sampled_from(SEEDS), changes=edits)
def test_a_damaged_image_is_refused_in_words_or_comes_out_clean(
    cleaner: Cleaner, seed: bytes, changes: list[Edit]
) -> None:
    body = seed
    for change in changes:
        body = mutated(body, change)
    try:
        made = cleaner.clean(body)
    except (InvalidRequest, TooLarge):
        return
    assert segments(made.body) <= BARE
    pixels(made)
