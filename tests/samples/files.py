"""The sample files by name: four quarters of different colours, 64 × 48 pixels, in every mode and encoding."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.pictures import animated, chunk, saved
from tests.samples import png as p
from tests.samples.profiles import P3, WIDE, grey, inks, matrix

WIDTH, HEIGHT = 64, 48
QUARTERS = ((220, 60, 50), (60, 170, 80)), ((50, 80, 200), (200, 190, 150))
SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ORIENTATION = 0x0112
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)
Ints = NDArray[np.integer]


def quarters(scale: int = 255) -> Ints:
    """The picture as integers of 0 to `scale`, of shape (height, width, 3)."""
    made = np.array(QUARTERS).repeat(HEIGHT // 2, 0).repeat(WIDTH // 2, 1)
    return np.asarray(np.rint(made / 255 * scale), np.int64)


def greys(scale: int = 255) -> Ints:
    """The picture's greys, of shape (height, width, 1)."""
    weighed = quarters(255) @ np.array([0.299, 0.587, 0.114])
    return np.asarray(np.rint(weighed / 255 * scale), np.int64)[..., None]


def with_alpha(samples: Ints, scale: int) -> Ints:
    """Add what shows through: whole on the left, four tenths on the right."""
    alpha = np.full((*samples.shape[:2], 1), scale)
    alpha[:, WIDTH // 2 :] = round(scale * 0.4)
    return np.concatenate([samples, alpha], 2)


def picture() -> Image.Image:
    """The picture as Pillow has it."""
    return Image.fromarray(quarters().astype(np.uint8))


def exif(orientation: int, order: str = "<", kind: int = 3) -> bytes:
    """EXIF with nothing but an orientation, in an order of bytes, as a number of a kind (3 short, 4 long)."""
    value = struct.pack(order + ("HH" if kind == 3 else "I"), *((orientation, 0) if kind == 3 else (orientation,)))
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "IHHHI", 8, 1, ORIENTATION, kind, 1) + value + bytes(4)


def thumbnail_exif(orientation: int) -> bytes:
    """EXIF whose picture says nothing and whose thumbnail names an orientation."""
    second = struct.pack("<HHHIHHI", 1, ORIENTATION, 3, 1, orientation, 0, 0)
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0128, 3, 1, 2, 0, 26) + second


def jpeg(**options: object) -> bytes:
    """The picture as a JPEG without loss of colour detail."""
    return saved(picture(), "JPEG", **{"quality": 97, "subsampling": 0, **options})


def segment(code: int, data: bytes) -> bytes:
    """A segment of a JPEG."""
    return b"\xff" + bytes((code,)) + struct.pack(">H", len(data) + 2) + data


def with_segments(body: bytes, *segments: bytes) -> bytes:
    """Put segments to the front of a JPEG."""
    return body[:2] + b"".join(segments) + body[2:]


def ycck(profile: bytes | None = None) -> bytes:
    """A JPEG for print as Photoshop writes it: inverted, its colours as luma and chroma beside black."""
    cmyk = np.asarray(picture().convert("CMYK"))
    luma = np.asarray(Image.fromarray(255 - cmyk[..., :3]).convert("YCbCr"))
    body = saved(
        Image.fromarray(np.dstack([255 - luma, cmyk[..., 3]]), "CMYK"), "JPEG", quality=97, icc_profile=profile
    )
    at = body.index(b"Adobe") + 11
    return body[:at] + b"\x02" + body[at + 1 :]


def avif(**options: object) -> bytes:
    """The picture as AVIF with all of its colour detail."""
    return saved(picture(), "AVIF", **{"quality": 100, "subsampling": "4:4:4", "speed": 8, **options})


def recoded(body: bytes, primaries: int, transfer: int) -> bytes:
    """An AVIF that says other code points of its colour; the samples stay as they are."""
    at = body.index(b"colrnclx") + 8
    return body[:at] + struct.pack(">HH", primaries, transfer) + body[at + 4 :]


