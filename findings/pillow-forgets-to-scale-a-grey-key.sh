#!/usr/bin/env bash
# One would guess: a grey PNG with a transparent key (`tRNS`) comes out of Pillow with that grey transparent, whatever its depth.
# What happens: samples of 2 and 4 bits are scaled to 8 bits (6 of 15 becomes 102), the key is not: it stays 6, matches nothing,
# and `convert("RGBA")` gives an opaque picture. With 1 and 8 bits the key holds.
# Who is hit: whoever flattens or cuts out small grey PNGs, as of scans, icons and line art: what browsers show transparent is
# opaque, and a sample of 8 bits that happens to be the key's number would vanish.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check pillow==13.0.0
cat > "$folder/look.py" <<'PY'
import io
import struct
import zlib

import PIL
from PIL import Image


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(bits, key):
    """A picture of 8 × 1 samples, all of them the key."""
    packed = "".join(f"{key:0{bits}b}" for _ in range(8))
    row = b"\0" + int(packed, 2).to_bytes(bits, "big")
    head = struct.pack(">IIBBBBB", 8, 1, bits, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"tRNS", struct.pack(">H", key)) + chunk(b"IDAT", zlib.compress(row))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


print("Pillow", PIL.__version__)
alpha = {}
for bits, key in ((1, 1), (2, 2), (4, 6), (8, 102)):
    image = Image.open(io.BytesIO(png(bits, key)))
    image.load()
    alpha[bits] = image.convert("RGBA").getpixel((0, 0))[3]
    told = image.info.get("transparency")
    print(f"{bits} bits, all samples are the key {key}: key told {told}, sample {image.convert('L').getpixel((0, 0))}, alpha {alpha[bits]}")
assert alpha == {1: 0, 2: 255, 4: 255, 8: 0}, alpha
PY
"$folder/env/bin/python" "$folder/look.py"
