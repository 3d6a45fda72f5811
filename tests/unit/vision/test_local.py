"""What the local generator does to a photo: each parameter its own effect, the default none."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ml_service.errors import InvalidRequest
from ml_service.wire.contract import FloatParameter, Value
from tests.pictures import blank_png
from web.adapters.generators import filters, tone
from web.adapters.generators.filters import shrink
from web.adapters.generators.local import SPACE, LocalGenerator, decode, encode, enhance
from web.adapters.generators.tone import STYLES
from web.adapters.images.colour import delta_e, ssim
from web.ports.making import Generated, GenerateRequest

Image = NDArray[np.uint8]

STRONG: dict[str, Value] = {
    "exposure": 0.3,
    "contrast": 1.2,
    "saturation": 1.2,
    "temperature": 0.3,
    "gamma": 1.2,
    "clahe_clip": 1.0,
    "dehaze": 0.5,
    "denoise": 0.5,
    "sharpness": 0.8,
    "style": "film",
}


def grey(image: Image) -> NDArray[np.float64]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.float64)


def chroma(image: Image) -> float:
    planes = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb), np.float64)[:, :, 1:]
    return float(np.hypot(*np.moveaxis(planes - 128, 2, 0)).mean())


def red_over_blue(image: Image) -> float:
    return float(image[:, :, 2].mean() - image[:, :, 0].mean())


def veil(image: Image) -> float:
    """The mean dark channel: the least channel of the surroundings, which haze raises."""
    return float(cv2.erode(image.min(axis=2), np.ones((9, 9), np.uint8)).mean())


def detail(image: Image) -> float:
    return float(np.abs(cv2.Laplacian(grey(image), cv2.CV_64F)).mean())


def local_spread(image: Image) -> float:
    """The mean standard deviation within 40 × 40 pixels."""
    plane = grey(image)
    mean, square = cv2.blur(plane, (40, 40)), cv2.blur(plane * plane, (40, 40))
    return float(np.sqrt(np.maximum(square - mean * mean, 0)).mean())


EFFECTS: dict[str, Callable[[Image], float]] = {
    "exposure": lambda image: float(grey(image).mean()),
    "contrast": lambda image: float(grey(image).std()),
    "saturation": chroma,
    "temperature": red_over_blue,
    "gamma": lambda image: float(grey(image).mean()),
    "clahe_clip": local_spread,
    "dehaze": lambda image: -veil(image),
    "denoise": lambda image: -detail(image),
    "sharpness": detail,
}


def steps(name: str, count: int) -> list[float]:
    """So many values across a parameter's range, evenly spaced on its scale."""
    parameter = SPACE.parameters[name]
    assert isinstance(parameter, FloatParameter)
    space = np.geomspace if parameter.scale == "log" else np.linspace
    return [float(value) for value in np.round(space(parameter.low, parameter.high, count), 9)]


@pytest.mark.parametrize("name", EFFECTS)
def test_more_of_a_parameter_is_more_of_its_effect(photo: Image, name: str) -> None:
    muted = enhance(photo, {"contrast": 0.8}, {})
    noise = np.random.default_rng(0).normal(0, 6, photo.shape)
    source = np.clip(muted + noise, 0, 255).astype(np.uint8)
    effect = [EFFECTS[name](enhance(source, {name: value}, {})) for value in steps(name, 5)]
    assert effect == sorted(effect)
    assert len(set(effect)) == len(effect)


def test_every_parameter_has_its_effect_tested() -> None:
    assert {*EFFECTS, "style"} == set(SPACE.parameters)


def test_the_default_point_is_the_identity(photo: Image) -> None:
    assert np.array_equal(enhance(photo, SPACE.default(), {}), photo)
    assert np.array_equal(enhance(photo, {}, {}), photo)
    made = generate(encode(photo))
    assert np.abs(decode(made.body).astype(np.int16) - decode(encode(photo))).mean() < 1.5


@pytest.mark.parametrize("name", EFFECTS)
def test_next_to_the_default_hardly_anything_changes(photo: Image, name: str) -> None:
    parameter = SPACE.parameters[name]
    assert isinstance(parameter, FloatParameter)
    value = min(parameter.high, parameter.default + 0.01 * (parameter.high - parameter.low))
    assert delta_e(photo, enhance(photo, {name: value}, {})) < 1.6


