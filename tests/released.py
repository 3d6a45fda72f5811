"""Which versions lie in a folder that is published."""

from ml_service.objects import ObjectStore
from web.domain.prompts.prompt import DEFAULT_KEY, number_of
from web.services.prompts.versions import published


def list_versions(files: ObjectStore, key: str = DEFAULT_KEY) -> tuple[str, ...]:
    """Return the names of a prompt's published versions, lowest first."""
    return tuple(sorted(published(files).names.get(key, ()), key=number_of))
