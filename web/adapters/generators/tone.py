"""Pointwise filters: formulas on values in 0…1, merged into one look-up table per channel, so that all cost one pass.

Values are sRGB-encoded; columns are blue, green, red, as OpenCV orders them. Values above 1 live on until the table is
rounded, so that a gain followed by less contrast keeps its highlights.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Values = NDArray[np.float64]

_LUMA_BGR = np.array([0.0722, 0.7152, 0.2126])


@dataclass(frozen=True)
class Style:
    """A look, as amounts of six formulas; all at their defaults is no look at all."""

    curve: float = 0.0
    fade: float = 0.0
    warmth: float = 0.0
    chroma: float = 1.0
    glow: float = 0.0
    grain: float = 0.0


STYLES = {
    "natural": Style(),
    "vivid": Style(curve=0.35, chroma=1.3),
    "soft": Style(curve=-0.1, chroma=0.95, glow=0.3),
    "film": Style(curve=0.25, fade=0.06, warmth=0.12, chroma=0.9, grain=0.12),
    "mono": Style(curve=0.2, chroma=0.0),
}


def to_linear(encoded: Values) -> Values:
    """Undo the sRGB encoding: v/12.92 below 0.04045, ((v + 0.055)/1.055)^2.4 above (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((np.maximum(encoded, 0) + 0.055) / 1.055) ** 2.4)


def to_encoded(linear: Values) -> Values:
    """Apply the sRGB encoding: 12.92·l below 0.0031308, 1.055·l^(1/2.4) − 0.055 above (IEC 61966-2-1)."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)


def exposure(values: Values, stops: float) -> Values:
    """Multiply the light by 2^stops: v' = encode(2^EV · linear(v))."""
    return to_encoded(to_linear(values) * 2.0**stops)


def temperature(values: Values, stops: float) -> Values:
    """Raise red over blue by so many stops and keep the luminance of grey.

    In linear light red is multiplied by 2^(t/2)/n and blue by 2^(−t/2)/n, green by 1/n,
    with n = 0.2126·2^(t/2) + 0.7152 + 0.0722·2^(−t/2).
    """
    gains = 2.0 ** (np.array([-0.5, 0.0, 0.5]) * stops)
    return to_encoded(to_linear(values) * gains / (gains @ _LUMA_BGR))


def gamma(values: Values, power: float) -> Values:
    """Lift the middle and keep black and white: v' = v^(1/γ)."""
    return np.asarray(np.maximum(values, 0) ** (1 / power), np.float64)


def contrast(values: Values, factor: float) -> Values:
    """Stretch about the middle grey: v' = 0.5 + c·(v − 0.5)."""
    return 0.5 + factor * (values - 0.5)


def s_curve(values: Values, amount: float) -> Values:
    """Bend towards the S of smoothstep, or away where the amount is negative: v' = v + k·(3v² − 2v³ − v)."""
    inside = np.clip(values, 0, 1)
    return inside + amount * (3 * inside**2 - 2 * inside**3 - inside)


def fade(values: Values, amount: float) -> Values:
    """Lift black as old prints have it: v' = f + (1 − f)·v."""
    return amount + (1 - amount) * values


def tone(image: Image, stops: float, warmth: float, power: float, factor: float, style: Style) -> Image:
    """Apply exposure, temperature, gamma, contrast, S curve and fade, in this order, as one table per channel."""
    levels = np.repeat(np.arange(256)[:, None] / 255.0, 3, axis=1)
    values = exposure(levels, stops)
    values = temperature(values, warmth + style.warmth)
    values = contrast(gamma(values, power), factor)
    values = fade(s_curve(values, style.curve), style.fade)
    table = np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
    if (table == np.arange(256)[:, None]).all():
        return image
    return np.asarray(cv2.LUT(image, table[None]), np.uint8)
