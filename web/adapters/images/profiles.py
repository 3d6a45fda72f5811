"""Pictures in their own colours become pictures in sRGB on white, as browsers show them."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image, ImageCms

if TYPE_CHECKING:
    from web.adapters.images.encoding import Encoding

_SRGB = ImageCms.createProfile("sRGB")
_GREYS = ("1", "L", "LA")


def shown(image: Image.Image, told: "Sequence[bytes | Encoding]") -> Image.Image:
    """Return a picture as RGB in sRGB on white, by the first of what is told of its colours that can be used.

    What is told is a profile (ICC) or an encoding by numbers; a profile of another kind of colours cannot be used.
    """
    colours, alpha = _parted(image)
    made = next((made for one in told if (made := _converted(colours, one)) is not None), colours).convert("RGB")
    if alpha is None:
        return made
    return Image.composite(made, Image.new("RGB", made.size, "white"), alpha)


def _parted(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the colours as L, RGB or CMYK, and what they let through: a profile would paint the key of the latter."""
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return layer.getchannel("R") if image.mode in _GREYS else layer.convert("RGB"), layer.getchannel("A")
    if image.mode == "CMYK":
        return image, None
    return image.convert("L" if image.mode in _GREYS else "RGB"), None


def _converted(image: Image.Image, told: "bytes | Encoding") -> Image.Image | None:
    return _by_profile(image, told) if isinstance(told, bytes) else _by_numbers(image, told)


def _by_profile(image: Image.Image, body: bytes) -> Image.Image | None:
    """Convert by a profile; None where it cannot be read or is of another kind of colours."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(body))
        match profile.profile.xcolor_space, image.mode:
            case ("GRAY", "L") | ("RGB ", "RGB") | ("CMYK", "CMYK"):
                fit = image
            case "RGB ", "L":
                fit = image.convert("RGB")
            case _:
                return None
        return ImageCms.profileToProfile(fit, profile, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _by_numbers(image: Image.Image, encoding: "Encoding") -> Image.Image | None:
    from web.adapters.images.encoding import converted  # NumPy, which few pictures need

    return None if image.mode == "CMYK" else converted(image.convert("RGB"), encoding)