@pytest.mark.parametrize("style", STYLES)
def test_styles_are_looks_of_their_own(photo: Image, style: str) -> None:
    made = enhance(photo, {"style": style}, {})
    for other in STYLES:
        assert (delta_e(made, enhance(photo, {"style": other}, {})) > 1) == (other != style)


def test_mono_has_no_colour(photo: Image) -> None:
    assert chroma(enhance(photo, {"style": "mono"}, {})) < 0.5


def test_warmth_keeps_the_light_and_leaves_no_cast_on_the_other_axis() -> None:
    flat = np.full((64, 64, 3), 128, np.uint8)
    warm = enhance(flat, {"temperature": 0.5}, {})
    assert abs(grey(warm).mean() - 128) < 3
    assert red_over_blue(warm) > 15
    assert warm[0, 0, 2] > warm[0, 0, 1] > warm[0, 0, 0]


@pytest.mark.parametrize("name", ["exposure", "contrast", "gamma", "clahe_clip", "denoise", "sharpness"])
def test_grey_stays_grey(name: str) -> None:
    ramp = np.repeat(np.tile(np.arange(256, dtype=np.uint8), (256, 1))[:, :, None], 3, axis=2)
    for value in steps(name, 3):
        made = enhance(ramp, {name: value}, {}).astype(np.int16)
        assert np.ptp(made, axis=2).max() <= 1


@pytest.mark.parametrize("name", ["exposure", "contrast", "gamma"])
def test_tones_keep_their_order(name: str) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    for value in steps(name, 7):
        made = enhance(ramp, {name: value}, {}).astype(np.int16)
        assert (np.diff(made[0, :, 1]) >= 0).all()


def test_gamma_keeps_black_and_white() -> None:
    ends = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    for value in steps("gamma", 5):
        assert np.array_equal(enhance(ends, {"gamma": value}, {}), ends)


def test_one_stop_doubles_the_light() -> None:
    levels = np.linspace(0.05, 0.4, 8)
    doubled = tone.to_linear(tone.exposure(tone.to_encoded(levels), 1))
    np.testing.assert_allclose(doubled, 2 * levels, rtol=1e-12)


def test_dehazing_brings_back_what_haze_took(photo: Image) -> None:
    hazy = np.clip(photo * 0.6 + 0.4 * 230, 0, 255).astype(np.uint8)
    cleared = enhance(hazy, {"dehaze": 0.7}, {})
    assert delta_e(photo, cleared) < 0.75 * delta_e(photo, hazy)


def test_dehazing_is_bounded_on_a_bright_sky() -> None:
    rows = np.linspace(235, 205, 300)[:, None, None]
    sky = np.clip(rows + np.array([8.0, 0, -8]) + np.zeros((300, 400, 1)), 0, 255).astype(np.uint8)
    made = enhance(sky, {"dehaze": 1.0}, {})
    assert grey(made).min() > 100
    assert np.abs(np.diff(grey(made), axis=0)).max() < 6


def test_denoising_takes_noise_and_keeps_edges() -> None:
    edge = np.full((200, 300, 3), 60, np.uint8)
    edge[:, 150:] = 190
    noise = np.random.default_rng(1).normal(0, 8, edge.shape)
    noisy = np.clip(edge + noise, 0, 255).astype(np.uint8)
    made = grey(enhance(noisy, {"denoise": 0.7}, {}))
    assert made[:, 20:130].std() < 0.55 * grey(noisy)[:, 20:130].std()
    assert made[:, 152].mean() - made[:, 147].mean() > 0.9 * 130


def test_sharpening_at_moderate_strength_leaves_no_halo() -> None:
    edge = np.full((200, 300, 3), 80, np.uint8)
    edge[:, 150:] = 170
    soft = cv2.GaussianBlur(edge, (0, 0), 0.8).astype(np.uint8)
    row = grey(enhance(soft, {"sharpness": 0.5}, {}))[100]
    assert row.max() - 170 < 9
    assert 80 - row.min() < 9


def test_the_seed_decides_the_grain(photo: Image) -> None:
    film: dict[str, Value] = {"style": "film"}
    assert np.array_equal(enhance(photo, film, {}, 7), enhance(photo, film, {}, 7))
    assert not np.array_equal(enhance(photo, film, {}, 7), enhance(photo, film, {}, 8))
    assert np.array_equal(enhance(photo, {"exposure": 0.5}, {}, 7), enhance(photo, {"exposure": 0.5}, {}, 8))


