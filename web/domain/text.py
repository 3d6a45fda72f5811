"""Text that people and machines send, made fit to be kept and shown."""

import unicodedata
from typing import TypeVar

from ml_service.errors import InvalidRequest

T = TypeVar("T")
COMMENT_LIMIT = 300
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """Return text without control, direction and other invisible characters; ends of lines and spaces stay."""
    return "".join(character for character in text if character.isprintable() or character == "\n")


def one_of(name: str, text: str, known: tuple[T, ...]) -> T | None:
    """Return the word that a value of a query string is, None for "", or raise InvalidRequest."""
    if not text:
        return None
    for value in known:
        if value == text:
            return value
    raise InvalidRequest(f"{name} must be one of {', '.join(map(str, known))}, not {text!r}.")


def is_file_name(text: str) -> bool:
    """Tell whether a text may be the name of a file: with blanks and joiners as systems put there, and no controls."""
    return not any(unicodedata.category(one) == "Cc" or one in _DIRECTIONS for one in text)
