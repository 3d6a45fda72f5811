"""Queries of prompts."""

from sqlalchemy import Connection, select

from ml_service.errors import NotFound
from web.adapters.tables import prompt_pointers
from web.domain.prompt import Pointer, PointerKind


class PromptQueries:
    """Named queries of prompts."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def lock(self, prompt_key: str, kind: PointerKind, name: str) -> Pointer:
        """Return a pointer as it stands, which nobody else moves or publishes until this transaction ends."""
        here = prompt_pointers.c
        query = select(prompt_pointers).where(here.prompt_key == prompt_key, here.kind == kind, here.name == name)
        row = self.connection.execute(query.with_for_update()).mappings().first()
        if row is None:
            raise NotFound(f"The prompt {prompt_key} has no {kind} {name}.")
        return Pointer(**row)
