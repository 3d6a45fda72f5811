"""How different two pictures are: structural similarity, and the CIEDE2000 colour difference."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Real = NDArray[np.float64]


def ssim(first: Image, second: Image) -> float:
    """Return the mean structural similarity of two pictures' greys, 1 for equal ones.

    Gaussian window of 11 pixels and sd 1.5, constants (0.01·255)² and (0.03·255)² (Wang and others, 2004).
    """

    def mean(values: Real) -> Real:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float64)

    one, two = (np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.float64) for image in (first, second))
    mean_one, mean_two = mean(one), mean(two)
    variances = mean(one * one) - mean_one**2 + mean(two * two) - mean_two**2
    covariance = mean(one * two) - mean_one * mean_two
    light, shape = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    upper = (2 * mean_one * mean_two + light) * (2 * covariance + shape)
    return float(np.mean(upper / ((mean_one**2 + mean_two**2 + light) * (variances + shape))))


def delta_e(first: Image, second: Image) -> float:
    """Return the mean CIEDE2000 difference of two pictures of one size; about 1 is just noticeable."""
    one, two = (
        np.asarray(cv2.cvtColor(np.divide(image, 255, dtype=np.float32), cv2.COLOR_BGR2LAB), np.float64)
        for image in (first, second)
    )
    return float(np.mean(ciede2000(one, two)))


def ciede2000(first: Real, second: Real) -> Real:
    """Return the CIEDE2000 difference of colours in CIELAB, shape (..., 3) to (...) (CIE 142-2001; Sharma, 2005)."""
    (light1, chroma1, hue1), (light2, chroma2, hue2) = _light_chroma_hue(first, second)
    light, chroma = (light1 + light2) / 2, (chroma1 + chroma2) / 2
    hue_step, hue = _hues(hue1, hue2, chroma1 * chroma2 == 0)
    tint = 2 * np.sqrt(chroma1 * chroma2) * np.sin(hue_step / 2)
    by_hue = (
        1
        - 0.17 * np.cos(hue - np.pi / 6)
        + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.pi / 30)
        - 0.20 * np.cos(4 * hue - 63 * np.pi / 180)
    )
    lights = (light2 - light1) / (1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2))
    chromas = (chroma2 - chroma1) / (1 + 0.045 * chroma)
    tints = tint / (1 + 0.015 * chroma * by_hue)
    turn = np.pi / 3 * np.exp(-(((np.degrees(hue) - 275) / 25) ** 2))
    rotation = -np.sin(turn) * 2 * _high_chroma(chroma)
    return np.asarray(np.sqrt(lights**2 + chromas**2 + tints**2 + rotation * chromas * tints), np.float64)


def _high_chroma(chroma: Real) -> Real:
    return np.asarray(np.sqrt(chroma**7 / (chroma**7 + 25.0**7)), np.float64)


def _light_chroma_hue(first: Real, second: Real) -> tuple[tuple[Real, Real, Real], tuple[Real, Real, Real]]:
    plain = (np.hypot(first[..., 1], first[..., 2]) + np.hypot(second[..., 1], second[..., 2])) / 2
    stretch = 1.5 - 0.5 * _high_chroma(plain)

    def polar(lab: Real) -> tuple[Real, Real, Real]:
        green_red, blue_yellow = lab[..., 1] * stretch, lab[..., 2]
        hue = np.arctan2(blue_yellow, green_red) % (2 * np.pi)
        return lab[..., 0], np.hypot(green_red, blue_yellow), hue

    return polar(first), polar(second)


def _hues(hue1: Real, hue2: Real, grey: NDArray[np.bool_]) -> tuple[Real, Real]:
    """Return the step from one hue to the other the short way round, and the hue halfway, in radians."""
    step = (hue2 - hue1 + np.pi) % (2 * np.pi) - np.pi
    step = np.where(grey, 0.0, step)
    apart = np.abs(hue1 - hue2) > np.pi
    total = hue1 + hue2
    halfway = np.where(apart, (total + np.where(total < 2 * np.pi, 2 * np.pi, -2 * np.pi)) / 2, total / 2)
    return step, np.where(grey, total, halfway)
