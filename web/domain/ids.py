"""Identifiers: UUIDv7 text, so that rows sort by the time they were made (RFC 9562, section 5.7)."""

import secrets
import time
import uuid


def new_id() -> str:
    """Return a fresh UUIDv7: 48 bits of milliseconds, 12 of their fraction (section 6.2, method 3), 62 random ones."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    bits = (milliseconds << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | secrets.randbits(62)
    return str(uuid.UUID(int=bits))


def is_id(text: str) -> bool:
    """Tell whether a text is a UUID in its canonical form."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
