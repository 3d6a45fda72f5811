"""A photo is turned upright, as its EXIF says."""

import struct

from PIL import Image, ImageOps

UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, struct.error)


def upright(image: Image.Image) -> Image.Image:
    """Turn the image as its EXIF says; metadata that cannot be read is passed over."""
    try:
        return ImageOps.exif_transpose(image)
    except UNREADABLE:
        return image
