"""The generators that come with Palate."""

from web.adapters.generators.atonce import AtOnce
from web.adapters.generators.local import LocalGenerator
from web.hooks import implements


@implements
def generators() -> tuple[AtOnce]:
    """Bring the local generator, which needs neither a key nor a network."""
    return (AtOnce(LocalGenerator()),)
