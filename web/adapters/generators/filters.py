"""Filters that look at a pixel's surroundings; every radius is a fraction of the longer side.

So results are scale-free. Colour images are blue, green, red in 8 bits; planes are one channel of 8 bits. What varies
slowly (haze, glow, the coefficients of a guided filter) is computed on a small copy and enlarged, so that cost hardly
grows with the radius.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Plane = NDArray[np.uint8]
Real = NDArray[np.float32]

_MAP_SIDE = 512
_GRAIN_SIDE = 1024
_BAND_ROWS = 64
_LEAST_CLEAR = 0.4


def shrink(image: Image, side: int) -> Image:
    """Return the image with its longer side at most so long, averaged by area; a small one as it is."""
    height, width = image.shape[:2]
    if max(height, width) <= side:
        return image
    ratio = side / max(height, width)
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def radius(shape: tuple[int, ...], fraction: float) -> int:
    """Return a radius in pixels, at least one, from a fraction of the longer side."""
    return max(1, round(fraction * max(shape[:2])))


def guide_coefficients(guide: Real, target: Real, reach: int, epsilon: float) -> tuple[Real, Real]:
    """Return smoothed a and b such that a·guide + b follows the target and keeps the guide's edges.

    Over windows of (2·reach + 1)²: a = cov(guide, target)/(var(guide) + ε), b = mean(target) − a·mean(guide)
    (He, Sun, Tang: Guided image filtering, 2013). Values in 0…1.
    """

    def mean(values: Real) -> Real:
        return np.asarray(cv2.blur(values, (2 * reach + 1, 2 * reach + 1), borderType=cv2.BORDER_REFLECT), np.float32)

    guide_mean, target_mean = mean(guide), mean(target)
    covariance = mean(guide * target) - guide_mean * target_mean
    variance = np.maximum(mean(guide * guide) - guide_mean**2, 0)
    slope = covariance / (variance + np.float32(epsilon))
    return mean(slope), mean(target_mean - slope * guide_mean)


def dehaze(image: Image, strength: float) -> Image:
    """Remove the veil that distance adds: J = (I − A)/t + A with t = max(0.4, 1 − ω·dark(I/A)).

    dark is the least channel within 1.5 % of the longer side; A is the mean colour of the haziest 0.1 % (He, Sun,
    Tang: Single image haze removal using dark channel prior, 2009). t is refined by a guided filter of radius 4 %.
    The bound of 0.4 keeps skies, which look like haze and are none, from garish colours and noise.
    """
    if strength == 0:
        return image
    small = _unit(shrink(image, _MAP_SIDE))
    air = _air_light(small)
    haze = _dark_channel(np.divide(small, air), 0.015)
    guide = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.float32)
    clear = np.maximum(1 - np.float32(strength) * haze, np.float32(_LEAST_CLEAR))
    slope, offset = guide_coefficients(guide, clear, radius(small.shape, 0.04), 1e-3)
    return _unveil(image, slope, offset, air * 255)


def _unit(image: Image) -> Real:
    return np.multiply(image, np.float32(1 / 255), dtype=np.float32)


def _dark_channel(small: Real, fraction: float) -> Real:
    reach = 2 * radius(small.shape, fraction) + 1
    return np.asarray(cv2.erode(np.clip(small.min(axis=2), 0, 1), np.ones((reach, reach), np.uint8)), np.float32)


def _air_light(small: Real) -> Real:
    dark = _dark_channel(small, 0.015).ravel()
    count = max(1, dark.size // 1000)
    haziest = np.argpartition(dark, -count)[-count:]
    return np.asarray(np.maximum(small.reshape(-1, 3)[haziest].mean(axis=0), 0.3), np.float32)


def _unveil(image: Image, slope: Real, offset: Real, air: Real) -> Image:
    height, width = image.shape[:2]
    slope, offset = _enlarge(slope, width, height), _enlarge(offset, width, height)
    clear = np.empty_like(image)
    for top in range(0, height, _BAND_ROWS):
        band = slice(top, top + _BAND_ROWS)
        grey = np.asarray(cv2.cvtColor(image[band], cv2.COLOR_BGR2GRAY), np.float32)
        gain = 1 / np.clip(slope[band] * grey * np.float32(1 / 255) + offset[band], _LEAST_CLEAR, 1)
        veil = gain - 1
        for channel in range(3):
            light = image[band, :, channel] * gain
            light -= veil * air[channel]
            clear[band, :, channel] = np.clip(light + 0.5, 0, 255, out=light)
    return clear


def _enlarge(plane: Real, width: int, height: int) -> Real:
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def denoise(plane: Plane, strength: float, fraction: float) -> Plane:
    """Smooth within edges: a guided filter of the plane by itself, with ε = (0.1·strength²)².

    Noise much weaker than the square root of ε goes, edges much stronger stay. Coefficients come from a copy that is
    smaller by half the radius (He, Sun: Fast guided filter, 2015). The fraction gives the radius.
    """
    if strength == 0:
        return plane
    reach = radius(plane.shape, fraction)
    step = max(1, reach // 2)
    height, width = plane.shape
    size = max(1, width // step), max(1, height // step)
    small = _unit(np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8))
    slope, offset = guide_coefficients(small, small, max(1, reach // step), (0.1 * strength**2) ** 2)
    slope, offset = _enlarge(slope, width, height), _enlarge(offset * 255, width, height)
    smooth = np.empty_like(plane)
    for top in range(0, height, _BAND_ROWS):
        band = slice(top, top + _BAND_ROWS)
        value = plane[band] * slope[band] + offset[band]
        smooth[band] = np.clip(value + 0.5, 0, 255, out=value)
    return smooth


def local_contrast(plane: Plane, clip: float) -> Plane:
    """Equalise the histogram within each of 8 × 8 tiles, no bin above clip times the mean bin (CLAHE).

    The steeper a tile's curve may be, the more contrast: clip → 0 is the identity (Zuiderveld, 1994).
    """
    if clip == 0:
        return plane
    return np.asarray(cv2.createCLAHE(clipLimit=clip, tileGridSize=(8, 8)).apply(plane), np.uint8)


def sharpen(plane: Plane, amount: float) -> Plane:
    """Add what a blur would take: Y' = Y + s·(Y − G(Y)), G a Gaussian with sd of 0.1 % of the longer side."""
    if amount == 0:
        return plane
    blurred = cv2.GaussianBlur(plane, (0, 0), max(0.4, 0.001 * max(plane.shape)))
    return np.asarray(cv2.addWeighted(plane, 1 + amount, blurred, -amount, 0), np.uint8)


