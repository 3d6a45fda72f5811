"""Colour by numbers rather than by a profile: chromaticities and curves, as PNG and AVIF tell them (ITU-T H.273).

Samples become light by the curve, light of other primaries becomes that of sRGB, and light beyond a display's white is
brought down as Chromium does: 203 cd/m² to half of white's light, 1,000 to white.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Real = NDArray[np.float64]
Point = tuple[float, float]
Samples = NDArray[np.uint8] | NDArray[np.uint16]

_ROWS = 256  # converted at once, so that little memory is needed
_WHITE = 203.0  # cd/m² of diffuse white in HDR pictures (ITU-R BT.2408)
_TONES = (0.0, 1.0, 1.314, 1.762, 2.358, 3.148, 1000 / _WHITE), (0.0, 0.5, 0.61, 0.708, 0.791, 0.88, 1.0)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True)
class Primaries:
    """Chromaticities (x, y) of red, green, blue and white."""

    red: Point = (0.64, 0.33)
    green: Point = (0.30, 0.60)
    blue: Point = (0.15, 0.06)
    white: Point = (0.3127, 0.3290)

    def to_xyz(self) -> Real:
        """Return the matrix from linear light to CIE XYZ, white at D65; ValueError where they span no colours."""
        corners = np.array([_xyz(point) for point in (self.red, self.green, self.blue)]).T
        white = _xyz(self.white)
        if abs(np.linalg.det(corners)) < 1e-6:
            raise ValueError("These primaries span no colours.")
        scaled = corners * np.linalg.solve(corners, white)
        cones = (_BRADFORD @ _xyz(Primaries.white)) / (_BRADFORD @ white)
        return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD @ scaled, np.float64)


@dataclass(frozen=True)
class Encoding:
    """How samples became of light: the primaries, and the curve from a sample in 0…1 to light.

    Light is a share of white; `bright` says that it is in cd/m² instead, as HDR has it.
    """

    primaries: Primaries
    curve: Callable[[Real], Real]
    bright: bool = False


def _xyz(point: Point) -> Real:
    x, y = point
    if y <= 0:
        raise ValueError("A chromaticity's y must be above 0.")
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _power(exponent: float) -> Callable[[Real], Real]:
    return lambda samples: samples**exponent


def srgb(samples: Real) -> Real:
    """Return the light of samples in sRGB."""
    return np.where(samples <= 0.04045, samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4)


def _smpte240(samples: Real) -> Real:
    return np.where(samples < 0.0913, samples / 4, ((samples + 0.1115) / 1.1115) ** (1 / 0.45))


def _pq(samples: Real) -> Real:
    power = samples ** (4096 / (2523 * 128))
    light = np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)
    return np.asarray(10_000 * light ** (16384 / 2610), np.float64)


def _hlg(samples: Real) -> Real:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(samples <= 0.5, samples**2 / 3, (np.exp((samples - c) / a) + b) / 12)


_HLG, _PQ = 18, 16
_LIKE_SRGB = dict.fromkeys((1, 6, 13, 14, 15), srgb)
_CURVES: dict[int, Callable[[Real], Real]] = {
    **dict.fromkeys((1, 6, 11, 14, 15), _power(2.4)),
    4: _power(2.2),
    5: _power(2.8),
    7: _smpte240,
    8: _power(1.0),
    13: srgb,
    _PQ: _pq,
    17: lambda samples: samples**2.6 * 52.37 / 48,
    _HLG: _hlg,
}
_GAMUTS = {
    1: Primaries(),
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316)),
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    **dict.fromkeys((6, 7), Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))),
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), (0.310, 0.316)),
    9: Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}


def by_code_points(primaries: int, transfer: int, *, video_as_srgb: bool = False) -> Encoding | None:
    """Return what two code points of H.273 mean, None where one is reserved or says nothing.

    The curves of video are told as such (a power of 2.4), or taken as sRGB, which Chromium does in AVIF.
    """
    curves = _CURVES | (_LIKE_SRGB if video_as_srgb else {})
    if primaries not in _GAMUTS or transfer not in curves:
        return None
    return Encoding(_GAMUTS[primaries], curves[transfer], bright=transfer in (_PQ, _HLG))


def by_gamma(gamma: float, primaries: Primaries | None) -> Encoding | None:
    """Return the encoding by a power, gamma its inverse as PNG has it; None where that is sRGB's or cannot be."""
    if not 0.1 <= gamma <= 10 or (primaries is None and abs(gamma - 1 / 2.2) < 0.03):
        return None
    return Encoding(primaries or Primaries(), _power(1 / gamma))


def to_srgb(samples: Samples, encoding: Encoding) -> NDArray[np.uint8] | None:
    """Return samples of shape (height, width, 3), of 8 or 16 bits, as 8 bits of sRGB; None where that cannot be."""
    levels = np.linspace(0, 1, np.iinfo(samples.dtype).max + 1)
    table = encoding.curve(levels).astype(np.float32)
    try:
        to_display = (np.linalg.inv(Primaries().to_xyz()) @ encoding.primaries.to_xyz()).astype(np.float32)
    except ValueError:
        return None
    written = _written()
    made = np.empty(samples.shape, np.uint8)
    for rows in _strips(len(samples)):
        light = table[samples[rows]]
        seen = (_brought_down(light, hybrid=encoding.curve is _hlg) if encoding.bright else light) @ to_display.T
        made[rows] = written[np.rint(np.clip(seen, 0, 1) * 65535).astype(np.uint16)]
    return made


def converted(image: Image.Image, encoding: Encoding) -> Image.Image | None:
    """Return an RGB picture in sRGB; None where that cannot be."""
    made = to_srgb(np.asarray(image), encoding)
    return None if made is None else Image.fromarray(made)


def _strips(height: int) -> Iterator[slice]:
    yield from (slice(at, at + _ROWS) for at in range(0, height, _ROWS))


def _written() -> NDArray[np.uint8]:
    """Return the 8 bits of sRGB of light in 65,536 steps."""
    light = np.linspace(0, 1, 65536)
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(encoded * 255), np.uint8)


def _brought_down(light: NDArray[np.float32], *, hybrid: bool) -> NDArray[np.float32]:
    """Bring the light of HDR into a display's range, all of a colour by what its brightest part asks for."""
    if hybrid:  # as on a display of 1,000 cd/m², whose system gamma is 1.2
        luma = light @ np.array([0.2627, 0.6780, 0.0593], np.float32)
        light = light * (1000 * np.maximum(luma, 1e-6) ** 0.2).astype(np.float32)[..., None]
    shares = light / _WHITE
    red, green, blue = np.moveaxis(shares, -1, 0)
    most = np.maximum(np.maximum(red, green), np.maximum(blue, np.float32(1e-6)))
    return np.asarray(shares * (np.interp(most, *_TONES) / most)[..., None], np.float32)
