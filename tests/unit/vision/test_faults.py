"""Simulated cameras, the quality of a picture beside its original, and the demo inputs."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from web.adapters.demo.inputs import demo_inputs
from web.adapters.generators.local import SPACE, decode, enhance
from web.adapters.images.faults import CAMERAS, degrade, latent_quality, worst_fault

Image = NDArray[np.uint8]


def test_the_original_is_worth_five_and_its_negative_little_more_than_one(photo: Image) -> None:
    assert latent_quality(photo, photo) == pytest.approx(5)
    assert latent_quality(photo, 255 - photo) < 1.5


def test_quality_can_be_told_of_another_size(photo: Image) -> None:
    assert latent_quality(photo, photo[::2, ::2]) > 4


@pytest.mark.parametrize("camera", CAMERAS)
def test_each_camera_spoils_a_photo_alike_for_alike_numbers(camera: str, photo: Image) -> None:
    spoilt = degrade(photo, camera, np.random.default_rng(3))
    assert spoilt.shape == photo.shape
    assert latent_quality(photo, spoilt) < 4
    assert (spoilt == degrade(photo, camera, np.random.default_rng(3))).all()
    assert (spoilt != degrade(photo, camera, np.random.default_rng(4))).any()


def test_more_of_a_fault_is_worse(photo: Image) -> None:
    darker = [latent_quality(photo, enhance(photo, {"exposure": stops}, {})) for stops in (0.0, -0.5, -1.0, -2.0)]
    assert darker == sorted(darker, reverse=True)


@pytest.mark.parametrize(
    ("point", "fault"),
    [
        ({"exposure": -1.0}, "too_dark"),
        ({"exposure": 0.8}, "too_bright"),
        ({"temperature": 0.8}, "colour"),
        ({"contrast": 0.5}, "hazy"),
    ],
)
def test_the_worst_fault_has_the_tag_that_a_rater_would_give(point: dict[str, float], fault: str, photo: Image) -> None:
    assert worst_fault(photo, enhance(photo, dict(point), {})) == fault


def test_blur_and_noise_are_told_apart(photo: Image) -> None:
    random = np.random.default_rng(0)
    noisy = np.clip(photo + random.normal(0, 25, photo.shape), 0, 255).astype(np.uint8)
    soft = np.asarray(cv2.GaussianBlur(photo, (0, 0), 4), np.uint8)
    assert (worst_fault(photo, noisy), worst_fault(photo, soft)) == ("noisy", "blurry")


UNDOING = {
    "dark_warm_haze": {"exposure": 1.4, "temperature": -0.7, "gamma": 0.6, "saturation": 1.3},
    "over_cold_flat": {"exposure": -0.6, "temperature": 0.5, "contrast": 1.5},
    "noisy_dark": {"exposure": 1.3, "denoise": 1.0, "gamma": 1.1},
    "soft_haze": {"dehaze": 0.5, "gamma": 0.75, "sharpness": 1.5, "contrast": 1.2},
}


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_local_generator_can_undo_much_of_it(camera: str, photo: Image) -> None:
    spoilt = degrade(photo, camera, np.random.default_rng(5))
    before = latent_quality(photo, enhance(spoilt, SPACE.default(), {}))
    assert latent_quality(photo, enhance(spoilt, UNDOING[camera], {})) > before + 0.5


def test_demo_inputs_cover_cameras_and_photos_and_are_the_same_each_time() -> None:
    inputs = list(demo_inputs(8))
    assert {(demo.stratum, demo.group) for demo in inputs} == {(c, p) for c in CAMERAS for p in ("china", "flower")}
    assert len({demo.name for demo in inputs}) == 8
    assert [demo.body for demo in inputs] == [demo.body for demo in demo_inputs(8)]
    assert inputs[0].body != next(demo_inputs(1, seed=1)).body


def test_demo_inputs_are_large_enough_and_tell_their_size_and_original() -> None:
    for demo in demo_inputs(4):
        shown = decode(demo.body)
        assert shown.shape == (demo.height, demo.width, 3) == demo.original.shape
        assert min(demo.height, demo.width) >= 400
        assert latent_quality(demo.original, shown) < 4.2
