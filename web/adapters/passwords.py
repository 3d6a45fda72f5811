"""Password hashes: argon2id with the parameters that OWASP's password storage cheat sheet gives for 19 MiB."""

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ml_service.errors import Throttled

MEMORY_KIB = 19 * 1024
AT_ONCE = 2
PATIENCE_SECONDS = 5.0


class Argon2:
    """Hashes of argon2id, a few at a time, so that signing in never takes the processor from those who rate."""

    def __init__(self) -> None:
        self.hasher = PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1)
        self.turns = BoundedSemaphore(AT_ONCE)

    def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        with _Turn(self.turns):
            return self.hasher.hash(password)

    def verify(self, hashed: str, password: str) -> bool:
        """Tell whether a password is the one that was hashed; takes as long either way."""
        with _Turn(self.turns):
            try:
                return self.hasher.verify(hashed, password)
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, hashed: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return self.hasher.check_needs_rehash(hashed)


class _Turn:
    """Waits for a turn to hash, or says that too many are waiting."""

    def __init__(self, turns: BoundedSemaphore) -> None:
        self.turns = turns

    def __enter__(self) -> None:
        if not self.turns.acquire(timeout=PATIENCE_SECONDS):
            raise Throttled("Too many people are signing in at once; try again in a few seconds.")

    def __exit__(self, *_: object) -> None:
        self.turns.release()
