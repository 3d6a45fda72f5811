"""Stand-ins for adapters that are costly to import."""

from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


def later(make: Callable[[], T], **known: object) -> T:
    """Return what stands for a part, which is made, once, when something of it is asked for that is not known yet."""
    return cast(T, _Later(make, known))


class _Later(Generic[T]):
    def __init__(self, make: Callable[[], T], known: dict[str, object]) -> None:
        self.__dict__.update(known)
        self._make, self._made, self._lock = make, list[T](), Lock()

    def __getattr__(self, name: str) -> Any:
        if not self._made:
            with self._lock:
                if not self._made:
                    self._made.append(self._make())
        return getattr(self._made[0], name)
