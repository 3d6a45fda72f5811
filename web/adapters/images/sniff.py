"""What a file is by its first bytes, whatever it is called, and what to do with one that is not taken."""

from web.adapters.images.limits import TAKEN, Refused

_BRANDS = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC"),
    b"crx ": "RAW",
}
_HEADS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0\x10\0\0\0CR", "RAW"),
    (b"IIRO", "RAW"),
    (b"IIRS", "RAW"),
    (b"IIU\0", "RAW"),
    (b"FUJIFILM", "RAW"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"%PDF", "PDF"),
    (b"8BPS", "PSD"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP", "JPEG 2000"),
    (b"\x76\x2f\x31\x01", "EXR"),
    (b"\0\0\1\0", "ICO"),
    (b"\x1aE\xdf\xa3", "video"),
    (b"\0\0\1\xba", "video"),
    (b"PK\x03\x04", "archive"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"\x1f\x8b", "archive"),
)
_EXPORT = f"export it as {TAKEN} and upload that"
_SAID = {
    "HEIC": "This is a HEIC photo, which most browsers cannot show. Export it as JPEG; an iPhone takes JPEG by itself "
    "with Settings, Camera, Formats, Most Compatible.",
    "GIF": f"This is a GIF; {_EXPORT}.",
    "BMP": f"This is a BMP image; {_EXPORT}.",
    "TIFF": f"This is a TIFF image, or a camera's raw file, which browsers cannot show; {_EXPORT}.",
    "RAW": f"This is a camera's raw file, which browsers cannot show; {_EXPORT}.",
    "PDF": f"This is a PDF document; {_EXPORT}.",
    "PSD": f"This is a Photoshop document; {_EXPORT}.",
    "SVG": f"This is an SVG drawing, not a photo; {_EXPORT}.",
    "ICO": f"This is an icon; {_EXPORT}.",
    "EXR": f"This is an OpenEXR image, which browsers cannot show; {_EXPORT}.",
    "JPEG XL": f"This is a JPEG XL image, which few browsers can show; {_EXPORT}.",
    "JPEG 2000": f"This is a JPEG 2000 image, which few browsers can show; {_EXPORT}.",
    "video": f"This is a video, not a photo; save one picture of it as {TAKEN} and upload that.",
    "archive": "This is an archive; unpack it and upload the photos inside.",
    "page": f"This is a web page, not a photo; save the picture itself as {TAKEN} and upload that.",
}
TAKEN_KINDS = ("JPEG", "PNG", "WEBP", "AVIF")


def kind(body: bytes) -> str:
    """Return which of TAKEN_KINDS a file is; Refused says what it is instead, and what to do."""
    found = _kind(body)
    if found not in TAKEN_KINDS:
        raise Refused(_SAID.get(found, f"This is no picture that can be read; upload a {TAKEN} image."))
    return found


def _kind(body: bytes) -> str:
    if body[:4] == b"RIFF":
        return {b"WEBP": "WEBP", b"AVI ": "video"}.get(body[8:12], "")
    if body[4:8] == b"ftyp":
        return _boxed(body)
    for head, name in _HEADS:
        if body.startswith(head):
            return name
    start = body[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<"):
        return "SVG" if b"<svg" in start else "page"
    return ""


def _boxed(body: bytes) -> str:
    """Tell apart what shares the container of MP4: the first brand that says, of the major one and those beside it."""
    length = min(int.from_bytes(body[:4], "big"), 256)
    brands = [body[8:12], *(body[at : at + 4] for at in range(16, length, 4))]
    plain = [brand for brand in brands if brand not in (b"mif1", b"msf1")] or brands
    return next((_BRANDS[brand] for brand in (*plain, *brands) if brand in _BRANDS), "video")