def glow(plane: Plane, amount: float) -> Plane:
    """Mix with a wide blur, as a diffusing lens does: Y' = (1 − g)·Y + g·G(Y), sd of 1 % of the longer side."""
    if amount == 0:
        return plane
    small = shrink(plane, _MAP_SIDE)
    blurred = cv2.GaussianBlur(small, (0, 0), 0.01 * max(small.shape))
    wide = cv2.resize(blurred, plane.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.addWeighted(plane, 1 - amount, wide, amount, 0), np.uint8)


def grain(plane: Plane, amount: float, seed: int) -> Plane:
    """Add film grain: Y' = Y + g·32·n, n Gaussian noise of the seed on a grid 1024 long, enlarged to the picture."""
    if amount == 0:
        return plane
    height, width = plane.shape
    ratio = _GRAIN_SIDE / max(height, width)
    rows, columns = max(1, round(height * ratio)), max(1, round(width * ratio))
    noise = np.random.default_rng(seed).standard_normal((rows, columns), dtype=np.float32)
    specks = np.clip(np.rint(128 + 32 * noise), 0, 255).astype(np.uint8)
    way = cv2.INTER_AREA if ratio > 1 else cv2.INTER_LINEAR
    sized = cv2.resize(specks, (width, height), interpolation=way)
    return np.asarray(cv2.addWeighted(plane, 1, sized, amount, -128 * amount), np.uint8)


def saturate(plane: Plane, factor: float) -> Plane:
    """Scale one chroma plane (Cr or Cb) about its grey: C' = 128 + s·(C − 128); luma stays."""
    if factor == 1:
        return plane
    table = np.clip(np.rint(128 + factor * (np.arange(256) - 128)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(plane, table), np.uint8)
