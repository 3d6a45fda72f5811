"""The generators that come with Palate."""

from typing import TYPE_CHECKING

from web.adapters.generators.atonce import AtOnce
from web.adapters.later import later
from web.hooks import implements

if TYPE_CHECKING:
    from web.adapters.generators.local import LocalGenerator


@implements
def generators() -> tuple[AtOnce]:
    """Bring the local generator, which needs neither a key nor a network."""
    return (AtOnce(later(_local, name="local")),)


def _local() -> "LocalGenerator":
    from web.adapters.generators.local import LocalGenerator  # OpenCV, which few processes need

    return LocalGenerator()
