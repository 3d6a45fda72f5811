"""Demo inputs: crops of scikit-learn's two photos, each spoilt by a simulated camera."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from web.adapters.generators.local import encode
from web.adapters.images.faults import CAMERAS, degrade

_LEAST_SIDE = 400


class DemoInput(NamedTuple):
    """A picture to rate: name, JPEG bytes, size, stratum (the camera's fault) and group (the photo it was cut from).

    `original` is the picture before the camera spoilt it, which simulated raters compare with.
    """

    name: str
    body: bytes
    width: int
    height: int
    stratum: str
    group: str
    original: NDArray[np.uint8]


def demo_inputs(count: int = 36, seed: int = 0) -> Iterator[DemoInput]:
    """Yield so many demo inputs, photos and cameras taking turns; the same seed gives the same bytes."""
    photos, random = sample_photos(), np.random.default_rng(seed)
    names, cameras = list(photos), list(CAMERAS)
    for index in range(count):
        photo = names[index % len(names)]
        camera = cameras[index // len(names) % len(cameras)]
        original = _crop(photos[photo], random)
        spoilt = degrade(original, camera, random)
        height, width = spoilt.shape[:2]
        yield DemoInput(f"demo {index + 1:02d} {photo}", encode(spoilt), width, height, camera, photo, original)


def sample_photos() -> dict[str, NDArray[np.uint8]]:
    """Return scikit-learn's photos by name (china, flower; CC-BY), 640 × 427 pixels of blue, green, red."""
    from sklearn.datasets import load_sample_images  # only where a demo is made: it takes seconds

    sample = load_sample_images()
    pairs = zip(sample.filenames, sample.images, strict=True)
    return {
        str(path).replace("\\", "/").rpartition("/")[2].removesuffix(".jpg"): _to_bgr(image) for path, image in pairs
    }


def _to_bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8)


def _crop(photo: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    height, width = photo.shape[:2]
    tall, wide = random.integers(_LEAST_SIDE, height, endpoint=True), random.integers(_LEAST_SIDE, width, endpoint=True)
    top, left = random.integers(0, height - tall, endpoint=True), random.integers(0, width - wide, endpoint=True)
    part = photo[top : top + tall, left : left + wide]
    return np.ascontiguousarray(part[:, ::-1] if random.random() < 0.5 else part)