def webp(**options: object) -> bytes:
    """The picture as WebP without loss."""
    return saved(picture(), "WEBP", **{"lossless": True, **options})


def paletted(*chunks: bytes, depth: int = 8, transparent: bytes = b"") -> bytes:
    """A PNG with a palette of four colours."""
    indices = np.array(((0, 1), (2, 3))).repeat(HEIGHT // 2, 0).repeat(WIDTH // 2, 1)[..., None]
    palette = chunk(b"PLTE", bytes(value for row in QUARTERS for colour in row for value in colour))
    keys = chunk(b"tRNS", transparent) if transparent else b""
    return p.png(indices, depth, p.PALETTE, *chunks, palette, keys)


def rgb(*chunks: bytes, **options: object) -> bytes:
    """A PNG of 8 bits and three colours."""
    return p.png(quarters(), 8, p.RGB, *chunks, **options)  # type: ignore[arg-type]


def rgb16(*chunks: bytes) -> bytes:
    """A PNG of 16 bits and three colours."""
    return p.png(quarters(65535), 16, p.RGB, *chunks)


def worded(zipped: bool, size: int) -> bytes:
    """A PNG with a text of so many characters, as generators embed their workflows."""
    words = PngInfo()
    words.add_itxt("workflow", '{"nodes": []}' * (size // 13), zip=zipped)
    words.add_text("prompt", "a temple, " * (size // 10), zip=zipped)
    return saved(picture(), "PNG", pnginfo=words)


KEY, KEY16 = struct.pack(">3H", *QUARTERS[0][0]), struct.pack(">3H", *quarters(65535)[0, 0])


def _jpegs() -> Iterator[tuple[str, bytes]]:
    yield "jpeg", jpeg()
    yield "jpeg, halved colour", jpeg(subsampling=2)
    yield "jpeg, progressive", jpeg(progressive=True)
    yield "jpeg, grey", saved(picture().convert("L"), "JPEG", quality=97)
    yield "jpeg, cmyk", saved(picture().convert("CMYK"), "JPEG", quality=97)
    yield "jpeg, ycck", ycck()
    yield "jpeg, cmyk with its inks", saved(picture().convert("CMYK"), "JPEG", quality=97, icc_profile=inks())
    yield "jpeg, ycck with its inks", ycck(inks())
    yield (
        "jpeg, cmyk with a display's profile",
        saved(picture().convert("CMYK"), "JPEG", quality=97, icc_profile=matrix()),
    )
    yield "jpeg, not transformed", jpeg(keep_rgb=True)
    for orientation in range(2, 9):
        yield f"jpeg, exif {orientation}", jpeg(exif=b"Exif\0\0" + exif(orientation))
    yield "jpeg, exif 6 big-endian", jpeg(exif=b"Exif\0\0" + exif(6, ">"))
    yield "jpeg, exif 6 as long", jpeg(exif=b"Exif\0\0" + exif(6, kind=4))
    yield "jpeg, exif 9", jpeg(exif=b"Exif\0\0" + exif(9))
    yield "jpeg, exif of the thumbnail alone", jpeg(exif=b"Exif\0\0" + thumbnail_exif(6))
    yield (
        "jpeg, exif twice",
        with_segments(jpeg(), segment(0xE1, b"Exif\0\0" + exif(6)), segment(0xE1, b"Exif\0\0" + exif(3))),
    )
    yield "jpeg, xmp alone", jpeg(xmp=XMP.encode())
    yield "jpeg, xmp against exif", jpeg(xmp=XMP.encode(), exif=b"Exif\0\0" + exif(1))
    yield "jpeg, exif cut off", jpeg(exif=b"Exif\0\0" + exif(6)[:16])
    yield "jpeg, display p3", jpeg(icc_profile=matrix())
    yield "jpeg, swapped", jpeg(icc_profile=matrix(swapped=True))
    yield "jpeg, grey with its profile", saved(picture().convert("L"), "JPEG", quality=97, icc_profile=grey(1.4))
    yield (
        "jpeg, grey with a display's profile",
        saved(picture().convert("L"), "JPEG", quality=97, icc_profile=matrix(gamma=1.4)),
    )
    yield "jpeg, a profile of words", jpeg(icc_profile=b"no profile at all")
    yield "jpeg, a profile over a megabyte", jpeg(icc_profile=matrix(padding=1_300_000))
    tall = picture().resize((WIDTH, 40 * HEIGHT), Image.Resampling.NEAREST)
    yield "jpeg, without its end", jpeg()[:-2]
    yield "jpeg, without its last row", saved(tall, "JPEG", quality=97)[:-8]
    yield "jpeg, progressive, without its end", jpeg(progressive=True)[:-2]
    yield "jpeg, halved colour, without its end", saved(tall, "JPEG", quality=97, subsampling=2)[:-2]
    yield "jpeg, behind its end", jpeg() + b"more"
    yield "jpeg, two pictures", animated("MPO")


def _pngs() -> Iterator[tuple[str, bytes]]:
    for depth in (1, 2, 4, 8, 16):
        yield f"png, grey {depth}", p.png(greys((1 << depth) - 1), depth, p.GREY)
    for depth in (8, 16):
        scale = (1 << depth) - 1
        yield f"png, rgb {depth}", p.png(quarters(scale), depth, p.RGB)
        yield f"png, rgba {depth}", p.png(with_alpha(quarters(scale), scale), depth, p.RGBA)
        yield f"png, grey and alpha {depth}", p.png(with_alpha(greys(scale), scale), depth, p.GREY_ALPHA)
    for depth in (2, 4, 8):
        yield f"png, palette {depth}", paletted(depth=depth)
    yield "png, interlaced", rgb(interlaced=True)
    yield "png, palette, see-through", paletted(transparent=b"\0\x66\xff")
    yield "png, key", rgb(chunk(b"tRNS", KEY))
    yield "png, key 16", rgb16(chunk(b"tRNS", KEY16))
    for depth in (4, 8, 16):
        key = greys((1 << depth) - 1)[0, 0, 0]
        yield (
            f"png, grey key {depth}",
            p.png(greys((1 << depth) - 1), depth, p.GREY, chunk(b"tRNS", struct.pack(">H", key))),
        )
    profile = matrix(WIDE)
    yield "png, profile", rgb(p.iccp(profile))
    yield "png, profile 16", rgb16(p.iccp(profile))
    yield "png, profile and alpha", p.png(with_alpha(quarters(), 255), 8, p.RGBA, p.iccp(profile))
    yield "png, profile and alpha 16", p.png(with_alpha(quarters(65535), 65535), 16, p.RGBA, p.iccp(profile))
    yield "png, profile and key", rgb(p.iccp(profile), chunk(b"tRNS", KEY))
    yield "png, profile and palette", paletted(p.iccp(profile))
    yield "png, profile and palette, see-through", paletted(p.iccp(profile), transparent=b"\0\x66\xff")
    yield "png, grey profile", p.png(greys(), 8, p.GREY, p.iccp(grey()))
    yield "png, grey profile 16", p.png(greys(65535), 16, p.GREY, p.iccp(grey()))
    yield "png, grey profile and alpha", p.png(with_alpha(greys(), 255), 8, p.GREY_ALPHA, p.iccp(grey()))
    yield "png, grey with a display's profile", p.png(greys(), 8, p.GREY, p.iccp(matrix(gamma=1.4)))
    yield (
        "png, grey and alpha with a display's profile",
        p.png(with_alpha(greys(), 255), 8, p.GREY_ALPHA, p.iccp(matrix(gamma=1.4))),
    )
    yield "png, colours with a grey profile", rgb(p.iccp(grey()))
    yield "png, a profile over a megabyte", rgb(p.iccp(matrix(WIDE, padding=1_300_000)))
    yield "png, a profile of words", rgb(p.iccp(b"no profile at all"))
    yield "png, a profile of words and gamma", rgb(p.iccp(b"no profile at all"), p.gama(1.0))
    yield "png, linear", rgb(p.gama(1.0))
    yield "png, linear 16", rgb16(p.gama(1.0))
    yield "png, linear grey", p.png(greys(), 8, p.GREY, p.gama(1.0))
    yield "png, linear grey 16", p.png(greys(65535), 16, p.GREY, p.gama(1.0))
    yield "png, linear and alpha", p.png(with_alpha(quarters(), 255), 8, p.RGBA, p.gama(1.0))
    yield "png, linear palette", paletted(p.gama(1.0))
    yield "png, gamma of a Macintosh", rgb(p.gama(1 / 1.8))
    yield "png, usual gamma", rgb(p.gama(0.45455))
    yield "png, gamma of nothing", rgb(p.gama(0))
    yield "png, chromaticities alone", rgb(p.chrm(WIDE))
    yield "png, chromaticities and gamma", rgb(p.chrm(WIDE), p.gama(0.45455))
    yield "png, warm white and gamma", rgb(p.chrm(P3, (0.3457, 0.3585)), p.gama(0.45455))
    yield "png, srgb against gamma", rgb(p.SRGB, p.gama(1.0), p.chrm(WIDE))
    yield "png, profile against gamma", rgb(p.iccp(profile), p.gama(1.0))
    yield "png, profile against srgb", rgb(p.SRGB, p.iccp(profile))
    yield "png, code points p3", rgb(p.cicp(12, 13))
    yield "png, code points p3 16", rgb16(p.cicp(12, 13))
    yield "png, code points 2020", rgb(p.cicp(9, 1))
    yield "png, code points linear", rgb(p.cicp(1, 8))
    yield "png, code points against profile", rgb(p.cicp(1, 13), p.iccp(profile))
    yield "png, code points against srgb", rgb(p.cicp(12, 13), p.SRGB)
    yield "png, code points unknown", rgb(p.cicp(2, 2), p.gama(1.0))
    yield "png, code points pq", rgb16(p.cicp(9, 16))
    yield "png, code points hlg", rgb16(p.cicp(9, 18))
    yield "png, exif 6", rgb(chunk(b"eXIf", exif(6)))
    yield "png, exif 6 behind", rgb(after=[chunk(b"eXIf", exif(6))])
    yield "png, exif 6 with a prefix", rgb(chunk(b"eXIf", b"Exif\0\0" + exif(6)))
    raw = exif(6)
    told = f"\nexif\n{len(raw):8}\n{raw.hex()}\n".encode()
    yield "png, exif as text", rgb(chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(told)))
    yield "png, xmp alone", rgb(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP.encode()))
    yield "png, text with a wrong sum", rgb(p.spoilt(chunk(b"tEXt", b"Comment\0hello")))
    yield "png, text behind with a wrong sum", rgb(after=[p.spoilt(chunk(b"tEXt", b"Comment\0hello"))])
    yield "png, gamma with a wrong sum", rgb(p.spoilt(p.gama(1.0)))
    yield "png, profile with a wrong sum", rgb(p.spoilt(p.iccp(profile)))
    yield "png, unknown chunk", rgb(chunk(b"prVt", b"anything"))
    yield "png, unknown chunk with a wrong sum", rgb(p.spoilt(chunk(b"prVt", b"anything")))
    yield "png, unknown critical chunk", rgb(chunk(b"PRVt", b"anything"))
    yield "png, key with a wrong sum", rgb(p.spoilt(chunk(b"tRNS", KEY)))
    yield "png, gamma behind", rgb(after=[p.gama(1.0)])
    yield "png, gamma twice", rgb(p.gama(1.0), p.gama(0.45455))
    yield "png, short gamma", rgb(chunk(b"gAMA", b"\0\0"))
    yield "png, short chromaticities", rgb(chunk(b"cHRM", b"\0\0"))
    yield "png, short size", rgb(chunk(b"pHYs", b"\0\0"))
    yield "png, long time", rgb(chunk(b"tIME", b"\0" * 20))
    yield "png, long transparency", p.png(greys(), 8, p.GREY, chunk(b"tRNS", b"\0" * 9))
    yield "png, transparency beside alpha", p.png(with_alpha(quarters(), 255), 8, p.RGBA, chunk(b"tRNS", KEY))
    yield "png, palette beside colours", rgb(chunk(b"PLTE", bytes(30)))
    yield "png, much packed text", worded(True, 6_000_000)
    yield "png, much text", worded(False, 200_000)
    yield "png, text of an unknown packing", rgb(chunk(b"zTXt", b"a\0\x07abc"))
    yield "png, text that cannot be unpacked", rgb(chunk(b"zTXt", b"a\0\0abc"))
    yield "png, without its end", rgb(end=False)
    yield "png, cut in its end", rgb()[:-6]
    yield "png, behind its end", rgb() + b"more"
    yield (
        "png, an animation of one frame",
        rgb(
            chunk(b"acTL", struct.pack(">II", 1, 0)),
            chunk(b"fcTL", struct.pack(">5I2H2B", 0, WIDTH, HEIGHT, 0, 0, 1, 10, 0, 0)),
        ),
    )
    yield "png, data with a wrong sum", p.png(quarters(), 8, p.RGB)[:-13] + b"\0" + p.png(quarters(), 8, p.RGB)[-12:]


def _others() -> Iterator[tuple[str, bytes]]:
    yield "webp", webp()
    yield "webp, lossy", saved(picture(), "WEBP", quality=95)
    yield (
        "webp, see-through",
        saved(Image.fromarray(with_alpha(quarters(), 255).astype(np.uint8), "RGBA"), "WEBP", lossless=True),
    )
    yield "webp, profile", webp(icc_profile=matrix(WIDE))
    yield "webp, exif 6", webp(exif=b"Exif\0\0" + exif(6))
    yield "webp, bare exif 6", webp(exif=exif(6))
    yield "webp, xmp alone", webp(xmp=XMP.encode())
    yield "webp, behind its end", webp() + b"more"
    yield "avif", avif()
    yield "avif, halved colour", avif(subsampling="4:2:0")
    yield "avif, grey", saved(picture().convert("L"), "AVIF", quality=95, speed=8)
    yield (
        "avif, see-through",
        saved(
            Image.fromarray(with_alpha(quarters(), 255).astype(np.uint8), "RGBA"),
            "AVIF",
            quality=95,
            subsampling="4:4:4",
            speed=8,
        ),
    )
    yield "avif, profile", avif(icc_profile=matrix(WIDE))
    for orientation in (3, 5, 6):
        yield f"avif, turned {orientation}", avif(exif=b"Exif\0\0" + exif(orientation))
    yield "avif, exif alone", without_turn(avif(exif=b"Exif\0\0" + exif(6)))
    yield "avif, code points p3", recoded(avif(), 12, 13)
    yield "avif, code points linear", recoded(avif(), 1, 8)
    yield "avif, code points 2020", recoded(avif(), 9, 1)
    yield "avif, code points pq", recoded(avif(), 9, 16)
    yield "avif, code points hlg", recoded(avif(), 9, 18)


def without_turn(body: bytes) -> bytes:
    """An AVIF whose properties turn it no more, while its EXIF goes on saying so."""
    return body.replace(b"irot\x03", b"irot\0").replace(b"irot\x01", b"irot\0")


def samples() -> dict[str, bytes]:
    """Return all sample files by name."""
    return dict([*_jpegs(), *_pngs(), *_others()])
