"""Texts as words: their one normal form, what of them carries meaning, and runs of them."""

import re
import unicodedata
from collections import Counter

FILLERS = (
    "a", "also", "an", "and", "but", "it", "its", "just", "of", "please", "so", "some", "that", "the", "then", "this",
)  # fmt: skip
SPELLING = 0.7  # of the longer of two words
_WORD = re.compile(r"(?<!\w)[+-]?\d+(?:[.,]\d+)*\b|\w+(?:'\w+)*")


def normal(text: str) -> str:
    """Return a text's words in small letters, single spaces between them: what is left is what it says."""
    return " ".join(listed(text))


def listed(text: str) -> list[str]:
    """Return the words of a text in small letters, in their order."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold().replace("’", "'"))


def meaning(text: str) -> Counter[str]:
    """Return how often a text has each word that is no filler."""
    return Counter(word for word in listed(text) if word not in FILLERS)


def is_same_spelt_otherwise(word: str, other: str) -> bool:
    """Tell whether two words begin alike and end a little otherwise, as shadow and shadows do."""
    shared = next((at for at, pair in enumerate(zip(word, other, strict=False)) if pair[0] != pair[1]), None)
    return (min(len(word), len(other)) if shared is None else shared) >= SPELLING * max(len(word), len(other))


def runs(text: str, length: int) -> list[tuple[str, ...]]:
    """Return every run of so many words, in their order."""
    found = listed(text)
    return [tuple(found[start : start + length]) for start in range(len(found) - length + 1)]
