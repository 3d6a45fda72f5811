"""The local generator: an OpenCV enhancer that needs no key, obeys the prompt, and is labelled as local.

The order is dehaze, tone (one table), then in luma and chroma: denoise, local contrast, sharpness, saturation, style.
A filter at its identity is skipped, so the default point with an empty prompt returns the picture as it came.
"""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.errors import InvalidRequest
from ml_service.wire.contract import CategoryParameter, FloatParameter, ParameterSpace, Point, Value
from web.adapters.generators import filters, lexicon
from web.adapters.generators.tone import STYLES, Style, tone
from web.ports.making import Generated, GenerateRequest

Image = NDArray[np.uint8]

SPACE = ParameterSpace(
    parameters={
        "exposure": FloatParameter(low=-2, high=2, default=0, unit="EV"),
        "contrast": FloatParameter(low=0.5, high=2, default=1, scale="log", unit="×"),
        "saturation": FloatParameter(low=0, high=2, default=1, unit="×"),
        "temperature": FloatParameter(low=-1.5, high=1.5, default=0, unit="EV red over blue"),
        "gamma": FloatParameter(low=0.5, high=2, default=1, scale="log"),
        "clahe_clip": FloatParameter(low=0, high=4, default=0, unit="× mean bin"),
        "dehaze": FloatParameter(low=0, high=1, default=0, unit="share of the haze"),
        "denoise": FloatParameter(low=0, high=1, default=0, unit="× strongest"),
        "sharpness": FloatParameter(low=0, high=2, default=0, unit="× detail"),
        "style": CategoryParameter(choices=tuple(STYLES), default="natural"),
    }
)

MOST_CHARACTERS = 8_000  # of a text, so that looking for phrases never takes long
_JPEG = [
    cv2.IMWRITE_JPEG_QUALITY,
    92,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
]


class LocalGenerator:
    """Enhances on this machine; options are made at most `max_side` long, None keeps the full size."""

    name = "local"

    def __init__(self, max_side: int | None = 2048) -> None:
        self.max_side = max_side

    def space(self) -> ParameterSpace:
        """Return the parameters that can be tuned, with ranges, units and defaults."""
        return SPACE

    def limits(self) -> Mapping[str, int]:
        """Return the components of a prompt that it reads, and how many characters it takes of each."""
        return {"prompt": MOST_CHARACTERS, "negative_prompt": MOST_CHARACTERS}

    def generate(self, request: GenerateRequest) -> Generated:
        """Make one JPEG (quality 92, 4:4:4, no metadata); an unreadable source or a bad point is InvalidRequest."""
        source = decode(request.source)
        sized = source if self.max_side is None else filters.shrink(source, self.max_side)
        image = enhance(sized, request.point, request.prompt, request.seed)
        height, width = image.shape[:2]
        return Generated(encode(image), "image/jpeg", width, height)


def decode(body: bytes) -> Image:
    """Read image bytes as blue, green, red of shape (height, width, 3)."""
    data = np.frombuffer(body, np.uint8)
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error as error:
        raise InvalidRequest("The source has more than 25 megapixels. Scale it down.") from error
    if image is None:
        raise InvalidRequest("The source is not an image that can be read. Send a JPEG, PNG or WebP.")
    return np.asarray(image, np.uint8)


def encode(image: Image) -> bytes:
    """Write a JPEG of quality 92 with full colour resolution and no metadata."""
    written, data = cv2.imencode(".jpg", image, _JPEG)
    if not written:
        raise InvalidRequest(f"A picture of {image.shape[1]} × {image.shape[0]} pixels cannot be written as JPEG.")
    return data.tobytes()


def obey(point: Mapping[str, Value], prompt: Mapping[str, str]) -> Point:
    """Return the point with the prompt's shifts added and clipped to the ranges; what is absent is at its default."""
    whole = SPACE.default() | dict(point)
    faults = SPACE.faults(whole)
    if faults:
        raise InvalidRequest(f"The local generator cannot use this point: {'; '.join(faults)}.")
    for name, shift in lexicon.shifts(prompt).items():
        parameter, value = SPACE.parameters[name], whole[name]
        if isinstance(parameter, FloatParameter) and isinstance(value, int | float):
            whole[name] = min(parameter.high, max(parameter.low, value + shift))
    return whole


def enhance(image: Image, point: Mapping[str, Value], prompt: Mapping[str, str], seed: int = 0) -> Image:
    """Return the picture of shape (height, width, 3), treated as the point and the prompt ask, at its own size."""
    settings = obey(point, prompt)
    amount = {name: float(value) for name, value in settings.items() if name != "style"}
    style = STYLES[str(settings["style"])]
    clear = filters.dehaze(image, amount["dehaze"])
    toned = tone(clear, amount["exposure"], amount["temperature"], amount["gamma"], amount["contrast"], style)
    return _in_luma_and_chroma(toned, amount, style, seed)


def _in_luma_and_chroma(image: Image, amount: Mapping[str, float], style: Style, seed: int) -> Image:
    chroma = amount["saturation"] * style.chroma
    others = amount["denoise"], amount["clahe_clip"], amount["sharpness"], style.glow, style.grain
    if chroma == 1 and not any(others):
        return image
    luma, red, blue = (np.asarray(plane, np.uint8) for plane in cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb)))
    luma = filters.local_contrast(filters.denoise(luma, amount["denoise"], 0.002), amount["clahe_clip"])
    luma = filters.glow(filters.sharpen(luma, amount["sharpness"]), style.glow)
    luma = filters.grain(luma, style.grain, seed)
    tints = [filters.saturate(filters.denoise(plane, amount["denoise"], 0.006), chroma) for plane in (red, blue)]
    return np.asarray(cv2.cvtColor(cv2.merge([luma, *tints]), cv2.COLOR_YCrCb2BGR), np.uint8)
