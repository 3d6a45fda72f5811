"""Getting what lies at an address that somebody else named."""

from typing import Protocol


class Fetcher(Protocol):
    """Asks addresses of other people's choosing, and none of a network that is not everybody's."""

    def fetch(self, url: str) -> bytes:
        """Return the bytes at an address; InvalidRequest or TooLarge says why it is not asked or cannot be used.

        Unavailable where it gives no answer now.
        """
        ...
