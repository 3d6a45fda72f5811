"""Simulated cameras that spoil a good photo, and how good a picture is beside its original.

Images are 8-bit blue, green, red of shape (height, width, 3). These are for demos, simulated raters and benchmarks.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from web.adapters.generators.filters import shrink
from web.adapters.generators.tone import contrast, exposure, temperature
from web.adapters.images.colour import delta_e, ssim

Image = NDArray[np.uint8]
Real = NDArray[np.float64]

_JUDGED_SIDE = 320


@dataclass(frozen=True)
class Camera:
    """The faults of one camera: stops of light, stops of red over blue, haze 0…1, contrast, noise and blur.

    Noise is a standard deviation of encoded values in 0…1, blur one in thousandths of the longer side.
    """

    stops: float = 0.0
    warmth: float = 0.0
    haze: float = 0.0
    contrast: float = 1.0
    noise: float = 0.0
    blur: float = 0.0

    def jittered(self, random: np.random.Generator) -> "Camera":
        """Return this camera on another day: each fault 15 % (one sd) stronger or weaker."""
        scale = random.normal(1.0, 0.15, 6).clip(0.5, 1.5)
        return Camera(
            stops=self.stops * scale[0],
            warmth=self.warmth * scale[1],
            haze=self.haze * scale[2],
            contrast=1 + (self.contrast - 1) * scale[3],
            noise=self.noise * scale[4],
            blur=self.blur * scale[5],
        )


CAMERAS = {
    "dark_warm_haze": Camera(stops=-1.2, warmth=0.7, haze=0.35),
    "over_cold_flat": Camera(stops=0.7, warmth=-0.7, contrast=0.6),
    "noisy_dark": Camera(stops=-1.5, noise=0.06),
    "soft_haze": Camera(haze=0.5, blur=3.0),
}


def degrade(image: Image, camera: str, random: np.random.Generator) -> Image:
    """Return the photo as one of CAMERAS would have taken it, with the jitter of the random generator.

    Blur, then haze I = J·t + 0.9·(1 − t) that thins towards the bottom, then exposure, white balance, contrast, noise.
    """
    fault = CAMERAS[camera].jittered(random)
    values = np.asarray(image, np.float64) / 255
    if fault.blur:
        values = np.asarray(
            cv2.GaussianBlur(values, (0, 0), max(0.3, fault.blur / 1000 * max(image.shape))), np.float64
        )
    depth = np.linspace(1.0, 0.6, image.shape[0])[:, None, None]
    values = values + fault.haze * depth * (0.9 - values)
    values = contrast(temperature(exposure(values, fault.stops), fault.warmth), fault.contrast)
    noisy = values + random.standard_normal(values.shape) * fault.noise
    return np.clip(np.rint(noisy * 255), 0, 255).astype(np.uint8)


def latent_quality(original: Image, image: Image) -> float:
    """Return how good a picture is beside its original, 1 (nothing left) to 5 (the original).

    1 + 4·(½·clip((SSIM − 0.3)/0.65, 0, 1) + ½·exp(−ΔE2000/9)), both at 320 pixels of the longer side.
    """
    reference, shown = _side_by_side(original, image)
    likeness = np.clip((ssim(reference, shown) - 0.3) / 0.65, 0, 1)
    return float(1 + 4 * (0.5 * likeness + 0.5 * np.exp(-delta_e(reference, shown) / 9)))


def worst_fault(original: Image, image: Image) -> str:
    """Return the tag of what sets a picture apart from its original most, each difference over one that disturbs.

    Light is the mean of L*, colour that of a* and b*, haze the lost spread of L*; sharpness and noise are the octaves
    by which the 95th and the 50th percentile of the Laplacian of L* rise. All at 320 pixels of the longer side.
    """
    (light, spread, edges, grain, tint), (light2, spread2, edges2, grain2, tint2) = map(
        _looks, _side_by_side(original, image)
    )
    strengths = {
        "too_dark": (light - light2) / 6,
        "too_bright": (light2 - light) / 6,
        "colour": float(np.hypot(*(tint2 - tint))) / 5,
        "hazy": (spread - spread2) / spread / 0.25,
        "blurry": np.log2(edges / edges2) / 0.8,
        "over_sharp": np.log2(edges2 / edges) / 0.8,
        "noisy": np.log2(grain2 / grain) / 0.8,
    }
    return max(strengths, key=lambda fault: strengths[fault])


def _looks(image: Image) -> tuple[float, float, float, float, Real]:
    lab = np.asarray(cv2.cvtColor(np.divide(image, 255, dtype=np.float32), cv2.COLOR_BGR2LAB), np.float64)
    light = lab[..., 0]
    detail = np.abs(cv2.Laplacian(light, cv2.CV_64F))
    grain, edges = np.percentile(detail, [50, 95]) + 0.1  # a flat picture has neither
    return float(light.mean()), float(light.std()) + 0.1, float(edges), float(grain), lab[..., 1:].mean((0, 1))


def _side_by_side(original: Image, image: Image) -> tuple[Image, Image]:
    reference, shown = shrink(original, _JUDGED_SIDE), shrink(image, _JUDGED_SIDE)
    if shown.shape != reference.shape:
        size = reference.shape[1], reference.shape[0]
        shown = np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.uint8)
    return reference, shown
