"""The sample files through the real worker process, beside what Chromium showed of them."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ml_service.errors import InvalidRequest, TooLarge
from tests.pictures import chunk, saved
from tests.samples import png as p
from tests.samples.chromium import Shown, kept, looked_at
from tests.samples.files import HEIGHT, WIDTH, jpeg, paletted, picture, quarters, samples, webp
from tests.samples.profiles import P3, SRGB, Chromaticities, matrix, to_d50
from web.adapters.images.cleaner import Cleaner

LEVELS = 3.0
# Where Palate stands off on purpose, or by a little; docs/decisions/0017 says why.
APART = {
    "webp, exif 6": "it is turned upright",
    "webp, bare exif 6": "it is turned upright",
    "jpeg, without its last row": "the rows that are not there are cut away",
    "jpeg, ycck with its inks": "4 levels: a table of inks is read between its points in another way",
}


@pytest.fixture(scope="module")
def cleaner() -> Iterator[Cleaner]:
    made = Cleaner()
    yield made
    made.close()


@pytest.fixture(scope="module")
def cleaned(cleaner: Cleaner) -> dict[str, Shown | str]:
    """How each sample comes out, or why it is refused."""
    return {name: _cleaned(cleaner, body) for name, body in samples().items()}


def _cleaned(cleaner: Cleaner, body: bytes) -> Shown | str:
    try:
        return looked_at(Image.open(io.BytesIO(cleaner.clean(body).body)))
    except (InvalidRequest, TooLarge) as refused:
        return str(refused)


def test_there_are_samples_enough() -> None:
    assert kept().keys() == samples().keys()
    assert len(samples()) >= 60


def test_samples_come_out_as_chromium_shows_them(cleaned: dict[str, Shown | str]) -> None:
    off = {}
    for name, expected in kept().items():
        found = cleaned[name]
        if not isinstance(found, Shown) or expected is None:
            if not (isinstance(found, str) and expected is None):
                off[name] = f"{found} for {expected}"
        elif found.apart(expected) > LEVELS:
            off[name] = f"{found.apart(expected)} levels apart: {found} for {expected}"
    assert {name: how for name, how in off.items() if name not in APART} == {}
    assert off.keys() == APART.keys()
    assert len(off) <= 0.05 * len(kept())


@pytest.mark.parametrize("name", ["webp, exif 6", "webp, bare exif 6"])
def test_a_webp_is_turned_by_its_exif(cleaned: dict[str, Shown | str], name: str) -> None:
    upright = kept()["jpeg, exif 6"]
    found = cleaned[name]
    assert isinstance(found, Shown)
    assert upright is not None
    assert found.apart(upright) <= LEVELS


def _light() -> NDArray[np.float64]:
    """The picture's light as a share of white, by sRGB's curve."""
    values = quarters() / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _written(gamma: float, primaries: Chromaticities, most: int) -> NDArray[np.int64]:
    """The same picture written otherwise: in other primaries, by a power, as integers up to `most`."""
    seen = _light() @ (np.linalg.inv(to_d50(primaries)) @ to_d50(SRGB)).T
    return np.rint(np.clip(seen, 0, 1) ** (1 / gamma) * most).astype(np.int64)


def _paletted(samples: NDArray[np.int64], *chunks: bytes) -> bytes:
    colours = [samples[y, x] for y in (0, -1) for x in (0, -1)]
    indices = np.array(((0, 1), (2, 3))).repeat(HEIGHT // 2, 0).repeat(WIDTH // 2, 1)[..., None]
    return p.png(indices, 8, p.PALETTE, *chunks, chunk(b"PLTE", np.array(colours, np.uint8).tobytes()))


def _ways() -> dict[str, bytes]:
    """One picture in every mode and encoding that loses nothing of it."""
    ways = {"16 bits": p.png(quarters(65535), 16, p.RGB), "webp": webp(), "palette": paletted(), "jpeg": jpeg()}
    for bits, most in ((8, 255), (16, 65535)):
        wide, linear = _written(2.2, P3, most), _written(1.0, SRGB, most)
        whole = np.full((HEIGHT, WIDTH, 1), most)
        ways |= {
            f"profile {bits}": p.png(wide, bits, p.RGB, p.iccp(matrix(P3))),
            f"profile and alpha {bits}": p.png(np.dstack([wide, whole]), bits, p.RGBA, p.iccp(matrix(P3))),
            f"chromaticities {bits}": p.png(wide, bits, p.RGB, p.gama(1 / 2.2), p.chrm(P3)),
            f"gamma {bits}": p.png(_written(1.8, SRGB, most), bits, p.RGB, p.gama(1 / 1.8)),
            f"linear {bits}": p.png(linear, bits, p.RGB, p.gama(1.0)),
            f"linear code points {bits}": p.png(linear, bits, p.RGB, p.cicp(1, 8)),
            f"linear and alpha {bits}": p.png(np.dstack([linear, whole]), bits, p.RGBA, p.gama(1.0)),
        }
    wide = _written(2.2, P3, 255)
    ways["profile and palette"] = _paletted(wide, p.iccp(matrix(P3)))
    ways["chromaticities and palette"] = _paletted(wide, p.gama(1 / 2.2), p.chrm(P3))
    ways["profile in jpeg"] = saved(
        Image.fromarray(wide.astype(np.uint8)), "JPEG", quality=98, subsampling=0, icc_profile=matrix(P3)
    )
    ways["profile in webp"] = saved(
        Image.fromarray(wide.astype(np.uint8)), "WEBP", lossless=True, icc_profile=matrix(P3)
    )
    return ways


def test_one_picture_comes_out_equal_in_every_mode_and_encoding(cleaner: Cleaner) -> None:
    plain = looked_at(picture())
    found = {name: _cleaned(cleaner, body) for name, body in _ways().items()}
    apart = {name: one if isinstance(one, str) else plain.apart(one) for name, one in found.items()}
    assert {name: off for name, off in apart.items() if isinstance(off, str) or off > 2} == {}


def test_sixteen_bits_are_rounded_and_dark_light_keeps_its_steps(cleaner: Cleaner) -> None:
    """A ramp of linear light in 16 bits: eight of them would leave a dozen of the darkest 50 levels."""
    levels = np.arange(0, 256)
    light = np.where(levels / 255 <= 0.04045, levels / 255 / 12.92, ((levels / 255 + 0.055) / 1.055) ** 2.4)
    ramp = np.tile(np.rint(light * 65535).astype(np.int64), (64, 1)).repeat(4, 1)[..., None]
    made = np.asarray(Image.open(io.BytesIO(cleaner.clean(p.png(ramp, 16, p.GREY, p.gama(1.0))).body)), np.int64)
    assert np.abs(made[32, 2::4, 0] - levels).max() <= 1
