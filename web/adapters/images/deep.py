"""PNGs of 16 bits a channel: OpenCV decodes them, as Pillow keeps the upper eight and cuts off the rest."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from web.adapters.images.encoding import Encoding, to_srgb
from web.adapters.images.limits import PIXEL_LIMIT, Refused, damaged
from web.adapters.images.png import Chunks

_GREY, _ALPHA = (0, 4), (4, 6)  # types of colour as a PNG's head has them
_ROUNDED = np.rint(np.arange(65536) / 257).astype(np.uint8)

Deep = NDArray[np.uint16]


def read_deep(chunks: Chunks) -> tuple[Image.Image, tuple[bytes | Encoding, ...]]:
    """Return a picture with 8 bits a channel, and what is told of its colours that has not been applied yet.

    An encoding by numbers is applied here, to all sixteen bits: eight of linear light are too few for the dark.
    """
    samples = _decoded(chunks)
    grey = chunks.head[9] in _GREY
    colours = samples[..., 2::-1] if samples.ndim == 3 else samples[..., None]
    alpha = _alpha(chunks, samples, colours)
    told = chunks.colours()
    if told and isinstance(told[0], Encoding):
        made = to_srgb(np.broadcast_to(colours, (*samples.shape[:2], 3)), told[0])
        if made is not None:
            return _layered(made, alpha), ()
    narrow = _ROUNDED[colours]
    return _layered(narrow[..., 0] if grey else narrow, alpha), told


def _decoded(chunks: Chunks) -> Deep:
    width, height = int.from_bytes(chunks.head[:4]), int.from_bytes(chunks.head[4:8])
    if width * height > PIXEL_LIMIT:
        most = PIXEL_LIMIT // 1_000_000
        raise Refused(f"With 16 bits a channel, an image may have {most} megapixels; save it with 8.", too_large=True)
    told = {name: data for name, data in chunks.told.items() if name != b"tRNS"}  # keys are compared here
    body = np.frombuffer(replace(chunks, told=told).bare(), np.uint8)
    try:
        samples = cv2.imdecode(body, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise MemoryError from error
    if samples is None or samples.dtype != np.uint16 or samples.shape[:2] != (height, width):
        raise damaged()
    return np.asarray(samples, np.uint16)


def _alpha(chunks: Chunks, samples: Deep, colours: Deep) -> NDArray[np.uint8] | None:
    if chunks.head[9] in _ALPHA:
        return np.asarray(_ROUNDED[samples[..., 3]], np.uint8)
    key = chunks.told.get(b"tRNS", b"")
    if len(key) != 2 * colours.shape[-1]:
        return None
    clear = (colours == np.frombuffer(key, ">u2").astype(np.uint16)).all(-1)
    return np.where(clear, 0, 255).astype(np.uint8)


def _layered(colours: NDArray[np.uint8], alpha: NDArray[np.uint8] | None) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(colours))
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
    return image
