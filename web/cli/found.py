"""Find what a command was told of by name."""

from ml_service.errors import InvalidRequest, NotFound
from web.ports.parts import Parts
from web.services.accounts import accounts


def study_id_of(parts: Parts, wanted: str) -> str:
    """Return the id of a study of which a command was given the id or the whole name."""
    project_id = accounts.operator(parts).project_id
    with parts.store.read() as tx:
        studies = tx.studies.all(project_id=project_id)
    found = [study.id for study in studies if wanted in (study.id, study.name)]
    if len(found) > 1:
        raise InvalidRequest(f"{len(found)} studies are called {wanted}; use an id: {', '.join(found)}.")
    if not found:
        names = ", ".join(study.name for study in studies) or "none"
        raise NotFound(f"There is no study {wanted}. There are: {names}.")
    return found[0]
