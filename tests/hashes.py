"""The real password hasher, which counts what it does."""

from collections import Counter
from threading import Lock

from web.adapters.passwords import Argon2


class CountedHashes:
    """Argon2id that counts its hashes by kind; a comparison is a hash too."""

    def __init__(self) -> None:
        self.real, self.lock = Argon2(), Lock()
        self.counted: Counter[str] = Counter()

    def hash(self, password: str) -> str:
        self._count("hash")
        return self.real.hash(password)

    def verify(self, hashed: str, password: str) -> bool:
        self._count("verify")
        return self.real.verify(hashed, password)

    def is_outdated(self, hashed: str) -> bool:
        return self.real.is_outdated(hashed)

    def taken(self) -> Counter[str]:
        """Return what was counted since the last call."""
        with self.lock:
            taken, self.counted = self.counted, Counter()
        return taken

    def _count(self, kind: str) -> None:
        with self.lock:
            self.counted[kind] += 1
