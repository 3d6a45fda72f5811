"""The generators that come with Palate."""

from web.adapters.generators.local import LocalGenerator
from web.hooks import implements


@implements
def generators() -> tuple[LocalGenerator]:
    """Bring the local generator, which needs neither a key nor a network."""
    return (LocalGenerator(),)
