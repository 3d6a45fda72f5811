"""How easy a password is to guess, as zxcvbn reckons it."""

from threading import Lock

from zxcvbn import zxcvbn  # type: ignore[import-untyped]

# Guesses that a password must outlast. At two hundred tries an hour it outlasts its owner; as a stolen hash, years.
ENOUGH_GUESSES = 10**9
# The time it takes grows with the cube of the length: 0.07 s for the worst text of 20 characters, 0.4 s for one of 32.
LOOKED_AT = 20
_ONE_AT_A_TIME = Lock()  # the library keeps the words it is told in a place that all threads share


def why_easy(password: str, known: tuple[str, ...]) -> str:
    """Return why a password is easy to guess for somebody who knows these words; empty where it is not."""
    with _ONE_AT_A_TIME:
        found = zxcvbn(password[:LOOKED_AT], known)
    if found["guesses"] >= ENOUGH_GUESSES:
        return ""
    feedback = found["feedback"]
    words = [feedback["warning"], *feedback["suggestions"]]
    return " ".join(word for word in words if word) or "Add another word or two. Uncommon words are better."
