"""Copies of a source that are plainly worse than it, which no attentive rater calls good, and copies that are not.

They are made as options are, at the same size and in the same format, so that nothing but the picture tells them apart.
"""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.wire.contract import CategoryParameter, ParameterSpace
from web.adapters.generators.filters import shrink
from web.adapters.generators.local import decode, encode
from web.domain.rating.gold import DEGRADED, FAULTS, UNTOUCHED
from web.ports.making import Generated, GenerateRequest

Image = NDArray[np.uint8]

SPACE = ParameterSpace(parameters={"fault": CategoryParameter(choices=(*FAULTS, UNTOUCHED), default=FAULTS[0])})


class DegradedCopies:
    """Spoils a source in one way that nobody mistakes for taste."""

    name = DEGRADED

    def __init__(self, max_side: int = 2048) -> None:
        self.max_side = max_side

    def space(self) -> ParameterSpace:
        """Return the faults to choose from."""
        return SPACE

    def limits(self) -> Mapping[str, int]:
        """Return nothing: it reads no prompt."""
        return {}

    def generate(self, request: GenerateRequest) -> Generated:
        """Make one JPEG; the seed varies how strong the fault is, and where noise falls."""
        image = spoilt(shrink(decode(request.source), self.max_side), str(request.point["fault"]), request.seed)
        height, width = image.shape[:2]
        return Generated(encode(image), "image/jpeg", width, height)


def spoilt(image: Image, fault: str, seed: int) -> Image:
    """Return a picture of shape (height, width, 3) with one fault at a strength of 0.85 to 1.25, or as it was."""
    if fault == UNTOUCHED:
        return image
    random = np.random.default_rng(seed)
    strength, side = random.uniform(0.85, 1.25), max(image.shape)
    values = np.asarray(image, np.float64) / 255
    if fault == "dark":
        values = values * 0.06 / strength
    elif fault == "bright":
        values = 0.45 + 1.4 * strength * values
    elif fault == "fog":
        values = 0.7 + 0.2 / strength * np.asarray(cv2.GaussianBlur(values, (0, 0), max(1.0, 0.02 * side)), np.float64)
    else:
        values = values + random.normal(0, 0.4 * strength, values.shape)
    return np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
