"""Passwords."""

from typing import Protocol


class Passwords(Protocol):
    """Hashes passwords slowly, so that nobody can try many."""

    def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        ...

    def verify(self, hashed: str, password: str) -> bool:
        """Tell whether a password is the one that was hashed; takes as long either way."""
        ...

    def is_outdated(self, hashed: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        ...