def test_another_process_makes_the_same_bytes(photo: Image, tmp_path: Path) -> None:
    source = tmp_path / "source.jpg"
    source.write_bytes(encode(photo))
    script = (
        "import hashlib, sys; from pathlib import Path; from web.adapters.generators.local import LocalGenerator;"
        "from web.ports.making import GenerateRequest; body = Path(sys.argv[1]).read_bytes();"
        f"made = LocalGenerator().generate(GenerateRequest(body, 'image/jpeg', {{'prompt': 'warmer'}}, {STRONG!r}, 5));"
        "sys.stdout.write(hashlib.sha256(made.body).hexdigest())"
    )
    command = [sys.executable, "-c", script, str(source)]
    digests = {subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(digests) == 1
    assert len(digests.pop()) == 64


@pytest.mark.parametrize("name", STRONG)
def test_a_small_copy_shows_what_the_full_size_will_be(photo: Image, name: str) -> None:
    grain = np.random.default_rng(2).normal(0, 3, (1281, 1920, 3))
    large = np.clip(cv2.resize(photo, (1920, 1281), interpolation=cv2.INTER_CUBIC) + grain, 0, 255).astype(np.uint8)
    point = {name: STRONG[name]}
    small = shrink(large, 960)
    early, late = enhance(small, point, {}, 3), shrink(enhance(large, point, {}, 3), 960)
    assert delta_e(early, late) < min(1.0, 0.6 * delta_e(small, early))
    assert ssim(early, late) > 0.97


def generate(source: bytes, point: dict[str, Value] | None = None, max_side: int | None = 2048) -> Generated:
    request = GenerateRequest(source, "image/jpeg", {}, point or {}, 0)
    return LocalGenerator(max_side).generate(request)


@pytest.mark.parametrize(("max_side", "size"), [(2048, (2048, 1366)), (None, (2400, 1601)), (320, (320, 213))])
def test_options_are_small_and_enhanced_photos_whole(photo: Image, max_side: int | None, size: tuple[int, int]) -> None:
    large = encode(np.asarray(cv2.resize(photo, (2400, 1601)), np.uint8))
    made = generate(large, {"exposure": 0.2}, max_side)
    assert (made.width, made.height) == size
    assert decode(made.body).shape == (size[1], size[0], 3)


def test_the_prompt_is_obeyed_in_the_picture(photo: Image) -> None:
    plain = enhance(photo, {}, {})
    assert red_over_blue(enhance(photo, {}, {"prompt": "warmer"})) > red_over_blue(plain) + 5
    assert red_over_blue(enhance(photo, {}, {"prompt": "not warm"})) < red_over_blue(plain) - 5
    assert detail(enhance(photo, {}, {"prompt": "crisp"})) > 1.1 * detail(plain)
    assert chroma(enhance(photo, {}, {"negative_prompt": "oversaturated"})) < 0.9 * chroma(plain)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (33, 47)])
def test_the_smallest_pictures_pass_every_filter(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    for style in STYLES:
        assert enhance(image, STRONG | {"style": style}, {}).shape == image.shape


def test_the_source_is_left_as_it_is(photo: Image) -> None:
    before = photo.copy()
    enhance(photo, STRONG, {"prompt": "vivid"})
    assert np.array_equal(photo, before)


@pytest.mark.parametrize("point", [{"exposure": 9.0}, {"style": "noir"}, {"zoom": 1.0}, {"gamma": "high"}])
def test_points_outside_the_space_are_refused_by_name(photo: Image, point: dict[str, Value]) -> None:
    with pytest.raises(InvalidRequest, match=next(iter(point))):
        enhance(photo, point, {})


def test_a_decompression_bomb_is_refused_in_words() -> None:
    with pytest.raises(InvalidRequest, match="25 megapixels"):
        decode(blank_png(20000, 20000, 1))
    assert decode(blank_png(5000, 5000, 1)).shape == (5000, 5000, 3)


def test_radii_are_shares_of_the_longer_side() -> None:
    assert filters.radius((3000, 4000), 0.002) == 8
    assert filters.radius((4000, 3000, 3), 0.002) == 8
    assert filters.radius((20, 10), 0.002) == 1
