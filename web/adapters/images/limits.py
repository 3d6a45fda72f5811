"""What is taken of an image, and how it is said that one is not."""

from PIL import Image

PIXEL_LIMIT = 25_000_000  # of what comes out; what is larger is made smaller
READ_LIMIT = 120_000_000  # of what goes in: 108 megapixels are the largest that phones write by themselves
LEAST_SIDE, MOST_SIDE = 32, 16_384
TAKEN = "JPEG, PNG, WebP or AVIF"


class Refused(Exception):
    """An image that is not taken, and why; `too_large` tells a limit from a fault."""

    def __init__(self, reason: str, *, too_large: bool = False) -> None:
        super().__init__(reason)
        self.too_large = too_large


def over_limit() -> Refused:
    """Return the refusal of an image of too many pixels."""
    return Refused(f"The image has more than {READ_LIMIT // 1_000_000} megapixels; scale it down.", too_large=True)


def damaged() -> Refused:
    """Return the refusal of a file of a kind that is taken, whose picture cannot be read."""
    return Refused("The image is damaged or cut off; export it again and upload that.")


def check(image: Image.Image) -> None:
    """Raise Refused unless an opened image is one picture of a size that is taken."""
    width, height = image.size
    if width * height > READ_LIMIT:
        raise over_limit()
    if max(width, height) > MOST_SIDE:
        raise Refused(f"The image is longer than {MOST_SIDE} pixels; cut it or scale it down.", too_large=True)
    if min(width, height) < LEAST_SIDE:
        raise Refused(f"The image is smaller than {LEAST_SIDE} pixels on a side; upload a larger one.")
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:  # an MPO's further frames are previews
        raise Refused("The image is animated; upload a single picture.")
