"""Find what a command was told of by name."""

from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.studies.views import study_named


def study_id_of(parts: Parts, wanted: str) -> str:
    """Return the id of a study of which a command was given the id or the whole name."""
    return study_named(parts, accounts.operator(parts), wanted).id
