"""Colour profiles (ICC), written by hand: a matrix with curves, a grey curve, and a table for printing inks."""

import struct

import numpy as np
from numpy.typing import NDArray

SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
WIDE = ((0.735, 0.265), (0.115, 0.826), (0.157, 0.018))
D65 = (0.3127, 0.3290)
D50 = (0.9642, 1.0, 0.8249)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

Chromaticities = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]


def matrix(primaries: Chromaticities = P3, gamma: float = 2.2, *, padding: int = 0, swapped: bool = False) -> bytes:
    """A display's profile; `padding` bytes make it large, `swapped` lets red and blue change places."""
    columns = to_d50(primaries)
    names = ("bXYZ", "gXYZ", "rXYZ") if swapped else ("rXYZ", "gXYZ", "bXYZ")
    tags = {name: _xyz(*columns[:, index]) for index, name in enumerate(names)}
    tags |= dict.fromkeys(("rTRC", "gTRC", "bTRC"), _curve(gamma))
    return _profile(b"mntr", b"RGB ", tags, padding)


def grey(gamma: float = 1.0) -> bytes:
    """A profile of greys."""
    return _profile(b"mntr", b"GRAY", {"kTRC": _curve(gamma)})


def inks() -> bytes:
    """A profile of a press whose paper is yellowish and whose inks are dull: a table of 16 colours in Lab."""
    table = bytearray()
    for index in range(16):
        cyan, magenta, yellow, black = ((index >> shift) & 1 for shift in (3, 2, 1, 0))
        light = 95 * (1 - 0.4 * cyan) * (1 - 0.5 * magenta) * (1 - 0.1 * yellow) * (1 - 0.85 * black)
        left = 1 - 0.85 * black
        table += bytes(
            (
                round(light * 2.55),
                round(128 + left * (-35 * cyan + 65 * magenta - 5 * yellow)),
                round(128 + left * (4 - 45 * cyan - 5 * magenta + 80 * yellow)),
            )
        )
    straight = bytes(range(256))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + straight * 4 + bytes(table) + straight * 3
    return _profile(b"prtr", b"CMYK", {"A2B0": lut}, space=b"Lab ")


def to_d50(primaries: Chromaticities) -> NDArray[np.float64]:
    """Return the matrix from linear light to CIE XYZ, white at D50, as profiles have it."""
    white = np.array([D65[0] / D65[1], 1.0, (1 - sum(D65)) / D65[1]])
    corners = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    scaled = corners * np.linalg.solve(corners, white)
    cones = BRADFORD @ np.array(D50) / (BRADFORD @ white)
    return np.asarray(np.linalg.inv(BRADFORD) @ np.diag(cones) @ BRADFORD @ scaled, np.float64)


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(x) + _fixed(y) + _fixed(z)


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(gamma * 256), 0)


def _profile(kind: bytes, colours: bytes, tags: dict[str, bytes], padding: int = 0, space: bytes = b"XYZ ") -> bytes:
    words = b"made by a test\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(words)) + words + bytes(78 + (-len(words)) % 4 + 2)
    rights = b"text\0\0\0\0none\0\0\0\0"
    whole = {"desc": description[: len(description) // 4 * 4], "cprt": rights, "wtpt": _xyz(*D50), **tags}
    if padding:
        whole["pad "] = b"data\0\0\0\0" + np.random.default_rng(1).bytes(padding // 4 * 4)
    at, index, data = 128 + 4 + 12 * len(whole), b"", b""
    for name, tag in whole.items():
        index += name.encode() + struct.pack(">II", at + len(data), len(tag))
        data += tag
    head = struct.pack(">I4sI4s4s4s", at + len(data), b"test", 0x02400000, kind, colours, space)
    head += struct.pack(">6H4s4sIIIQI", 2026, 1, 1, 0, 0, 0, b"acsp", b"APPL", 0, 0, 0, 0, 0)
    head = head.ljust(68, b"\0") + b"".join(map(_fixed, D50))
    return head.ljust(128, b"\0") + struct.pack(">I", len(whole)) + index + data
